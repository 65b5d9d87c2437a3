"""Words and phrases that stand in more texts than before: log-odds with an informative Dirichlet prior. Pure.

Monroe, Colaresi and Quinn, "Fightin' Words" (2008): the odds of a phrase now against those before, both drawn towards what
they have together, divided by how unsure that is. A text counts once for a phrase, however often it stands there, and
copies of a text count once.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from itertools import chain, islice, pairwise
from pathlib import Path
from runpy import run_path
from statistics import NormalDist
from unicodedata import normalize

_LEAST = 3  # texts with a phrase that rose
_CLEAR = 2.5  # deviations at least
_PRIOR = 0.25  # of all texts, now and before, so many does the prior weigh as much as
_SAME = 0.5  # of the texts of one phrase that have another one too: then one of the two tells of both
_COPY = 12  # words at the beginning that tellings of one story share; two people may write a shorter text
ENOUGH = 30  # texts before: fewer do not tell what was usual

# Vowels and accents that scripts write as characters of their own, which \w leaves out.
_ABOVE = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0903\u093a-\u094f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
_TOKENS = re.compile(rf"[\w{_ABOVE}]+(?:['-][\w{_ABOVE}]+)*|[^\w\s]+|\n")
_MARK = re.compile(r"\[[a-z-]{3,10}\]")  # what redaction put in
_APOSTROPHES = str.maketrans("’‘ʼ", "'''")
_SPLIT = " \n "
# Stop words of spaCy that say something in a hospital.
_TELLING = {"back", "bottom", "call", "empty", "front", "full", "move", "name", "serious", "side", "top"}

_HALVES = {"ca", "wo", "ai"}  # of can't, won't and ain't

Text = tuple[int, list[str]]  # the id of the mention, and its words with what stands between them
_Gram = tuple[str, ...]


@dataclass(frozen=True)
class Risen:
    """A phrase, in how many texts it stands now and stood before, how many deviations apart that is, and the ids now."""

    phrase: str
    now: int
    before: int
    z: float
    ids: Sequence[int]


def different(texts: Iterable[tuple[int, str]], own_names: Sequence[str]) -> list[Text]:
    """The texts cut into words, without our own names and redaction marks; copies left out."""
    own = _pattern_of(own_names)
    found: dict[object, Text] = {}
    for id_, text in texts:
        bare = _MARK.sub(_SPLIT, _folded(text))
        tokens = _TOKENS.findall(own.sub(_SPLIT, bare) if own else bare)
        words = list(islice((token for token in tokens if _is_word(token) and token != "rt"), _COPY))  # noqa: S105  # a word
        found.setdefault(tuple(words) if len(words) == _COPY else id_, (id_, tokens))
    return list(found.values())


def risen(now: Sequence[Text], before: Sequence[Text], own_names: Sequence[str] = ()) -> list[Risen]:
    """Phrases of one to three words that are new or up, the clearest first; none while there is too little to compare.

    A phrase swallows its parts, and phrases that stand in mostly the same texts are told once.
    """
    if len(before) < ENOUGH:
        return []
    own = {word for name in own_names for word in _words(name)}
    counts = Counter(chain.from_iterable(set(_grams(tokens)) for _, tokens in now))
    telling = {gram for gram, count in counts.items() if count >= _LEAST and _tells(gram, own)}
    earlier = Counter(chain.from_iterable(telling.intersection(_grams(tokens)) for _, tokens in before))
    z = {gram: _z(counts[gram], len(now), earlier[gram], len(before)) for gram in telling}
    up = {gram for gram in telling if z[gram] >= _clear(len(telling))}
    ids: dict[_Gram, list[int]] = {gram: [] for gram in up}
    for id_, tokens in now:
        for gram in up.intersection(_grams(tokens)):
            ids[gram].append(id_)
    order = sorted(up, key=lambda gram: (-z[gram], -len(gram), gram))
    return [Risen(" ".join(gram), counts[gram], earlier[gram], z[gram], ids[gram]) for gram in _told_once(order, ids)]


def _z(now: int, texts: int, before: int, texts_before: int) -> float:
    """Deviations of the log-odds of a phrase in a text now against before; 0 for one that is not up."""
    if now * texts_before <= before * texts:
        return 0.0
    prior, of = _PRIOR * (now + before), _PRIOR * (texts + texts_before)
    ours, theirs = now + prior, before + prior
    odds = math.log(ours / (texts + of - ours)) - math.log(theirs / (texts_before + of - theirs))
    return odds / math.sqrt(1 / ours + 1 / theirs)


def _clear(phrases: int) -> float:
    """Deviations beyond which, of so many phrases, chance brings one at most."""
    return max(_CLEAR, NormalDist().inv_cdf(1 - 1 / phrases)) if phrases > 1 else _CLEAR


def _grams(tokens: Sequence[str]) -> Iterable[_Gram]:
    return chain(zip(tokens, strict=True), pairwise(tokens), zip(tokens, tokens[1:], tokens[2:], strict=False))


def _told_once(order: Sequence[_Gram], ids: Mapping[_Gram, Sequence[int]]) -> list[_Gram]:
    """Longer phrases instead of their parts where they stand in most of the same texts; else the clearest of both."""
    texts = {gram: set(found) for gram, found in ids.items()}
    kept: list[_Gram] = []
    for gram in order:
        is_told = any(len(texts[gram] & texts[other]) >= _SAME * len(texts[gram]) for other in kept)
        if not is_told and not any(_swallows(longer, gram, texts) for longer in order):
            kept.append(gram)
    return kept


def _swallows(longer: _Gram, part: _Gram, texts: Mapping[_Gram, set[int]]) -> bool:
    within = len(longer) > len(part) and f" {' '.join(part)} " in f" {' '.join(longer)} "
    return within and len(texts[longer]) >= _SAME * len(texts[part])


def _tells(gram: _Gram, own: set[str]) -> bool:
    """Whether a phrase may rise: words only, no empty one at either end, and not our own name."""
    if not all(map(_is_word, gram)) or _is_empty(gram[0]) or _is_empty(gram[-1]):
        return False
    return not own.issuperset(word.removesuffix("'s") for word in gram)


def _is_word(token: str) -> bool:
    return token[0].isalnum()


@lru_cache(maxsize=20_000)
def _is_empty(word: str) -> bool:
    """A stop word, a number, a single letter."""
    stop = _stop_words()
    stem = word.removesuffix("n't").partition("'")[0]
    return len(word) < 2 or word in stop or stem in stop or stem in _HALVES or not any(map(str.isalpha, word))


@cache
def _stop_words() -> frozenset[str]:
    """spaCy's lists of English and Spanish, read from their files: to import them loads all of spaCy, a second."""
    spacy = find_spec("spacy")
    folders = [Path(folder) / "lang" for folder in (spacy and spacy.submodule_search_locations) or ()]
    lists = [folder / language / "stop_words.py" for folder in folders for language in ("en", "es")]
    return frozenset[str]().union(*(run_path(str(path))["STOP_WORDS"] for path in lists)) - _TELLING


def _words(name: str) -> list[str]:
    return [token.removesuffix("'s") for token in _TOKENS.findall(_folded(name)) if _is_word(token)]


def _folded(text: str) -> str:
    return normalize("NFC", text).casefold().translate(_APOSTROPHES)


def _pattern_of(names: Sequence[str]) -> re.Pattern[str] | None:
    """Our own names, the longest first, with 's or without."""
    known = sorted({r"\W{1,3}".join(map(re.escape, _words(name))) for name in names if _words(name)}, key=len)
    return re.compile(rf"\b(?:{'|'.join(reversed(known))})(?:'?s)?\b") if known else None
