"""What the encoder says of a post: its outputs by name, shared by training, which fits them, and reading, which asks them."""

from dataclasses import dataclass
from typing import Literal

from nlp.labelled import CATEGORIES, DANGERS, MARKS, STAGES


@dataclass(frozen=True)
class Head:
    """One question to a post and its possible answers.

    "one": exactly one answer, from the whole post. "any": each answer yes or no, from the post or the sentence that says
    it most: a long story may speak of food in one sentence. "word": exactly one answer for each word.
    """

    name: str
    labels: tuple[str, ...]
    how: Literal["one", "any", "word"]


VOICE = Head("voice", ("patient", "news", "promo", "other"), "one")
# Not exclusive: a post with praise and complaint says both, and is a complaint. The first that holds is its kind.
SAYS = Head("says", ("complaint", "question", "praise"), "any")
TOPICS = Head("topics", CATEGORIES, "any")
URGENT = Head("urgent", ("danger", "here_now", "serious"), "any")
DANGER = Head("danger", DANGERS, "any")
STAGE = Head("stage", ("none", *STAGES), "one")
MOOD = Head("mood", ("unhappy", "neither", "happy"), "one")
PERSONAL = Head("personal", ("none", *MARKS), "word")

HEADS = (VOICE, SAYS, TOPICS, URGENT, DANGER, STAGE, MOOD, PERSONAL)


def columns(heads: tuple[Head, ...]) -> dict[str, slice]:
    """Where each head's answers stand in the encoder's output."""
    places, start = {}, 0
    for head in heads:
        places[head.name] = slice(start, start + len(head.labels))
        start += len(head.labels)
    return places
