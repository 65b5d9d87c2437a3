"""The privacy check: what a public reply must not say. Pure, and fast enough for every key that is pressed.

Two ways of looking work together. The rules (sentence.py, *.toml) mark what is known to be wrong, what the post tells, and
where a reply touches a person all that is not known to be right; alone they would refuse every second lawful reply. The
trained look (learned.py) knows how replies are meant, and not what a post tells. A reply is refused where the trained look
thinks it wrong, and where the rules have enough against it and the trained look is not sure of the contrary.
"""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from alerts.privacy.learned import Opinion, opinion
from alerts.privacy.sentence import CERTAIN, ENOUGH, Department, House, Mark, Sentence
from alerts.privacy.told import Told
from alerts.privacy.vocabulary import languages, words_of
from alerts.privacy.words import FOREIGN, HANDLE, Word
from config.schema import Hospital

_WRONG = 0.5  # so likely it is wrong that no rule need say so
_SURELY_RIGHT = 0.01  # below, what the rules mark is taken for their narrowness
_KNOWN = 0.34  # of a reply's words, or it is in a language that nobody here can check
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
    "Patient Relations at 555-0100": their names are nobody's. Never raises for any text; ModelError where the trained
    look is missing.
    """
    found = words_of(reply)
    marks = _widest(_marked(reply, found, _house_of(hospital, contacts), hospital, Told.of(post or "")))
    said = opinion(reply, found, contacts)
    if said.likely >= _WRONG and found:
        marks = marks if _is_marked(said, marks, found) else _widest([*marks, _place(said, found)])
    elif said.likely < _SURELY_RIGHT or sum(mark.weight for mark in marks) < ENOUGH:
        marks = [mark for mark in marks if mark.weight >= CERTAIN]
    return [_objection(reply, found[mark.first : mark.last + 1], mark.rule) for mark in marks]


def _marked(reply: str, found: Sequence[Word], house: House, hospital: Hospital, told: Told) -> Iterator[Mark]:
    """What the rules are against."""
    yield from _handles(found, hospital)
    yield from _foreign(found)
    yield from _quotations(reply, found, told)
    if not Sentence(found, house, told).knows(_KNOWN):
        yield Mark(0, len(found) - 1, "unread", CERTAIN)
    for start, end in _sentences(found):
        for first, last, rule, weight in Sentence(found[start:end], house, told).marks():
            yield Mark(start + first, start + last, rule, weight)


def _is_marked(said: Opinion, marks: Sequence[Mark], found: Sequence[Word]) -> bool:
    """Whether the rules have something against the sentence of an opinion: then they say it better."""
    place = _place(said, found)
    sentences = [(start, end) for start, end in _sentences(found) if start <= place.last and place.first < end]
    return any(start <= mark.last and mark.first < end for mark in marks for start, end in sentences)


def _place(said: Opinion, found: Sequence[Word]) -> Mark:
    """The words of an opinion, by their numbers."""
    inside = [number for number, word in enumerate(found) if word.start < said.end and said.start < word.end]
    return Mark(inside[0], inside[-1], said.rule) if inside else Mark(0, len(found) - 1, said.rule)


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
            yield Mark(number, number, "name", CERTAIN)


def _quotations(reply: str, found: Sequence[Word], told: Told) -> Iterator[Mark]:
    """Words of the post in quotation marks."""
    for quoted in _QUOTED.finditer(reply):
        from_ = bisect_right(found, quoted.start(), key=lambda word: word.start)
        until = bisect_left(found, quoted.end(), key=lambda word: word.end)
        inside = range(from_, until)
        if len(inside) > 1 and " ".join(found[number].text for number in inside) in told.text:
            yield Mark(inside[0], inside[-1], "detail", ENOUGH)


def _foreign(found: Sequence[Word]) -> Iterator[Mark]:
    for number, word in enumerate(found):
        if word.text == FOREIGN or any(word.text in language["foreign"] for language in languages()):
            yield Mark(number, number, "unread", CERTAIN)


def _widest(marks: Iterable[Mark]) -> list[Mark]:
    """In order, without what lies within another of the same rule; the wider one then weighs as much."""
    kept: list[Mark] = []
    lasts: dict[str, list[int]] = defaultdict(list)  # of the kept marks of each rule, and these grow from mark to mark
    places: dict[str, list[int]] = defaultdict(list)
    for mark in sorted(marks, key=lambda mark: (mark.first, -mark.last, mark.rule)):
        around = bisect_left(lasts[mark.rule], mark.last)
        if around == len(lasts[mark.rule]):
            lasts[mark.rule].append(mark.last)
            places[mark.rule].append(len(kept))
            kept.append(mark)
        elif mark.weight > kept[at := places[mark.rule][around]].weight:
            kept[at] = kept[at]._replace(weight=mark.weight)
    return kept
