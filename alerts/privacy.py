"""The privacy check: what a public reply must not say. Pure, and fast enough for every key that is pressed.

Two ways of looking work together. Lists of phrases refuse what is known to be wrong. Where a reply touches a person,
only what is known to be right passes: what may stand after "your" and "you", what "we will" do, what may be told in the
past tense. So a new way to say a wrong thing is refused as well, and the price is paid by rare ways to say a right one.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from alerts.sentence import Department, House, Mark, Sentence
from alerts.told import Told
from alerts.vocabulary import languages, words_of
from alerts.words import FOREIGN, HANDLE, Word
from config.schema import Hospital

_QUOTED = re.compile('["\u201c\u201e\u00ab\uff02][^"\u201c\u201d\u00bb\uff02]{3,200}["\u201d\u00bb\uff02]')


@dataclass(frozen=True)
class Objection:
    """Words that may not go out, and what to write in their place."""

    words: str  # as they stand in the reply
    rule: str
    why: str
    instead: str
    start: int  # character of the reply
    end: int


def check(reply: str, hospital: Hospital, post: str | None = None, contacts: Sequence[str] = ()) -> list[Objection]:
    """Everything that is wrong with a public reply, in its order; an empty list for one that may go out.

    `post` is what it answers, so that no detail of it is repeated. `contacts` are sentences of the hospital's own, such as
    "Patient Relations at 555-0100": their names are nobody's. Never raises.
    """
    found = words_of(reply)
    house = _house_of(hospital, contacts)
    told = Told.of(post or "")
    marks: set[Mark] = {*_handles(found, hospital), *_foreign(found), *_quotations(reply, found, told)}
    for start, end in _sentences(found):
        for first, last, rule in Sentence(found[start:end], house, told).marks():
            marks.add(Mark(start + first, start + last, rule))
    return [_objection(reply, found[mark.first : mark.last + 1], mark.rule) for mark in _widest(marks)]


def _objection(reply: str, words: Sequence[Word], rule: str) -> Objection:
    why, instead = languages()[0].rules[rule]
    mends = (mend for language in languages() for mend, _ in language.mends.found(words))
    start, end = words[0].start, words[-1].end
    return Objection(reply[start:end], rule, why, next(mends, instead), start, end)


@lru_cache(4)
def _house(names: tuple[str, ...], departments: tuple[tuple[str, ...], ...]) -> House:
    by_first: dict[str, list[Department]] = defaultdict(list)
    for department in departments:
        cut = [tuple(word.text for word in words_of(name)) for name in department]
        same = frozenset(map(" ".join, cut))
        for name in cut:
            by_first[name[0]].append(Department(name, same))
    return House(frozenset(word.text for name in names for word in words_of(name)), by_first)


def _house_of(hospital: Hospital, contacts: Sequence[str]) -> House:
    sites, also = hospital.sites, hospital.department_words
    names = [name for site in sites for name in (site.name, *site.aliases)]
    departments = dict.fromkeys(name for site in sites for name in site.departments)
    return _house(
        (hospital.name, hospital.town, *hospital.aliases, *contacts, *names),
        tuple((name, *also.get(name, ())) for name in departments),
    )


def _sentences(found: Sequence[Word]) -> Iterator[tuple[int, int]]:
    start = 0
    for number, word in enumerate(found, 1):
        if word.ends or number == len(found):
            yield start, number
            start = number


def _handles(found: Sequence[Word], hospital: Hospital) -> Iterator[Mark]:
    """A handle is the site's way to address an author where it stands first and alone; elsewhere it names somebody."""
    own = {account.casefold() for _, account in hospital.accounts}
    for number, word in enumerate(found):
        if word.text == HANDLE and number and word.said.removeprefix("@") not in own:
            yield Mark(number, number, "name")


def _quotations(reply: str, found: Sequence[Word], told: Told) -> Iterator[Mark]:
    """Words of the post in quotation marks."""
    for quoted in _QUOTED.finditer(reply):
        inside = [
            number for number, word in enumerate(found) if quoted.start() < word.start and word.end < quoted.end()
        ]
        if len(inside) > 1 and " ".join(found[number].text for number in inside) in told.text:
            yield Mark(inside[0], inside[-1], "detail")


def _foreign(found: Sequence[Word]) -> Iterator[Mark]:
    for number, word in enumerate(found):
        if word.text == FOREIGN or any(word.text in language["foreign"] for language in languages()):
            yield Mark(number, number, "unread")


def _widest(marks: Iterable[Mark]) -> list[Mark]:
    """In order, without what lies within another of the same rule."""
    kept: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: (mark[0], -mark[1], mark[2])):
        if not any(first <= mark[0] and mark[1] <= last and rule == mark[2] for first, last, rule in kept):
            kept.append(mark)
    return kept
