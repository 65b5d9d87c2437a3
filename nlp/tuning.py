"""What posts are read with, line by line, so that it can be told what was changed, and which posts hold changed words. Pure.

A line is the keys down to a value, and the value: ("categories", "billing", "phrases", "surprise bill").
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from config.schema import Config
from nlp.phrase_language import Name, PhraseError, check, parse, rarest_part
from nlp.phrases import Phrases
from nlp.tokenizer import blank, fold, visible

Line = tuple[str, ...]
RULES, MODEL = ("reader", "rules"), ("reader", "model")  # of these the value is a version
_LETTERS = 4  # of a word that are looked for before a text is cut into words
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


def _starts(phrase: str) -> Iterator[str]:
    """The first letters of a word that a text must hold, each perhaps drawn out, as patterns."""
    for sought in rarest_part(parse(phrase)):
        yield _BETWEEN.join(f"{re.escape(letter)}+" for letter in _plain(fold(sought.text))[:_LETTERS])


def _plain(text: str) -> str:
    folded = text.casefold()
    if folded.isascii():
        return folded
    return "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
