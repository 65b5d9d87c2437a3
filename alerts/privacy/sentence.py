"""One sentence of a reply, looked at from every side: whom it touches, what was, what will be, who, when, how much."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

from alerts.privacy.told import RUN, Told
from alerts.privacy.vocabulary import HEALTH, Language, known_words, languages, root
from alerts.privacy.words import EMAIL, LINK, NUMBER, PHONE, Word
from nlp.encoder import FOLDER

_NEAR = 4  # words before "with you" that may say what is done with them
_THANKED = 12  # words after "thank" that may say for what
_LONG_VERB = 20  # words of a verb, as "had really not been"
_WANTED = 5  # words before a participle that may say that it is only wished for
_KNOWN = 0.25  # of a sentence's words, or it is in a language that nobody here can check
_TOO_SHORT = 5  # words of a sentence that tell no language
_NO_KIND: frozenset[str] = frozenset()
_IF = frozenset(("if",))


ENOUGH = 2  # the weight of marks that refuse what the trained look does not wholly trust
CERTAIN = 3  # the weight of one that refuses whatever the trained look thinks
_HEAVY = {"admits": ENOUGH}  # phrases that say by themselves what they say; the others may be harmless


class Mark(NamedTuple):
    """Words that a rule is against, by their numbers."""

    first: int
    last: int
    rule: str
    weight: int = 1


class Department(NamedTuple):
    """A name of a department as words, and all its names."""

    name: tuple[str, ...]
    same: frozenset[str]


@dataclass(frozen=True)
class House:
    """Words of the hospital's own, which name nobody, and its departments."""

    own: frozenset[str]
    departments: Mapping[str, Sequence[Department]]  # by the first word of a name


@cache
def _first_names() -> frozenset[str]:
    """Those that are no words."""
    listed = (FOLDER.parent / "components" / "first_names.txt").read_text(encoding="utf-8")
    return frozenset(name.casefold() for name in listed.split()) - known_words()


class Sentence:
    """A sentence of a reply, looked at from every side."""

    def __init__(self, found: Sequence[Word], house: House, told: Told) -> None:
        self._found, self._house, self._told = found, house, told
        self._texts = [word.text for word in found]
        self._firsts: dict[frozenset[str], int] = {}
        self._language = max(languages(), key=self._known)
        self._kinds = [self._language.kinds.get(text, _NO_KIND) for text in self._texts]
        # What an allowed phrase covers is nobody's.
        self._covered = {place for _, places in self._language.right.found(found) for place in places}

    def marks(self) -> Iterator[Mark]:
        """First and last word and rule of everything that is wrong."""
        if not self._texts:
            return
        if not self._is_readable():
            yield Mark(0, len(self._texts) - 1, "unread", CERTAIN)
            return
        wrong = [*self._language.wrong.found(self._found)]
        if not self._is_said_of_anyone:
            wrong += self._language.wrong_but_in_facts.found(self._found)
        for rule, places in wrong:
            if self._covered.isdisjoint(places):
                yield Mark(places[0], places[-1], rule, _HEAVY.get(rule, 1))
        yield from self._touches
        tells = (self._orders, self._future, self._events, self._health, self._numbers)
        for look in (*tells, self._names, self._departments, self._repeated, self._quoted):
            yield from look()

    # ------------------------------------------------------------ what it is about

    def _known(self, language: Language) -> float:
        plain = [text for text in self._texts if not text.startswith("<") and text]
        known = [text for text in plain if text in language.vocabulary or text in language["general"]]
        return len(known) / len(plain) if plain else 0.0

    def _is_readable(self) -> bool:
        return len(self._plain) < _TOO_SHORT or self.knows(_KNOWN)

    def knows(self, share: float) -> bool:
        """Whether so many of its words are known in one language. One word tells none."""
        return len(self._plain) < 2 or self._known(self._language) >= share

    @property
    def _plain(self) -> Sequence[str]:
        return [text for text in self._texts if not text.startswith("<") and text not in self._house.own and text]

    @cached_property
    def _touches(self) -> Sequence[Mark]:
        """Where it speaks of a person."""
        looks = (self._yours, self._you, self._third, self._people, self._past, self._thanked)
        return [mark for look in looks for mark in look()]

    @cached_property
    def _is_for_anyone(self) -> bool:
        """Whether it speaks of nobody and of no feeling, as facts do."""
        return not self._touches and not any(self._is(place, "felt") for place in range(len(self._texts)))

    @cached_property
    def _is_said_of_anyone(self) -> bool:
        """Whether it is a fact that we do nothing in, or one of everyone."""
        everyone = self._is_for_anyone and not self._language["everyone"].isdisjoint(self._texts)
        ours = not self._language["we"].isdisjoint(self._texts)
        return everyone or (self._is_fact_for_anyone and not ours)

    @cached_property
    def _is_fact_for_anyone(self) -> bool:
        return self._is_for_anyone and (self._is_public or self._states_a_fact or self._is_of_the_town)

    @cached_property
    def _is_public(self) -> bool:
        """Whether it states a fact about the house or how to reach it."""
        return bool(self._facts)

    @cached_property
    def _is_about_the_house(self) -> bool:
        return any(self._is(place, "public") for place in self._facts)

    @cached_property
    def _states_a_fact(self) -> bool:
        return any(self._is(place, "fact") for place in range(len(self._texts)))

    @cached_property
    def _is_of_the_town(self) -> bool:
        return any(self._is(place, "town") for place in range(len(self._texts)))

    @cached_property
    def _is_emergency_line(self) -> bool:
        return any(word.text == PHONE and word.said in ("911", "988") for word in self._found)

    def _is_fact(self, place: int) -> bool:
        """Opening hours are one, "four hours" are none."""
        counted = self._is(place, "span") and self._is(place - 1, "number", "measuring")
        return (self._is(place, "public") and not counted) or self._text(place) in (PHONE, EMAIL, LINK)

    def _is(self, place: int, *classes: str) -> bool:
        if not 0 <= place < len(self._texts):
            return False
        return not self._kinds[place].isdisjoint(classes)

    def _text(self, place: int) -> str:
        return self._texts[place] if 0 <= place < len(self._texts) else ""

    def _next(self, place: int) -> int:
        """The next word that is no adverb."""
        return self._no_adverbs[0].get(place + 1, place + 1)

    def _before(self, place: int) -> int:
        return self._no_adverbs[1].get(place - 1, place - 1)

    @cached_property
    def _no_adverbs(self) -> tuple[dict[int, int], dict[int, int]]:
        """Of each adverb the next word that is none, and the one before."""
        adverbs = [place for place in range(len(self._texts)) if self._is(place, "adverb")]
        after: dict[int, int] = {}
        before: dict[int, int] = {}
        for place in reversed(adverbs):
            after[place] = after.get(place + 1, place + 1)
        for place in adverbs:
            before[place] = before.get(place - 1, place - 1)
        return after, before

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
                yield Mark(place, min(noun, len(self._texts) - 1), "confirms", ENOUGH)

    def _you(self) -> Iterator[Mark]:
        for place in range(len(self._texts)):
            if self._is(place, "you"):
                if not self._covered.issuperset((place - 1, place)) and not self._may_be_told(place):
                    yield Mark(max(0, place - 1), place, "confirms")
                if not self._covered.issuperset((place, place + 1)) and not self._may_act(place):
                    yield Mark(place, min(self._next(place) + 1, len(self._texts) - 1), "confirms")

    def _may_be_told(self, place: int) -> bool:
        """Whether what stands before "you" makes no patient of them."""
        before = self._before(place)
        if before < 0 or self._found[place - 1].pauses or self._is(before, "supposing"):
            return True
        if self._is(self._next(place), "soft", "you_with") and not self._language.is_past(self._found[before]):
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
        if not text or text.startswith("<") or self._found[place].pauses or text in self._house.own:
            return True
        if self._is(place - 1, "supposing") and self._is_present(does):
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
            if self._text(then) == "be":
                return self._is(self._next(then), "you_are", "you_do")
            return self._is(then, "you_do") or (self._is(does, "soft") and not self._is(then, "you_not"))
        if self._is(place - 1, "modal"):  # "would you be willing"
            return self._is(does, "you_do", "may_follow_you")
        return self._is(does, "may_follow_you")

    def _is_present(self, does: int) -> bool:
        """Whether somebody does or is what anybody may do or be at any time."""
        if self._text(does) in ("are", "have"):
            does += 1
        here = does < len(self._texts) and not self._language.is_past(self._found[does])
        if self._goes_on:
            return False
        return here and not self._is(does, "you_not", "event", "events", *HEALTH)

    @cached_property
    def _goes_on(self) -> bool:
        return not {"still", "again", "another"}.isdisjoint(self._texts)

    def _thanked(self) -> Iterator[Mark]:
        """Thanks for coming, for trust, for a visit."""
        for place in range(len(self._texts)):
            if self._is(place, "thanks") or self._text(place) in ("thank", "appreciate", "grateful"):
                for then in range(place + 1, min(place + _THANKED, len(self._texts))):
                    does = self._text(then - 1) == "for" and self._texts[then].endswith("ing")
                    if (
                        (does and not self._is(then, "thankable")) or self._is(then, "unthankable")
                    ) and then not in self._covered:
                        yield Mark(place, then, "confirms")

    def _third(self) -> Iterator[Mark]:
        for place in range(len(self._texts)):
            either = "or" in (self._text(place - 1), self._text(place + 1))
            if self._is(place, "person") and not either and place not in self._covered:
                yield Mark(place, min(place + 1, len(self._texts) - 1), "confirms")

    def _people(self) -> Iterator[Mark]:
        for place in range(len(self._texts)):
            if place in self._covered or self._anyones(place):
                continue
            if self._is(place, "relative"):
                of_a_thing = self._is(place + 1, "compound", "public", "fact") and not self._is(
                    place - 1, "your", "the"
                )
                many = self._is(place, "many") and (
                    self._is_public or self._states_a_fact or self._is(place - 1, "before_noun")
                )
                many = many and not self._is(place - 1, "definite")
                if not (many or of_a_thing):
                    yield Mark(max(0, place - 1), place, "confirms")
            elif self._is(place, "staff") and not (
                self._is(place + 1, "compound") or (self._is(place, "office_holder") and self._is_public)
            ):
                yield Mark(max(0, place - 1), place, "our_side")
            elif self._is(place, "patient") or (self._is(place, "patients") and self._is(place - 1, "the")):
                yield Mark(max(0, place - 1), place, "confirms")

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
            while before > place - 4 and (self._is(before, "adjective", "event") or self._text(before).endswith("ed")):
                before -= 1
            if self._is(before, "generic") or (not many and self._is_deed(place, before)):
                continue
            bare = not self._is(before, "definite", "our")
            if bare and self._is_fact_for_anyone and not self._tells_of_the_past:
                continue
            if place == 0 and self._is(1, *HEALTH):
                continue
            ours = self._is(before, "our")
            if (self._is(before, "definite") and not (many and (ours or self._text(before) == "that"))) or not many:
                yield Mark(max(0, before), place, "confirms")

    def _is_deed(self, place: int, before: int) -> bool:
        """ "To wait", "please visit our website": a verb."""
        if before != place - 1:
            return False
        begins = before < 0 or self._found[before].pauses or self._text(before) in ("and", "or")
        return self._is(before, "before_deed") or (begins and self._is(place + 1, "after_deed"))

    def _health(self) -> Iterator[Mark]:
        for place in range(len(self._texts)):
            if self._is_health(place) and place not in self._covered and not self._may_be_offered(place):
                yield Mark(place, place, "detail")
            if self._is(place, "identifier") and place not in self._covered:
                yield Mark(place, place, "asks")

    def _may_be_offered(self, place: int) -> bool:
        """Whether it is a service that a fact is about, or an emergency, and nobody's illness."""
        if self._is_emergency_line or (self._is_asked(place) and not self._touches):
            return True
        return self._is_fact_for_anyone and not self._is_told(place)

    def _is_health(self, place: int) -> bool:
        ends = self._texts[place].endswith(self._language.health_endings) and len(self._texts[place]) > 6
        return ends or self._is(place, *HEALTH)

    def _orders(self) -> Iterator[Mark]:
        """ "Call us" is an invitation; "rest", "put some cream on it", "stop complaining" are not."""
        first = 0
        while self._is(first, "adverb") or self._text(first) in ("and", "so", "or", "but"):
            first += 1
        denied = self._text(first) == "do" and self._text(first + 1) == "not"
        first += 2 * denied
        then = self._text(first + 1)
        if self._is_advice(first):
            yield Mark(first, len(self._texts) - 1, "advises")
        invites = self._is(first, "order_soft") and (self._is(first + 1, "order_then") or then.startswith("<"))
        if self._is(first, "order", "order_soft") and first not in self._covered and not invites:
            yield Mark(first, min(first + 1, len(self._texts) - 1), "advises")

    def _is_advice(self, first: int) -> bool:
        """Whether anybody is told what to do with something that is good against an illness."""
        told = self._is(first, "order_soft", "order") or not self._language["advising"].isdisjoint(self._texts)
        remedies = [place for place in range(len(self._texts)) if self._is(place, "remedy")]
        return told and bool(remedies) and not self._is_fact_for_anyone

    # ------------------------------------------------------------ what was, and what will be

    def _past(self) -> Iterator[Mark]:
        """Deeds of the past: only what was done with a message, or to the house."""
        for place, word in enumerate(self._found):
            if place in self._covered or not self._language.is_past(word) or self._may_have_been(place):
                continue
            yield Mark(max(0, self._before(place)), min(place + 1, len(self._texts) - 1), "our_side")

    def _may_have_been(self, place: int) -> bool:
        before = self._before(place)
        if self._is(place, "we_did") and not self._is(before, "they", "actor"):
            return True
        if self._is_history or self._is_the_towns(place) or self._is_public_deed(place, "house_did", "we_did"):
            return True
        if self._is(before, "giver") and self._is(place + 1, "to_us") and not self._is(place, "auxiliary"):
            return True
        wanted = any(self._is(at, "wanting") for at in range(max(0, place - _WANTED), place))
        if self._texts[place].endswith("ed") and wanted:  # "we want every call answered"
            return True
        return self._describes(place) or self._is(before, "you", "being") or self._is_anyones_if(place)

    @cached_property
    def _is_history(self) -> bool:
        """Whether it tells of the town, and of nobody's case."""
        return self._is_of_the_town and not self._is_of_a_case

    @cached_property
    def _is_of_a_case(self) -> bool:
        told = ("case", "event", "events", "staff", "staffs", "relative", *HEALTH)
        return bool(self._told.text) or any(self._is(at, *told) for at in range(len(self._texts)))

    def _is_the_towns(self, place: int) -> bool:
        """Whether somebody in town does it, or it is done to a thing."""
        who = self._before(place)
        passive = False
        while self._is(who, "auxiliary") and place - who < _LONG_VERB:
            passive, who = True, self._before(who)
        who -= self._text(who) == "who"
        within = any(self._is(at, "where") for at in range(max(0, who - 3), who))  # "everyone in the lobby"
        thing = passive and not self._is_of_a_case and self._is(who, "public") and not self._is(who, "actor")
        to_whom = any(self._is(at, "case", "event", "events", "relative") for at in range(place + 1, place + _NEAR))
        return not (self._told.text or within) and (thing or (self._is(who, "town") and not to_whom))

    def _describes(self, place: int) -> bool:
        """ "An itemized list", "new, unwrapped toys", "are shown there and refreshed daily": not what somebody did."""
        before, after = self._text(place - 1), place + 1
        if not self._texts[place].endswith("ed"):
            return self._is(place, "said") and self._is(place - 1, "adjective", "generic")
        if before in ("and", "or"):
            return any(self._is(at, "being") for at in range(max(0, place - _WANTED), place))
        starts = (
            place == 0
            or self._found[place - 1].pauses
            or self._is(place - 1, "before_noun", "generic", "definite", "we_will")
        )
        noun = after < len(self._texts) and not self._is(after, "small", "adverb", "you", "your", "person", "relative")
        return starts and noun and not self._texts[after].endswith("ly") and not self._found[place].ends

    def _is_anyones_if(self, place: int) -> bool:
        """ "If anyone was", "if you believe that someone's": no one's in particular."""
        supposed = self._first_of(frozenset(("if", "whether", "when")))
        return max(supposed, self._first_of(self._language["anyone"])) < place

    def _first_of(self, texts: frozenset[str]) -> int:
        """Where the first of these stands; behind the last word where none does."""
        if texts not in self._firsts:
            found = (place for place, text in enumerate(self._texts) if text in texts)
            self._firsts[texts] = next(found, len(self._texts))
        return self._firsts[texts]

    def _is_public_deed(self, place: int, *deeds: str) -> bool:
        """Whether a thing of the house is what it is said of."""
        if deeds and not self._is(place, *deeds):
            return False
        for before in range(place - 1, max(-1, place - 8), -1):
            if self._is(before, "public"):
                return not (deeds and self._is(before, "actor")) or self._is(place, "house_did")
            if self._is(before, "event", "events", "staff", "we", "they", "patients", "person"):
                return False
        return False

    def _future(self) -> Iterator[Mark]:
        """What we say we will do: to listen, to pass on, no more."""
        for place, word in enumerate(self._found):
            if place in self._covered:
                continue
            if self._language.is_future(word) and not self._is(place, "we_will", "not_future"):
                yield Mark(place, place, "promises")
            going = word.text == "to" and self._text(place - 1) == "going"
            asked = self._is(self._before(place), "you") or self._text(place + 1) == "you"
            public = self._is_public_deed(place) or self._is_emergency_line or self._first_of(_IF) < place
            if (self._is(place, "will") or going) and not asked and not public:
                does = self._next(place)
                denied = not {"not", "never"}.isdisjoint(self._texts[place:does])
                if not self._may_do(does, denied):
                    yield Mark(place, min(does, len(self._texts) - 1), "promises")

    def _may_do(self, does: int, denied: bool) -> bool:
        if denied:
            return does < len(self._texts) and not self._is(does, "not_denied")
        if self._text(does) == "be":
            then = self._next(does)
            if self._is(then, "place") and not self._is(then + 1, "touch"):
                return True
            return self._is(then, "we_will_be") or (self._is(then, "we_did") and not self._is(then, "not_promised"))
        return self._is(does, "we_will")

    # ------------------------------------------------------------ who, when, how much, and what the post told

    def _numbers(self) -> Iterator[Mark]:
        counted_by: dict[int, int] = {}  # each number -> the next word that is none
        for place in range(len(self._texts) - 1, -1, -1):
            if self._is(place, "number"):
                counted_by[place] = counted_by.get(place + 1, place + 1)
        for place in range(len(self._texts)):
            if not self._is(place, "number", "calendar") or (place in self._covered and not self._is_told(place)):
                continue
            counted = self._is(counted_by.get(place, place + 1), "span", "money")
            counted = counted or self._found[place].said[:1] in "$€£"
            if not self._may_be_counted(place, counted) or (
                self._is_told(place) and (counted or not self._is_for_anyone)
            ):
                yield Mark(place, place + self._is(place + 1, "span"), "detail")

    def _may_be_counted(self, place: int, counted: bool) -> bool:
        """A time or a number in a fact for everyone."""
        if self._is_fact_for_anyone and not self._is_told(place):
            return True
        if self._is_about_the_house or self._states_a_fact or (self._is_public and not self._is_told(place)):
            return True
        return not (counted or self._is_told(place) or self._is_somebodys or self._tells_of_the_past)

    @cached_property
    def _is_somebodys(self) -> bool:
        somebodys = ("tied", "event", "events", "staff", "relative", "you", "your")
        return any(self._is(at, *somebodys) for at in range(len(self._texts)))

    @cached_property
    def _tells_of_the_past(self) -> bool:
        return any(map(self._language.is_past, self._found))

    def _names(self) -> Iterator[Mark]:
        for place, text in enumerate(self._texts):
            if text in _first_names() and place not in self._covered and text not in self._house.own:
                yield Mark(place, place, "name", ENOUGH)
            then = self._text(place + 1)
            if then and then[0] != "<" and then not in self._house.own and self._addresses(place):
                yield Mark(place, place + 1, "name", ENOUGH)

    def _addresses(self, place: int) -> bool:
        """Whether somebody is called by a name after this word."""
        plain = self._is(place + 1, "general")
        if self._is(place, "title"):
            is_title = self._is(place, "always_title") or not (plain or self._is(place + 1, "compound"))
            return is_title and not self._found[place].ends and place + 1 not in self._covered
        if place == 0 and self._is(place, "greeting"):
            return not self._is(place + 1, "after_greeting")
        return self._is_thanks(place) and not plain and not self._is(place + 1, "after_thanks", "said", "adjective")

    def _is_thanks(self, place: int) -> bool:
        return self._is(place, "thanks") or (self._is(place, "you") and self._text(place - 1) == "thank")

    def _departments(self) -> Iterator[Mark]:
        """A department in a fact for everyone is no detail; in words to one person it is."""
        for place, text in enumerate(self._texts):
            for name, same in self._house.departments.get(text, ()):
                last = place + len(name) - 1
                if tuple(self._texts[place : last + 1]) == name and not self._is_for_everyone(place, last, same):
                    yield Mark(place, last, "detail")

    def _is_for_everyone(self, first: int, last: int, same: frozenset[str]) -> bool:
        if self._is_emergency_line or any(self._is(at, "desk") for at in range(first, last + 1)):
            return True
        if (self._is(first - 1, "generic") or self._text(last + 1) in ("departments", "rooms")) and not self._touches:
            return True
        if self._is_elsewhere(self._ties, first, last):
            return False
        return self._is_elsewhere(self._facts, first, last) or not any(map(self._told.names, same))

    @staticmethod
    def _is_elsewhere(places: Sequence[int], first: int, last: int) -> bool:
        """Whether one of these, in order, lies outside."""
        return bool(places) and (places[0] < first or places[-1] > last)

    @cached_property
    def _ties(self) -> Sequence[int]:
        return [place for place in range(len(self._texts)) if self._is(place, "tied")]

    @cached_property
    def _facts(self) -> Sequence[int]:
        return [place for place in range(len(self._texts)) if self._is_fact(place)]

    def _repeated(self) -> Iterator[Mark]:
        """What the post tells and replies in general do not."""
        if not self._told.roots or self._is_about_the_house or self._is_emergency_line:
            return
        if self._is_for_anyone and (self._states_a_fact or (self._told.of_nobody and self._is_fact_for_anyone)):
            return
        for place, text in enumerate(self._texts):
            said = text in (NUMBER, PHONE, EMAIL) or (len(text) > 2 and text[0] != "<")
            free = place in self._covered or text in self._house.own or self._is_general(place)
            if said and not free and self._is_told(place):
                yield Mark(place, place, "detail", CERTAIN if text in (PHONE, EMAIL) else ENOUGH)

    def _quoted(self) -> Iterator[Mark]:
        """Four words as the post has them."""
        if self._is_about_the_house:
            return
        for place in range(len(self._texts) - RUN + 1):
            run = tuple(self._texts[place : place + RUN])
            if run in self._told.runs and not all(self._is(at, "opening") for at in range(place, place + RUN)):
                yield Mark(place, place + RUN - 1, "detail", ENOUGH)

    def _is_general(self, place: int) -> bool:
        return self._is(place, "general") or root(self._found[place]) in self._language.general_roots

    def _is_asked(self, place: int) -> bool:
        return root(self._found[place]) in self._told.asked

    def _is_told(self, place: int) -> bool:
        return root(self._found[place]) in self._told.roots
