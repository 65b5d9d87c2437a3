"""How to read this: what is counted, what is not, and how far the numbers can be trusted."""

import re
from collections.abc import Iterable

from alerts.clockface import in_words
from alerts.figures import FEW, WEEKS, Figures
from alerts.section import Section

_MISSED = re.compile(r"([0-9]+) of ([0-9]+)")


def section(figures: Figures) -> Section:
    """Half a page of plain sentences."""
    return Section("How to read this", tuple(_sentences(figures)))


def _sentences(figures: Figures) -> Iterable[str]:
    target = in_words(figures.targets["routine"])
    yield (
        "A post is one public message that our search found: a post, a comment, a review, a form. It counts in the time in "
        "which we heard it, which may be later than it was written."
    )
    yield (
        "Patients means patients, relatives and visitors, as far as their words tell. News, adverts and posts about "
        "something else are in the number of posts heard and in no other."
    )
    yield (
        "A complaint is a patient's post that complains of anything, even if it praises too. A case is what a person has to "
        "answer: one post, or several that belong together. What people corrected is counted as corrected."
    )
    yield (
        "What nobody wrote in public, what a place did not let us hear, and what has no word of ours in it is not counted. "
        "Few patients write in public: a number here is what was said, not what happened."
    )
    yield "A face shows the mood of the words. It orders nothing: what is urgent is decided by what is said."
    yield (
        f"Usual is the middle of up to {WEEKS} weeks before. More than chance means that a change is larger than weeks differ "
        "by themselves; smaller changes may be nothing."
    )
    yield (
        "The reply clock runs from the author's post to the hospital's public reply. It stands still while a case is "
        f"snoozed and, but for danger, while the team is not there. The target for most cases is {target}."
    )
    yield (
        f"Fewer than {FEW} posts are not told by place, since it might be seen who wrote them. Names of patients and their "
        "accounts are nowhere in this report; staff are named where they were thanked."
    )
    yield f"A program reads the posts, and it makes mistakes.{_mistakes(figures)}"
    yield "Each number is defined in docs/figures.md, which came with the program."


def _mistakes(figures: Figures) -> str:
    """How often, as the model card prints it; nothing where it prints nothing."""
    said = ""
    if missed := _MISSED.fullmatch(figures.measured.get("danger, missed", "")):
        said += f" In test posts it missed {int(missed[1]):,} of {int(missed[2]):,} dangers"
        said += "".join(_in_a_hundred(figures))
        said += ". Its model card (nlp/model/CARD.md) has all figures."
    return said


def _in_a_hundred(figures: Figures) -> Iterable[str]:
    try:
        found, right = (float(figures.measured[f"complaint, {name}"]) for name in ("recall", "precision"))
    except (KeyError, ValueError):
        return
    yield f" and {100 - round(100 * found)} of 100 complaints; {100 - round(100 * right)} of 100 that it called complaints were none"
