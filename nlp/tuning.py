"""What posts are read with, line by line, so that it can be told what was changed, and which posts that may touch. Pure.

A line is the keys down to a value, and the value: ("categories", "billing", "phrases", "surprise bill").
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from config.schema import Config, Hospital
from nlp.components.mentions import names_of, spellings
from nlp.heads import TOPICS
from nlp.phrase_language import Name, PhraseError, check, parse, rarest_part
from nlp.phrases import Phrases
from nlp.tokenizer import blank, fold, visible

Line = tuple[str, ...]
RULES, MODEL = ("reader", "rules"), ("reader", "model")  # of these the value is a version
_LETTERS = 4  # of a word that are looked for before a text is cut into words
_PIECE = re.compile(r"[^\W\d_]+|\d+")
_BETWEEN = "['’‘`´ʼ]*"  # what may stand between two letters of one word


def lines(config: Config, rules: str, model: str | None) -> list[Line]:
    """Everything that decides how a post is read, sorted; the program's rules and its model by their versions."""
    hospital = config.hospital.model_dump(exclude={"coverage", "timezone"})
    hospital["sites"] = [one for site in hospital["sites"] for one in (site["name"], {site.pop("name"): site})]
    # Examples of a topic teach the reader, those of the other tables only test its phrases.
    keywords = config.keywords.model_dump(exclude={"reader": True, "categories": {"__all__": {"title", "owner"}}})
    for table in ("urgency", "voices", "signs"):
        for one in keywords[table].values():
            del one["match"], one["no_match"]
    # A topic without a word of its own is one too: the model may know it.
    keywords["categories"] = [
        {name: values} if any(values.values()) else name for name, values in keywords["categories"].items()
    ]
    return sorted({*_flat({"hospital": hospital, **keywords}), (*RULES, rules), (*MODEL, model or "")})


def _flat(value: object, keys: Line = ()) -> Iterator[Line]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, (*keys, str(key)))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _flat(inner, keys)
    else:
        yield (*keys, str(value))


def phrases_of(where: Line, words: Iterable[str]) -> list[str]:
    """The words of a list as phrases that can be looked for in posts; none of a list that holds something else."""
    if where[0] == "hospital":  # a name: no sign means anything there
        is_name = where[1] in ("name", "department_words") or where[-1] in ("aliases", "not_us", "departments")
        words = [Name(re.sub(r"[|*]|\.\.\.", " ", word).strip()) for word in words] if is_name else ()
    elif where[-1] != "phrases":
        words = ()
    return [word for word in words if _can_be_read(word)]


def _can_be_read(phrase: str) -> bool:
    try:
        check(phrase)
    except PhraseError:
        return False
    return True


class Seeker:
    """Looks for phrases in many texts as the reader does; a text without their first letters costs next to nothing.

    Of a text nothing is known but its words: NOT, site: and lang: are left out of account, so it finds what the reader finds, and more.
    """

    def __init__(self, phrases: Mapping[str, Iterable[str]]) -> None:
        """`phrases`: label -> phrases. Raises PhraseError."""
        self._language = blank()
        listed = {label: list(found) for label, found in phrases.items()}
        self._phrases = Phrases(self._language, listed, narrowed=False)
        starts = {start for found in listed.values() for phrase in found for start in _starts(phrase)}
        self._smells = re.compile("|".join(sorted(starts)) or "(?!)")

    def may_hold(self, text: str) -> bool:
        """False for a text that holds none of them for certain."""
        return bool(self._smells.search(_plain(visible(text))))

    def __call__(self, text: str) -> set[str]:
        """The labels of the phrases that it holds."""
        return {span.label_ for span in self._phrases(self._language.make_doc(visible(text)))}


class Difference:
    """What other lines change: nothing, how texts are read that hold certain words, or how every text is read.

    A text that is not touched reads the same with both, all that is found in it and every reason.
    """

    def __init__(self, old: Iterable[Line], new: Iterable[Line]) -> None:
        """`old` and `new`: what texts are read with, see `lines`."""
        before, after = frozenset(old), frozenset(new)
        # Which site a post is about, its words need not say: see Text.place.
        of_sites = before ^ after if any(map(_of_a_site, before | after)) else frozenset()
        is_for_all = any(line[:2] == ("hospital", "sites") for line in of_sites)
        self.touches_all = is_for_all or _for_all(before) != _for_all(after)
        changed = {}
        if not self.touches_all:
            try:  # names apart from phrases: what is a sign in these is none in those
                changed = {"names": _names(before) ^ _names(after), "phrases": _worded(before) ^ _worded(after)}
            except (
                ValueError,
                KeyError,
            ):  # written down by a program that knew other keys: reading must not stop there
                self.touches_all = True
        sought = {kind: sorted({phrase for _, phrase in found}) for kind, found in changed.items() if found}
        self._seeker = Seeker(sought) if sought else None

    def __bool__(self) -> bool:
        """Whether any text may read otherwise."""
        return self.touches_all or self._seeker is not None

    def touches(self, text: str) -> bool:
        """Whether this text may read otherwise."""
        if self._seeker is None:
            return self.touches_all
        return self._seeker.may_hold(text) and bool(self._seeker(text))


def _for_all(lines: frozenset[Line]) -> set[Line]:
    """The lines that may change how any text is read."""
    found = {line for line in lines if line[0] == RULES[0]}
    if (*MODEL, "") not in found:  # the model looks for the topics that it knows, and compares with examples of others
        topics = [line for line in lines if line[0] == "categories"]
        found |= {line[:2] for line in topics if line[1] in TOPICS.labels}
        found |= {line for line in topics if line[1] not in TOPICS.labels and line[-2] in ("match", "no_match")}
    return found


def _of_a_site(line: Line) -> bool:
    """Whether it is a phrase for the posts of one site alone: "portal site:Main"."""
    return line[0] != "hospital" and line[-2] == "phrases" and "site:" in line[-1].casefold()


def _worded(lines: frozenset[Line]) -> set[tuple[Line, str]]:
    """Every phrase of keywords.toml with all that its effect depends on."""
    signs: dict[str, list[str]] = {}
    for _, name, *more in sorted(line for line in lines if line[0] == "signs"):
        signs.setdefault(name, []).extend([] if more[0] == "phrases" else more)
    return {
        ((*line[:-1], *(signs[line[1]] if line[0] == "signs" else ())), line[-1])
        for line in lines
        if line[0] != "hospital" and line[-2] == "phrases"
    }


def _names(lines: frozenset[Line]) -> set[tuple[Line, str]]:
    """Every way to write a name of ours, of another, or of a department, with what it stands for."""
    hospital = _hospital(lines)
    found = names_of(hospital)
    us = found["names"].pop(hospital.name)  # whatever it is called
    forms: dict[Line, Iterable[str]] = {("us",): us, ("not us",): found["not_us"]}
    forms |= {("site", name): written for name, written in found["names"].items()}
    forms |= {("department", name): written for name, written in found["departments"].items()}
    return {(what, form) for what, written in forms.items() for form in spellings(written) if form}


def _hospital(lines: frozenset[Line]) -> Hospital:
    values: dict[str, Any] = {"name": "", "town": "", "aliases": [], "not_us": [], "accounts": {}}
    sites: dict[str, dict[str, Any]] = {}
    words: dict[str, list[str]] = {}
    for _, key, *rest in (line for line in sorted(lines) if line[0] == "hospital"):
        match key, rest:
            case "sites", [name]:
                sites[name] = {"name": name, "aliases": [], "departments": []}
            case "sites", [name, what, word]:
                sites[name][what].append(word)
            case "department_words", [name, word]:
                words.setdefault(name, []).append(word)
            case "accounts", [place, account]:
                values["accounts"][place] = account
            case (("aliases" | "not_us"), [word]):
                values[key].append(word)
            case _, [word]:
                values[key] = word
    return Hospital(timezone="UTC", sites=list(sites.values()), department_words=words, **values)


def _starts(phrase: str) -> Iterator[str]:
    """The first letters of a word that a text must hold, each perhaps drawn out, as patterns."""
    for sought in rarest_part(parse(phrase)):
        plain = _plain(fold(sought.text))
        # The tokenizer cuts at signs and between digits and letters, so there a text may have a space: "24/7", "24 / 7".
        start = max(_PIECE.findall(plain), key=len, default=plain)
        yield _BETWEEN.join(f"{re.escape(letter)}+" for letter in start[:_LETTERS])


def _plain(text: str) -> str:
    folded = text.casefold().replace("´", "'")  # taken apart it would be a blank and an accent: "can´t"
    if folded.isascii():
        return folded
    return "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
