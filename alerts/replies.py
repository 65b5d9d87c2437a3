"""Drafts of public replies: the template that fits, filled in, and what keeps words from going out. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alerts.privacy.check import Objection, check
from config.schema import Hospital, Replies, Template

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}?")
_FILLED_IN = ("contact", "known", "hospital")
_WEB_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_SHORT_ADDRESS = 23  # characters that an address counts on X and Mastodon, however long it is
_PLACES = {
    "x": ("X", 280),
    "bluesky": ("Bluesky", 300),
    "mastodon": ("Mastodon", 500),
    "google_reviews": ("a Google review", 4096),
    "reddit": ("Reddit", 10_000),
}


@dataclass(frozen=True)
class About:
    """What a reply answers: the values of a reading, and the urgency of its case."""

    kind: str | None = None
    categories: Sequence[str] = ()
    stage: str | None = None
    urgency: str = "routine"
    danger_of: str | None = None
    language: str = "en"
    mood: float = 0.0


def draft(
    about: About, replies: Replies, hospital: Hospital, known: str | None = None, outcome: str | None = None
) -> str | None:
    """The words of the first template that fits, or None. `known` is what we know of an issue that many speak of now;
    `outcome`, what became of the case, asks for a follow-up."""
    for template in replies.templates:
        if _fits(template, about, known, outcome):
            return _filled(template.text, replies, hospital, known)
    return None


def _fits(template: Template, about: About, known: str | None, outcome: str | None) -> bool:
    when = template.when
    if bool(when.outcome) != (outcome is not None) or ("{known}" in template.text and not known):
        return False
    held: tuple[tuple[Sequence[str], Sequence[str | None]], ...] = (
        (when.kind, (about.kind,)),
        (when.category, about.categories),
        (when.stage, (about.stage,)),
        (when.urgency, (about.urgency,)),
        (when.danger, (about.danger_of,)),
        (when.language, (about.language,)),
        (when.outcome, (outcome,)),
    )
    return all(not wanted or not set(wanted).isdisjoint(values) for wanted, values in held)


def _filled(text: str, replies: Replies, hospital: Hospital, known: str | None) -> str:
    values = {"contact": replies.contact, "hospital": hospital.name, "known": (known or "").strip()}
    # Only the braces of the template: what is filled in may hold others.
    return " ".join(_PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text).split())


def checked(text: str, hospital: Hospital, post: str | None, replies: Replies) -> list[Objection]:
    """What the privacy check has against words that a place would take; nothing is said of what no place takes."""
    return check(text, hospital, post, (replies.contact,)) if text.strip() and len(text) <= LONGEST else []


def objections(text: str, hospital: Hospital, post: str | None, replies: Replies) -> list[str]:
    """What the privacy check has against words, one sentence for each rule, with the mend; empty when they may go out."""
    if problem := beyond(text):
        return [problem]
    found = _by_rule(check(text, hospital, post, (replies.contact,)))
    return [f"{words}: {why}. Instead: {instead}" for words, why, instead in found]


def template_problems(text: str, hospital: Hospital, replies: Replies) -> list[tuple[str, str]]:
    """Why a template cannot be used, and what can be: placeholders that nothing fills, or words that may not go out."""
    allowed = ", ".join(f"{{{name}}}" for name in _FILLED_IN)
    unknown = [found[0] for found in _PLACEHOLDER.finditer(text) if found[1] not in _FILLED_IN or found[0][-1] != "}"]
    if unknown:
        return [(repr(name), allowed) for name in unknown]
    found = _by_rule(check(_filled(text, replies, hospital, None), hospital, None, (replies.contact,)))
    return [(f"{words} ({why})", f"words such as: {instead}") for words, why, instead in found]


def _by_rule(found: Sequence[Objection]) -> Iterator[tuple[str, str, str]]:
    """The words that one rule is about, why, and what to write instead."""
    for rule in dict.fromkeys(one.rule for one in found):
        ones = [one for one in found if one.rule == rule]
        words = ", ".join(f"“{' '.join(words.split())}”" for words in dict.fromkeys(one.words for one in ones))
        yield words, ones[0].why, ones[0].instead


def beyond(text: str) -> str | None:
    """A sentence when words are more than any place takes, however few of them it counts: they are not looked at."""
    n = len(text)
    return f"No place takes {n:,} characters: shorten it to {LONGEST:,}." if n > LONGEST else None


def too_long(source: str, text: str) -> str | None:
    """A sentence when a place would not take so many characters, as that place counts them; None where it would."""
    name, most = _PLACES.get(source, (source, 0))
    count = _LENGTHS.get(source, len)(text)
    return (
        f"{name} takes {most:,} characters, these are {count:,}: shorten it by {count - most:,}."
        if 0 < most < count
        else None
    )


def _on_x(text: str) -> int:
    """X counts letters beyond the Latin and its neighbours twice, and an address as 23."""
    rest, count = _WEB_ADDRESS.subn("", text)
    narrow = sum(
        ord(letter) <= 0x10FF or 0x2000 <= ord(letter) <= 0x200D or 0x2010 <= ord(letter) <= 0x201F for letter in rest
    )
    return narrow + 2 * (len(rest) - narrow) + _SHORT_ADDRESS * count


def _on_mastodon(text: str) -> int:
    return len(_WEB_ADDRESS.sub("x" * _SHORT_ADDRESS, text))


def _on_bluesky(text: str) -> int:
    """What a reader sees as one character is one: accents, skin tones and joined emoji count nothing of their own."""
    count, joined = 0, False
    for letter in text:
        follows = unicodedata.category(letter) in ("Mn", "Me", "Cf") or 0x1F3FB <= ord(letter) <= 0x1F3FF
        count += not (follows or joined)
        joined = letter == "\u200d"
    return count


# The longest that any place takes: more is never looked at, as the check would hold up the whole service for minutes.
LONGEST = max(most for _, most in _PLACES.values())
_LENGTHS = {"x": _on_x, "mastodon": _on_mastodon, "bluesky": _on_bluesky}
