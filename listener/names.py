"""Whether a text may name us: the cheap question, for places that cannot search.

It lets through too much rather than too little; nlp/components/mentions.py then says exactly.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

from config.schema import Hospital

_SHORTEST = 6  # letters of a name that is also looked for in one piece, as in a hashtag


def names_us(hospital: Hospital) -> Callable[[str], bool]:
    """A function that says whether a text holds one of the hospital's names, handles or sites' names."""
    forms = sorted(set(_forms(hospital)), key=len, reverse=True)
    pattern = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, forms)) + r")(?!\w)")
    return lambda text: pattern.search(_plain(text)) is not None


def _forms(hospital: Hospital) -> Iterator[str]:
    names = [hospital.name, *hospital.aliases, *(alias for site in hospital.sites for alias in site.aliases)]
    # "St. Brigid ER": the name without its 's is ours beside one of our departments.
    bare = [alias[:-2] for alias in names if alias.endswith(("'s", "’s"))]
    names += [f"{alias} {word}" for alias in bare for word in _department_words(hospital)]
    names += [account for account in hospital.accounts.model_dump().values() if account]
    for name in names:
        plain = _plain(name).strip()
        squashed = plain.replace(" ", "")
        yield plain
        yield f"{plain}s"
        if len(squashed) >= _SHORTEST:
            yield squashed


def _department_words(hospital: Hospital) -> Iterator[str]:
    yield from (department for site in hospital.sites for department in site.departments)
    yield from (word for words in hospital.department_words.values() for word in words)


def _plain(text: str) -> str:
    """Without capitals, accents, apostrophes and signs; one space between words."""
    text = re.sub("['’‘`´ʼ]", "", text).casefold()
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.sub(r"[^\w]+|_+", " ", text)
