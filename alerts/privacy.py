"""The privacy check: what a public reply must not say. Pure, and fast enough for every key that is pressed.

Two ways of looking work together. Lists of phrases refuse what is known to be wrong. Where a reply touches a person,
only what is known to be right passes: what may stand after "your" and "you", what "we will" do, what may be told in the
past tense. So a new way to say a wrong thing is refused as well, and the price is paid by rare ways to say a right one.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from alerts.phrasebook import Phrasebook
from alerts.words import EMAIL, FOREIGN, HANDLE, LINK, NUMBER, PHONE, Word, words
from config.schema import Hospital
from nlp.encoder import FOLDER

_LANGUAGES = ("en", "es")
_KNOWN = 0.34  # of a sentence's words, or it is in a language that nobody here can check
_TOO_SHORT = 3  # words that tell no language
_QUOTED = re.compile('["\u201c\u201e\u00ab][^"\u201c\u201d\u00bb]{3,200}["\u201d\u00bb]')
_NEAR = 4  # words before "with you" that may say what is done with them
_RUN = 4  # words in a row that are a quotation of the post
_NUMBERS = {
    name: str(number)
    for number, names in enumerate(
        "zero one,uno|una two,dos three,tres four,cuatro five,cinco six,seis seven,siete eight,ocho nine,nueve ten,diez "
        "eleven,once twelve,doce".replace("|", ",").split()
    )
    for name in names.split(",")
}
_ENDINGS = re.compile(r"(?:'s|s|es|ed|d|ing|ly|mente|os|as)$")

# Classes of words that are looked for in every disguise, and those whose every word is a detail of health.
_DECISIVE = ("your", "event", "events", "relative", "staff", "staffs", "identifier", "person", "past")
_HEALTH = ("body", "condition", "medicine", "procedure")
_NO_KIND: frozenset[str] = frozenset()

Mark = tuple[int, int, str]  # first and last word, rule


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
    found = _words(reply)
    house = _house(hospital, tuple(contacts))
    told = _Told.of(_words(post)) if post else _Told()
    marks = {*_handles(found, hospital), *_foreign(found), *_quotations(reply, found, told)}
    for start, end in _sentences(found):
        for first, last, rule in _Sentence(found[start:end], house, told).marks():
            marks.add((start + first, start + last, rule))
    rules = _languages()[0].rules
    return [
        Objection(reply[found[first].start : found[last].end], rule, *rules[rule], found[first].start, found[last].end)
        for first, last, rule in _widest(marks)
    ]


# ---------------------------------------------------------------- what is known of a language and of the house


@dataclass(frozen=True)
class _Language:
    """A file privacy.*.toml."""

    classes: dict[str, frozenset[str]]
    wrong: Phrasebook
    right: Phrasebook
    rules: dict[str, tuple[str, str]]  # why, instead
    past_endings: tuple[str, ...]
    future_endings: tuple[str, ...]
    health_endings: tuple[str, ...]

    @classmethod
    def read(cls, code: str) -> "_Language":
        written = tomllib.loads(Path(__file__).with_name(f"privacy.{code}.toml").read_text(encoding="utf-8"))
        classes = {name: frozenset(listed.split()) for name, listed in written["words"].items()}
        classes["number"] |= {NUMBER}
        return cls(
            classes,
            Phrasebook({rule: table["phrases"] for rule, table in written["rules"].items()}, classes),
            Phrasebook({"": written["allowed"]["phrases"]}, classes),
            {rule: (table["why"], table["instead"]) for rule, table in written["rules"].items() if "why" in table},
            tuple(written["past_endings"]),
            tuple(written.get("future_endings", ())),
            tuple(written["health_endings"]),
        )

    def __getitem__(self, name: str) -> frozenset[str]:
        return self.classes.get(name, frozenset())

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        return frozenset().union(self.wrong.vocabulary, self.right.vocabulary, *self.classes.values())

    @cached_property
    def kinds(self) -> dict[str, frozenset[str]]:
        """Each word with the classes that it is in."""
        kinds: dict[str, set[str]] = defaultdict(set)
        for name, listed in self.classes.items():
            for word in listed:
                kinds[word].add(name)
        return {word: frozenset(names) for word, names in kinds.items()}

    @cached_property
    def general_roots(self) -> frozenset[str]:
        return frozenset(map(_bare, self["general"]))

    @cached_property
    def decisive(self) -> frozenset[str]:
        """Words that turn a reply: they are recognised in every disguise."""
        stems = {word for word in self.wrong.vocabulary if len(word) > 5}
        return frozenset().union(*(self[name] for name in _DECISIVE + _HEALTH), stems)

    def is_past(self, word: Word) -> bool:
        if word.text in self["not_past"] or word.text.startswith("<"):
            return False
        ends = word.said.endswith(self.past_endings) or word.text.endswith(self.past_endings)
        return word.text in self["past"] or (len(word.text) > 3 and ends)

    def is_future(self, word: Word) -> bool:
        """By its ending, as in Spanish."""
        return len(word.text) > 4 and word.said.endswith(self.future_endings) if self.future_endings else False


@cache
def _languages() -> tuple[_Language, ...]:
    return tuple(map(_Language.read, _LANGUAGES))


@cache
def _vocabulary() -> tuple[frozenset[str], frozenset[str]]:
    """Decisive words, and all that need no second look."""
    languages = _languages()
    return (
        frozenset().union(*(language.decisive for language in languages)),
        frozenset().union(*(language.vocabulary for language in languages)),
    )


def _words(text: str) -> list[Word]:
    return words(text, *_vocabulary())


@dataclass(frozen=True)
class _House:
    """Words of the hospital's own, which name nobody, and its departments."""

    own: frozenset[str]
    departments: frozenset[tuple[str, ...]]


@cache
def _names() -> frozenset[str]:
    listed = (FOLDER.parent / "components" / "first_names.txt").read_text(encoding="utf-8")
    return frozenset(name.casefold() for name in listed.split()) - _vocabulary()[1]


_houses: dict[int, tuple[Hospital, tuple[str, ...], _House]] = {}


def _house(hospital: Hospital, contacts: tuple[str, ...]) -> _House:
    """Kept for the hospital that was asked for last: a config does not change while the program runs."""
    kept = _houses.get(0)
    if kept and kept[0] is hospital and kept[1] == contacts:
        return kept[2]
    names = [hospital.name, hospital.town, *hospital.aliases, *contacts]
    names += [name for site in hospital.sites for name in (site.name, *site.aliases)]
    departments = [name for site in hospital.sites for name in site.departments]
    departments += [word for listed in hospital.department_words.values() for word in listed]
    house = _House(
        frozenset(word.text for name in names for word in _words(name)),
        frozenset(tuple(word.text for word in _words(name)) for name in departments),
    )
    _houses[0] = (hospital, contacts, house)
    return house


# ---------------------------------------------------------------- the whole reply


@dataclass(frozen=True)
class _Told:
    """What a post tells: the roots of its words, and its words in a row."""

    roots: frozenset[str] = frozenset()
    runs: frozenset[tuple[str, ...]] = frozenset()
    text: str = ""

    @classmethod
    def of(cls, found: Sequence[Word]) -> "_Told":
        texts = [word.text for word in found if word.text]
        runs = (tuple(texts[at : at + _RUN]) for at in range(len(texts) - _RUN + 1))
        return cls(frozenset(_root(word) for word in found if word.text), frozenset(runs), " ".join(texts))


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
            yield number, number, "name"


def _quotations(reply: str, found: Sequence[Word], told: _Told) -> Iterator[Mark]:
    """Words of the post in quotation marks."""
    for quoted in _QUOTED.finditer(reply):
        inside = [
            number for number, word in enumerate(found) if quoted.start() < word.start and word.end < quoted.end()
        ]
        if len(inside) > 1 and " ".join(found[number].text for number in inside) in told.text:
            yield inside[0], inside[-1], "detail"


def _foreign(found: Sequence[Word]) -> Iterator[Mark]:
    for number, word in enumerate(found):
        if word.text == FOREIGN or any(word.text in language["foreign"] for language in _languages()):
            yield number, number, "unread"


def _root(word: Word) -> str:
    if word.text in (NUMBER, PHONE, EMAIL, HANDLE):
        return word.said.strip("$€£.,:")
    return _bare(_NUMBERS.get(word.text, word.text))


def _bare(text: str) -> str:
    """A word without its ending."""
    return _ENDINGS.sub("", text) if len(text) > 4 else text


def _widest(marks: Iterable[Mark]) -> list[Mark]:
    """In order, without what lies within another of the same rule."""
    kept: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: (mark[0], -mark[1], mark[2])):
        if not any(first <= mark[0] and mark[1] <= last and rule == mark[2] for first, last, rule in kept):
            kept.append(mark)
    return kept


# ---------------------------------------------------------------- one sentence


class _Sentence:
    """A sentence of a reply, looked at from every side."""

    def __init__(self, found: Sequence[Word], house: _House, told: _Told) -> None:
        self._found, self._house, self._told = found, house, told
        self._texts = [word.text for word in found]
        self._language = max(_languages(), key=self._known)
        self._kinds = [self._language.kinds.get(text, _NO_KIND) for text in self._texts]
        # What an allowed phrase covers is nobody's.
        self._covered = {place for _, places in self._language.right.found(found) for place in places}

    def marks(self) -> Iterator[Mark]:
        """First and last word and rule of everything that is wrong."""
        if not self._texts:
            return
        if not self._is_readable():
            yield 0, len(self._texts) - 1, "unread"
            return
        for rule, places in self._language.wrong.found(self._found):
            if self._covered.isdisjoint(places):
                yield places[0], places[-1], rule
        for look in (
            self._yours,
            self._you,
            self._third,
            self._people,
            self._events,
            self._health,
            self._orders,
            self._past,
            self._future,
        ):
            yield from look()
        for look in (self._numbers, self._names, self._departments, self._repeated, self._quoted):
            yield from look()

    # ------------------------------------------------------------ what it is about

    def _known(self, language: _Language) -> float:
        plain = [text for text in self._texts if not text.startswith("<") and text]
        known = [text for text in plain if text in language.vocabulary or text in language["general"]]
        return len(known) / len(plain) if plain else 0.0

    def _is_readable(self) -> bool:
        plain = [text for text in self._texts if not text.startswith("<") and text not in self._house.own and text]
        if len(plain) < _TOO_SHORT:
            return len(plain) < 2 or self._known(self._language) > 0
        return self._known(self._language) >= _KNOWN

    @cached_property
    def _is_public(self) -> bool:
        """Whether it states a fact about the house or how to reach it."""
        return any(self._is_fact(place) for place in range(len(self._texts)))

    @cached_property
    def _states_a_fact(self) -> bool:
        return any(self._is(place, "fact") for place in range(len(self._texts)))

    @cached_property
    def _is_emergency_line(self) -> bool:
        return any(word.text == PHONE and word.said in ("911", "988") for word in self._found)

    def _is_fact(self, place: int) -> bool:
        """Opening hours are one, "four hours" are none."""
        counted = self._is(place, "span") and (self._is(place - 1, "number") or self._text(place - 1) == NUMBER)
        return (self._is(place, "public") and not counted) or self._text(place) in (PHONE, EMAIL, LINK)

    def _is(self, place: int, *classes: str) -> bool:
        if not 0 <= place < len(self._texts):
            return False
        return not self._kinds[place].isdisjoint(classes)

    def _text(self, place: int) -> str:
        return self._texts[place] if 0 <= place < len(self._texts) else ""

    def _next(self, place: int) -> int:
        """The next word that is no adverb."""
        place += 1
        while self._is(place, "adverb"):
            place += 1
        return place

    def _before(self, place: int) -> int:
        place -= 1
        while self._is(place, "adverb"):
            place -= 1
        return place

    # ------------------------------------------------------------ whom it touches

    def _yours(self) -> Iterator[Mark]:
        """Only what was said is "yours"."""
        for place in range(len(self._texts)):
            if not self._is(place, "your") or self._covered.issuperset((place, place + 1)):
                continue
            noun = place + 1
            while self._is(noun, "adjective") and not (
                self._is(noun, "said") and not self._is(noun + 1, "said", "event", "events")
            ):
                noun += 1
            if not self._is(noun, "said"):
                yield place, min(noun, len(self._texts) - 1), "confirms"

    def _you(self) -> Iterator[Mark]:
        for place in range(len(self._texts)):
            if self._is(place, "you"):
                if not self._covered.issuperset((place - 1, place)) and not self._may_be_told(place):
                    yield max(0, place - 1), place, "confirms"
                if not self._covered.issuperset((place, place + 1)) and not self._may_act(place):
                    yield place, min(self._next(place + 0) + 1, len(self._texts) - 1), "confirms"

    def _may_be_told(self, place: int) -> bool:
        """Whether what stands before "you" makes no patient of them."""
        before = self._before(place)
        if before < 0 or self._found[place - 1].pauses:
            return True
        links = {"for": "for_you", "with": "with_you", "to": "to_you", "from": "from_you", "of": "of_you"}
        link = links.get(self._text(before))
        if link:
            return before == 0 or any(self._is(at, link) for at in range(max(0, before - _NEAR), before))
        return self._is(before, "before_you")

    def _may_act(self, place: int) -> bool:
        """Whether "you" are said to do no more than to speak, feel, read and call."""
        does = self._next(place)
        text = self._text(does)
        if not text or text.startswith("<"):
            return True
        if text in ("are", "have"):
            then = self._next(does)
            return self._is(then, f"you_{text}") or (text == "are" and then >= len(self._texts))
        if self._text(place - 1) == "are":  # "are you safe?"
            return self._is(does, "you_are")
        if self._is(does, "modal"):
            then = self._next(does)
            if self._text(then) == "have":
                return self._is(self._next(then), "you_have")
            return self._is(then, "you_do") or (self._is(does, "soft") and not self._is(then, "you_not"))
        if self._is(place - 1, "modal"):  # "would you be willing"
            return self._is(does, "you_do", "may_follow_you")
        return self._is(does, "may_follow_you")

    def _third(self) -> Iterator[Mark]:
        for place in range(len(self._texts)):
            either = "or" in (self._text(place - 1), self._text(place + 1))
            if self._is(place, "person") and not either and place not in self._covered:
                yield place, min(place + 1, len(self._texts) - 1), "confirms"

    def _people(self) -> Iterator[Mark]:
        for place in range(len(self._texts)):
            if place in self._covered or self._anyones(place):
                continue
            if self._is(place, "relative"):
                if not (self._is(place, "many") and (self._is_public or self._states_a_fact)):
                    yield max(0, place - 1), place, "confirms"
            elif self._is(place, "staff") and not self._is(place + 1, "compound"):
                yield max(0, place - 1), place, "our_side"
            elif self._is(place, "patient") or (self._is(place, "patients") and self._is(place - 1, "the")):
                yield max(0, place - 1), place, "confirms"

    def _anyones(self, place: int) -> bool:
        """Whether "any", "every" or the like stands before it."""
        before = place - 1
        while before > place - 4 and self._is(before, "adjective", "event", "events"):
            before -= 1
        return self._is(before, "generic")

    def _events(self) -> Iterator[Mark]:
        """What happens to people here may be spoken of as anyone's, not as somebody's."""
        for place in range(len(self._texts)):
            many = self._is(place, "events")
            if place in self._covered or not (many or self._is(place, "event")) or self._is(place + 1, "compound"):
                continue
            before = place - 1
            while before > place - 4 and self._is(before, "adjective", "event"):
                before -= 1
            if self._is(before, "generic") or (not many and self._is_deed(place, before)):
                continue
            ours = self._is(before, "our")
            if (self._is(before, "definite") and not (many and (ours or self._text(before) == "that"))) or not many:
                yield max(0, before), place, "confirms"

    def _is_deed(self, place: int, before: int) -> bool:
        """ "To wait", "please visit our website": a verb."""
        if before != place - 1:
            return False
        begins = before < 0 or self._found[before].pauses or self._text(before) in ("and", "or")
        return self._is(before, "before_deed") or (begins and self._is(place + 1, "after_deed"))

    def _health(self) -> Iterator[Mark]:
        for place in range(len(self._texts)):
            offered = self._is(place, "procedure") and self._is_public and not self._is_told(place)
            if self._is_health(place) and place not in self._covered and not (offered or self._is_emergency_line):
                yield place, place, "detail"
            if self._is(place, "identifier") and place not in self._covered:
                yield place, place, "asks"

    def _is_health(self, place: int) -> bool:
        ends = self._texts[place].endswith(self._language.health_endings) and len(self._texts[place]) > 6
        return ends or self._is(place, *_HEALTH)

    def _orders(self) -> Iterator[Mark]:
        """ "Call us" is an invitation; "rest", "put some cream on it", "stop complaining" are not."""
        first = 0
        while self._is(first, "adverb") or self._text(first) in ("and", "so", "or", "but"):
            first += 1
        denied = self._text(first) == "do" and self._text(first + 1) == "not"
        first += 2 * denied
        if self._is(first, "order") and first not in self._covered and not self._is(first + 1, "order_then"):
            yield first, min(first + 1, len(self._texts) - 1), "advises"

    # ------------------------------------------------------------ what was, and what will be

    def _past(self) -> Iterator[Mark]:
        """Deeds of the past: only what was done with a message, or to the house."""
        for place, word in enumerate(self._found):
            if place in self._covered or not self._language.is_past(word):
                continue
            if self._is(place, "house_did", "we_did") and self._is_public_deed(place):
                continue
            if word.text.endswith("ed") and any(self._is(at, "wanting") for at in range(max(0, place - 5), place)):
                continue  # "we want every call answered"
            before = self._before(place)
            if (
                self._is_anyones_if(place)
                or self._is(before, "you", "being")
                or (self._is(before, "definite", "generic") and self._is(place + 1, "said"))
            ):
                continue
            if self._is(place, "we_did") and not self._is(before, "they"):
                continue
            yield max(0, before), min(place + 1, len(self._texts) - 1), "our_side"

    def _is_anyones_if(self, place: int) -> bool:
        """ "If anyone was", "if you believe that someone's": no one's in particular."""
        before = self._texts[:place]
        return bool({"if", "whether", "when"} & set(before)) and bool(self._language["anyone"] & set(before))

    def _is_public_deed(self, place: int) -> bool:
        """Whether a thing of the house is what it is said of."""
        for before in range(place - 1, max(-1, place - 8), -1):
            if self._is(before, "public"):
                return True
            if self._is(before, "event", "events", "staff", "we", "they", "patients", "person"):
                return False
        return False

    def _future(self) -> Iterator[Mark]:
        """What we say we will do: to listen, to pass on, no more."""
        for place in range(len(self._texts)):
            if (
                self._language.is_future(self._found[place])
                and not self._is(place, "we_will", "not_future")
                and place not in self._covered
            ):
                yield place, place, "promises"
            will = self._is(place, "will")
            if not (will or (self._text(place) == "to" and self._text(place - 1) == "going")) or place in self._covered:
                continue
            if self._is(self._before(place), "you") or self._text(place + 1) == "you":
                continue
            does = self._next(place)
            denied = not {"not", "never"}.isdisjoint(self._texts[place:does])
            if not self._may_do(does, denied) and not self._is_public_deed(place):
                yield place, min(does, len(self._texts) - 1), "promises"

    def _may_do(self, does: int, denied: bool) -> bool:
        if denied:
            return self._is(does, "we_will_not")
        if self._text(does) == "be":
            then = self._next(does)
            return self._is(then, "we_will_be") or (self._is(then, "we_did") and not self._is(then, "not_promised"))
        return self._is(does, "we_will")

    # ------------------------------------------------------------ who, when, how much, and what the post told

    def _numbers(self) -> Iterator[Mark]:
        for place, text in enumerate(self._texts):
            if place in self._covered or not (text == NUMBER or self._is(place, "number", "calendar")):
                continue
            counted = self._is(place + 1, "span") or self._found[place].said[:1] in "$€£"
            if not self._may_be_counted(place, counted) or (counted and self._is_told(place)):
                yield place, place + self._is(place + 1, "span"), "detail"

    def _may_be_counted(self, place: int, counted: bool) -> bool:
        """A time or a number in a fact for everyone."""
        if self._is_public or self._states_a_fact:
            return True
        tied = any(
            self._is(at, "tied", "event", "events", "staff", "relative", "you", "your")
            for at in range(len(self._texts))
        )
        return not (counted or tied or self._is_told(place)) and not any(map(self._language.is_past, self._found))

    def _names(self) -> Iterator[Mark]:
        for place, text in enumerate(self._texts):
            if text in _names() and text not in self._house.own:
                yield place, place, "name"
            then = self._text(place + 1)
            if not then or then.startswith("<") or then in self._house.own:
                continue
            plain = self._is(place + 1, "general")
            if (
                self._is(place, "title")
                and not self._found[place].ends
                and (not plain or self._is(place, "always_title"))
            ):
                if place + 1 not in self._covered and not (self._is(place + 1, "compound")):
                    yield place, place + 1, "name"
            elif place == 0 and self._is(place, "greeting") and not self._is(place + 1, "after_greeting"):
                yield place, place + 1, "name"
            elif self._is_thanks(place) and not plain and not self._is(place + 1, "after_thanks", "said", "adjective"):
                yield place, place + 1, "name"

    def _is_thanks(self, place: int) -> bool:
        return self._is(place, "thanks") or (self._is(place, "you") and self._text(place - 1) == "thank")

    def _departments(self) -> Iterator[Mark]:
        """A department in a fact for everyone is no detail; in words to one person it is."""
        for place in range(len(self._texts)):
            for name in self._house.departments:
                last = place + len(name) - 1
                if tuple(self._texts[place : last + 1]) == name and not self._is_for_everyone(place, last):
                    yield place, last, "detail"

    def _is_for_everyone(self, first: int, last: int) -> bool:
        if self._is_emergency_line or any(self._is(at, "desk") for at in range(first, last + 1)):
            return True
        others = [at for at in range(len(self._texts)) if not first <= at <= last]
        tied = any(self._is(at, "tied") for at in others)
        fact = any(self._is_fact(at) for at in others)
        return not tied and (fact or not any(self._is_told(at) for at in range(first, last + 1)))

    def _repeated(self) -> Iterator[Mark]:
        if not self._told.roots or self._is_public or self._is_emergency_line:
            return
        for place, text in enumerate(self._texts):
            if len(text) > 2 and text not in self._house.own and not self._is_general(place) and self._is_told(place):
                if place not in self._covered and (text[0] != "<" or text in (NUMBER, PHONE, EMAIL)):
                    yield place, place, "detail"

    def _quoted(self) -> Iterator[Mark]:
        """Four words as the post has them."""
        for place in range(len(self._texts) - _RUN + 1):
            run = tuple(self._texts[place : place + _RUN])
            if run in self._told.runs and not all(self._is(at, "opening") for at in range(place, place + _RUN)):
                yield place, place + _RUN - 1, "detail"

    def _is_general(self, place: int) -> bool:
        return self._is(place, "general") or _root(self._found[place]) in self._language.general_roots

    def _is_told(self, place: int) -> bool:
        return _root(self._found[place]) in self._told.roots
