"""The phrase language of keywords.toml: what is written, taken apart. Pure; nlp/phrases.py looks for it.

waiting room        these words in this order         mom|dad             one of these
wait*               any ending                        wait~               any inflection: waits, waited, waiting
nobody ... came     up to five words in between       "ER"                exactly so, capitals and accents too
portal NEAR down    within five words of each other, either order; NEAR/8 within eight
portal NOT school   not in a post that holds school   portal site:Main    only in posts about this site
portal lang:es      only in posts in this language
"""

import difflib
import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, NoReturn

from config.schema import NotAmong
from nlp.tokenizer import fold, visible, words_of
from nlp.wordforms import forms

GAP, NEAR = 5, 5  # words that "..." stands for at most, and that NEAR without a number allows in between
FARTHEST = 20  # words that NEAR/n allows at most: farther apart two words have little to do with each other
_START = 3  # letters that a word before "*" or "~" has at least
_MOST_NEAR = 3  # of one phrase: each doubles the orders to look for
_PLAIN_FORMS = 256  # a phrase of alternatives with more forms than this is not written out
_SIGNS = 'a|b, any ending*, any form~, "exactly so", ..., NEAR, NOT, site: and lang:'
# Nobody writes these to a patient, and such a pattern can take for ever on a text made for it.
_REGEX = re.compile(r"[\\\[\](){}^]|\.\*|\.\+|\w[+]\w*[$*+]|\$$")
_CURLY = re.compile("[“”„‟«»]|(?<![^\\s|])[‘‚][^’|]{2,}’(?![^\\s|])")
_SINGLE = re.compile("(?<![^\\s|])'[^'|]{2,}'(?![^\\s|])")
_ITEM = re.compile(r'(?:"[^"]*"|[^\s"])+')
_BAR = re.compile(r'\|(?=(?:[^"]*"[^"]*")*[^"]*$)')  # outside quotes
_DOTS = re.compile(r"…|\.{2}")  # editors make one sign of three dots
_ALMOST = re.compile(r"(?i:(site|lang)(?:s:|uages?:|(?:s|uages?)?=))")
_OPERATOR = re.compile("NOT|NEAR(/.*)?")
_NO_OPERATOR = {"OR": "a|b for one of two", "AND": "a NEAR b"}
_CONDITION = re.compile(r"(site|lang):(.*)", re.IGNORECASE | re.DOTALL)
_INFLECTED = re.compile(r"(?:.*[^\w])?([^\W\d_]+)")  # of "co-pay" the end has forms

# The codes of two letters that posts are found to be in.
LANGUAGES = words_of(
    "af am an ar as az ba be bg bn br bs ca cs cy da de dz el en eo es et eu fa fi fo fr fy ga gd gl gu ha he hi hr ht hu",
    "hy id ig is it ja jv ka kk km kn ko ku ky la lb lg ln lo lt lv mg mk ml mn mr ms mt my ne nl nn no oc om or pa pl ps",
    "pt qu ro ru rw sa se si sk sl sn so sq sr st sv sw ta te tg th tk tl tr tt ug uk ur uz vi vo wa xh yo zh zu",
)
# What people write instead, where the first two letters do not tell.
_CALLED = {"sp": "es", "spa": "es", "spanish": "es", "german": "de", "ger": "de", "chinese": "zh", "chi": "zh"}

Kind = Literal["plain", "start", "forms", "exact"]


class PhraseError(ValueError):
    """A phrase that cannot be read; the message says why."""


class UnknownName(PhraseError, NotAmong):
    """A site or a language that there is not; `meant` is the one that was perhaps meant."""

    def __init__(self, allowed: str, choices: Collection[str], meant: str | None) -> None:
        NotAmong.__init__(self, allowed, choices)
        self.meant = meant


class Name(str):
    """Words that are looked for as they stand: no sign in them means anything. For names of places."""

    __slots__ = ()


@dataclass(frozen=True)
class Word:
    """One way to say a word of a phrase, without its sign."""

    text: str
    kind: Kind = "plain"

    @property
    def written(self) -> tuple[str, ...]:
        """The words that it stands for: itself, or all its forms."""
        return _forms(self.text) if self.kind == "forms" else (self.text,)


Part = tuple[Word, ...]  # one of these
Piece = tuple[Part, ...]  # one after the other
Side = tuple[Piece, ...]  # with up to GAP words in between


@dataclass(frozen=True)
class Phrase:
    """A phrase, taken apart."""

    sides: tuple[Side, ...]  # more than one: near each other
    within: tuple[int, ...] = ()  # how near each side is to those before it, in words
    without: tuple[Side, ...] = ()  # in no post that holds one of these
    site: str | None = None  # as written
    language: str | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether the post as a whole decides too."""
        return bool(self.without or self.site or self.language)

    @property
    def words(self) -> "Phrase":
        """The phrase without what narrows it to some posts: it is found in all that the phrase is found in, and more."""
        return replace(self, without=(), site=None, language=None) if self.is_narrowed else self

    @property
    def parts(self) -> Iterator[Part]:
        """Every word of which a post must hold one way to say it."""
        return itertools.chain.from_iterable(piece for side in self.sides for piece in side)


# ---------------------------------------------------------------- reading


def parse(phrase: str) -> Phrase:
    """What a phrase says. Raises PhraseError."""
    if isinstance(phrase, Name):
        if not phrase.split():
            raise PhraseError("a name with a letter in it")
        return Phrase(((tuple((Word(word),) for word in phrase.split()),),))
    return _parsed(phrase)


def check(phrase: str) -> None:
    """Raises PhraseError for a phrase that cannot be read, would match everything or never anything."""
    parse(phrase)


def check_site(phrase: str, sites: Mapping[str, Collection[str]]) -> None:
    """Raises UnknownName for a phrase that names none of these sites. `sites`: the name of each with its aliases."""
    parsed = parse(phrase)
    if parsed.site is None:
        return
    known, called = sites_of(sites), folded(parsed.site)
    if called not in known:
        allowed = f"a site of hospital.toml: {', '.join(sites)}" if sites else "no site:, as hospital.toml names none"
        # A word of a name is often all that is written of it.
        near = {word: name for spelling, name in known.items() for word in (*spelling.split(), spelling)}
        close = difflib.get_close_matches(called, near, 1)
        raise UnknownName(allowed, list(sites), near[close[0]] if close else None)


def sites_of(sites: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Folded spelling -> name, for the names of sites and their aliases."""
    spelled = [(folded(spelling), name) for name, aliases in sites.items() for spelling in (name, *aliases)]
    return dict(reversed(spelled))  # the first that is called so


def folded(name: str) -> str:
    """A name without capitals, accents, and the shape of blanks."""
    return " ".join(fold(word) for word in visible(name).split())


@lru_cache(maxsize=20_000)
def _parsed(phrase: str) -> Phrase:
    phrase = visible(phrase).strip()
    _check_signs(phrase)
    groups: list[list[str]] = [[]]  # the words, then those of each NOT
    conditions: dict[str, str] = {}
    is_open = True  # more words may follow
    for item in _ITEM.findall(phrase):
        if match := _CONDITION.fullmatch(item):
            key, value = match[1].lower(), _unquoted(match[2]).strip()
            if not value:
                _refuse(f"{item!r} without a name: write it without a blank, as {_example(key)}")
            if key in conditions:
                _refuse(f"{key}: stands once; write two phrases")
            conditions[key] = value
            is_open = False
        elif item == "NOT":
            groups.append([])
            is_open = True
        elif not is_open:
            blanks = ', and a name with blanks in quotes, as site:"Main Campus"' if "site" in conditions else ""
            _refuse(f"{item!r} after {next(reversed(conditions))}: words come first{blanks}")
        else:
            groups[-1].append(item)
    words, *excluded = groups
    if not words:
        _refuse("a word to look for: NOT, site: and lang: only narrow what words find")
    sides, within = _near(words)
    without = tuple(_excluded(group) for group in excluded)
    for side, group in zip(without, excluded, strict=True):
        if any(_covers_side(side, one) for one in sides):
            _refuse(f"never matches: every post with these words also holds {' '.join(group)!r}, which NOT excludes")
    return Phrase(sides, within, without, conditions.get("site"), _language(conditions.get("lang")))


def _refuse(why: str) -> NoReturn:
    raise PhraseError(why)


def _example(key: str) -> str:
    return 'site:Main or site:"Main Campus"' if key == "site" else "lang:es"


def _check_signs(phrase: str) -> None:
    """Raises PhraseError for what means nothing here, or something else than its writer thinks."""
    if _CURLY.search(phrase):
        _refuse('straight quotation marks "…"; these are curly')
    if phrase.count('"') % 2:
        _refuse('quotation marks in pairs, as "ER"; one is open')
    bare = re.sub(r'"[^"]*"', '""', phrase)
    if found := _SINGLE.search(bare):
        _refuse(f"double quotation marks around a word that is meant exactly so, not {found[0]}; in the file: '\"ER\"'")
    if _REGEX.search(bare):
        _refuse(f"{phrase!r} looks like a regular expression; phrases know only these signs: {_SIGNS}")
    _check_operators(bare)


def _check_operators(bare: str) -> None:
    """Raises PhraseError for signs of other search languages, and where it cannot be told what is a sign."""
    items = bare.split()
    for item in items:
        if re.fullmatch(r"(?i:near)[/:]?[0-9]+", item) and not item.startswith("NEAR/"):
            _refuse(f"NEAR/8 in place of {item!r}")
        if re.fullmatch(r"[-!][^\W\d_].*", item):
            _refuse(f"NOT {item[1:]} in place of {item!r}")
        if item != "..." and _DOTS.search(item):
            _refuse(f'"..." as three dots with a blank on both sides, as nobody ... came, not {item!r}')
        if match := _ALMOST.match(item):
            _refuse(f"{match[1][:4].lower()}: in place of {match[0]!r}")
    words = [item for item in items if any(map(str.isalpha, item)) and not _CONDITION.fullmatch(item)]
    spoken = [item for item in words if not _OPERATOR.fullmatch(item) and item not in _NO_OPERATOR]
    if '""' in bare or not all(map(str.isupper, spoken)):
        for item, instead in _NO_OPERATOR.items():
            if item in items:
                _refuse(f"{instead} in place of {item}, or {item.lower()!r} in small letters for the word")
    elif spoken and any(map(_OPERATOR.fullmatch, items)):
        _refuse("the words in small letters, so that it can be told whether NOT and NEAR are words or signs")


def _near(items: list[str]) -> tuple[tuple[Side, ...], tuple[int, ...]]:
    """The words before the first NOT: sides, and how near they are."""
    groups: list[list[str]] = [[]]
    within = []
    for item in items:
        if match := re.fullmatch(r"NEAR(?:/(.*))?", item):
            within.append(_distance(item, match[1]))
            groups.append([])
        else:
            groups[-1].append(item)
    if not all(groups):
        _refuse("NEAR stands between two words")
    if len(within) > _MOST_NEAR:
        _refuse(f"NEAR at most {_MOST_NEAR} times in one phrase")
    sides = tuple(_side(group) for group in groups)
    for side in sides if within else ():
        if any(not re.search(r"[^\W_]", word.text) for piece in side for part in piece for word in part):
            _refuse("words with letters or digits on both sides of NEAR")
    return sides, tuple(within)


def _distance(item: str, written: str | None) -> int:
    if written is None:
        return NEAR
    if not re.fullmatch("[0-9]{1,4}", written) or not 1 <= int(written) <= FARTHEST:
        _refuse(f"NEAR/1 to NEAR/{FARTHEST}, not {item!r}")
    return int(written)


def _excluded(items: list[str]) -> Side:
    if not items:
        _refuse("words after NOT")
    if any(re.fullmatch(r"NEAR(/.*)?", item) for item in items):
        _refuse("NEAR before NOT: what is excluded is words alone")
    return _side(items)


def _side(items: list[str]) -> Side:
    pieces: list[list[Part]] = [[]]
    for item in items:
        if item == "...":
            pieces.append([])
        else:
            pieces[-1].append(_part(item))
    if not all(pieces):
        _refuse('"..." stands between two words')
    return tuple(map(tuple, pieces))


def _part(item: str) -> Part:
    return tuple(_word(word) for word in _BAR.split(item))


def _word(word: str) -> Word:
    if not word:
        _refuse("an empty word: write a|b without spaces, and something on both sides")
    if '"' in word:
        if not (quoted := re.fullmatch('"([^"]*)"', word)):
            _refuse(f"quotation marks around whole words, and no sign beside them: not {word}")
        if not (text := " ".join(quoted[1].split())):
            _refuse("something between the quotation marks")
        return Word(text, "exact")
    sign = word[-1] if word[-1] in "*~" else ""
    text = word[: len(word) - len(sign)]
    if "*" in word and "~" in word:
        _refuse(f'{word!r}: "*" or "~", not both')
    for one, kind in (("*", "an ending"), ("~", "the forms of a word")):
        if one in text:
            _refuse(f'{word!r}: "{one}" stands once, at the end of a word, for {kind}')
    if not sign:
        return Word(word)
    if len(fold(text)) < _START:
        _refuse(f'{word!r} would match too much: at least three letters before "{sign}"')
    if sign == "*":
        return Word(text, "start")
    if not (inflected := _INFLECTED.fullmatch(fold(text))) or forms(inflected[1]) == {inflected[1]}:
        _refuse(f'{word!r}: "~" knows the forms of English words and some Spanish ones; write them as a|b')
    return Word(text, "forms")


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _language(written: str | None) -> str | None:
    if written is None:
        return None
    code = written.lower()
    if code in LANGUAGES:
        return code
    meant = _CALLED.get(code, code[:2])
    allowed = "the two letters of a language, such as lang:en or lang:es"
    raise UnknownName(allowed, LANGUAGES, meant if meant in LANGUAGES else None)


def _forms(word: str) -> tuple[str, ...]:
    plain = fold(word)
    inflected = _INFLECTED.fullmatch(plain)
    assert inflected  # else _word had refused it
    head = plain[: len(plain) - len(inflected[1])]
    return tuple(sorted((head + form for form in forms(inflected[1])), key=lambda form: (form != plain, form)))


# ---------------------------------------------------------------- what it comes to


def plain_forms(side: Side) -> set[str] | None:
    """Every plain way to say a side, hyphens too; None when it has other signs, or too many ways."""
    if len(side) > 1 or any(word.kind in ("start", "exact") for part in side[0] for word in part):
        return None
    parts = ([way for word in part for way in word.written] for part in side[0])
    ways = {" ".join(words) for words in itertools.islice(itertools.product(*parts), _PLAIN_FORMS + 1)}
    if len(ways) > _PLAIN_FORMS:
        return None
    return ways | {form.replace(" ", "-") for form in ways if form.count(" ") in (1, 2)}


@dataclass(frozen=True)
class Sought:
    """A word, or how one begins."""

    text: str
    any_ending: bool = False


def rarest_part(phrase: Phrase) -> list[Sought]:
    """The ways to write the part of a phrase that the fewest posts hold, as far as the length of its words tells."""
    ways = ([sought for word in part for sought in _sought(word)] for part in phrase.parts)
    return max(ways, key=lambda part: min(len(sought.text) + sought.any_ending for sought in part))


def _sought(word: Word) -> Iterator[Sought]:
    if word.kind == "exact":
        yield Sought(max(word.text.split(), key=len))
    else:
        yield from (Sought(text, word.kind == "start") for text in word.written)


def covers(general: Phrase, special: Phrase) -> bool:
    """Whether every post that `special` is found in is one that `general` is found in, as far as can be told for certain."""
    for condition, same in ((general.site, special.site), (general.language, special.language)):
        if condition is not None and (same is None or folded(condition) != folded(same)):
            return False
    if not set(general.without) <= set(special.without):
        return False
    if len(general.sides) == 1:
        return any(_covers_side(general.sides[0], side) for side in special.sides)
    sides = zip(general.sides, special.sides, strict=False)
    return (
        len(general.sides) == len(special.sides)
        and all(mine >= theirs for mine, theirs in zip(general.within, special.within, strict=True))
        and all(_covers_side(mine, theirs, whole=True) for mine, theirs in sides)
    )


def _covers_side(general: Side, special: Side, *, whole: bool = False) -> bool:
    if len(general) == 1 and not whole:
        return any(_stands_in(general[0], piece) for piece in special)
    pieces = zip(general, special, strict=False)
    return len(general) == len(special) and all(len(a) == len(b) and _stands_in(a, b) for a, b in pieces)


def _stands_in(general: Piece, special: Piece) -> bool:
    for start in range(len(special) - len(general) + 1):
        if all(_covers_part(*parts) for parts in zip(general, special[start:], strict=False)):
            return True
    return False


def _covers_part(general: Part, special: Part) -> bool:
    mine = [(way, word.kind) for word in general for way in word.written]
    theirs = [(way, word.kind) for word in special for way in word.written]
    return all(any(_covers_word(*one, *other) for one in mine) for other in theirs)


def _covers_word(mine: str, kind: Kind, theirs: str, their_kind: Kind) -> bool:
    if kind == "exact":
        return their_kind == "exact" and mine == theirs
    if kind == "start":
        return fold(theirs).startswith(fold(mine))
    return their_kind != "start" and fold(mine) == fold(theirs)
