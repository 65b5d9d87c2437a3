"""Query: what somebody looks for, understood from what they typed. Any text is a query, and none is a mistake. Pure.

parking garage          both words, in any of their forms
"parking garage"        these words side by side, as they are written
garage OR lot           one of them
-valet                  not this one
"""

import re
from dataclasses import dataclass
from itertools import islice

from nlp.wordforms import WORD, fold, forms

_TYPED, _TERMS = 1000, 20  # characters and terms of a query that are looked at; nobody remembers more of a post
_QUOTES = str.maketrans(dict.fromkeys("“”„«»", '"'))  # as phones type them
_TERM = re.compile(r'(-*)(?:"([^"]*)"?|([^\s"]+))')


@dataclass(frozen=True)
class Term:
    """Folded words that stand side by side as they are; a single one that is not `exact` in any of its forms."""

    words: tuple[str, ...]
    exact: bool

    @property
    def forms(self) -> frozenset[str]:
        """Every way to write a single word; none for several."""
        if len(self.words) > 1:
            return frozenset()
        return frozenset(self.words) if self.exact else forms(self.words[0])

    def __str__(self) -> str:
        words = " ".join(self.words)
        return f'"{words}"' if self.exact else words


@dataclass(frozen=True)
class Query:
    """Posts with one term of each group in `wanted`, and with none of `unwanted`."""

    wanted: tuple[tuple[Term, ...], ...] = ()
    unwanted: tuple[Term, ...] = ()
    typed: bool = False  # something was asked for, though there may be no word in it: "👍"

    @property
    def is_wordless(self) -> bool:
        """Whether something was typed in which there is nothing to look for."""
        return self.typed and not (self.wanted or self.unwanted)

    def __str__(self) -> str:
        wanted = (" OR ".join(map(str, group)) for group in self.wanted)
        return " ".join([*wanted, *(f"-{term}" for term in self.unwanted)])


def understood(text: str) -> Query:
    """The query that a text is."""
    wanted: list[tuple[Term, ...]] = []
    unwanted: list[Term] = []
    joins = False
    for minus, quoted, plain in islice(_TERM.findall(text[:_TYPED].translate(_QUOTES)), 4 * _TERMS):
        if plain in ("AND", "OR") and not minus:
            joins = plain == "OR" and bool(wanted)
            continue
        words = tuple(WORD.findall(fold(quoted or plain)))
        if not words:
            continue
        term = Term(words, exact=bool(quoted) or len(words) > 1)
        if minus:
            unwanted.append(term)
        elif joins:
            wanted[-1] += (term,)
        else:
            wanted.append((term,))
        joins = False
        if sum(map(len, wanted)) + len(unwanted) == _TERMS:
            break
    return Query(tuple(wanted), tuple(unwanted), typed=bool(text.strip()))
