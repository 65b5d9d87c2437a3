"""Searches in X's language: made from hospital.toml, and divided where they are longer than X takes. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from config.schema import Hospital

MOST_PARTS = 20  # searches that one query may become: X allows 450 in 15 minutes
_MOST_PIECES = 400  # before they are put together again
_DEEPEST = 20  # brackets within brackets
_SHORTEST = 6  # letters of a name that is also looked for in one piece, as in a hashtag
_TOKEN = re.compile(r'\s+|(?P<open>-?\()|(?P<close>\))|(?P<term>(?:"[^"]*"|\[[^\]]*\]|[^\s()"])+)|(?P<odd>.)')


# ---------------------------------------------------------------- made from hospital.toml


def about(hospital: Hospital, mentions: bool) -> str:
    """The search for posts that name the hospital, without its own; `mentions`: also those to its account.

    A name is taken as it is written, also where it is one common word.
    """
    names = (hospital.name, *hospital.aliases, *(alias for site in hospital.sites for alias in site.aliases))
    forms: dict[tuple[str, ...], str] = {}
    for form in (form for name in names for form in _forms(name)):
        forms.setdefault(_words(form), form)
    # Who says "Saint Brigid Medical Center" also says "Saint Brigid Medical".
    needed = [form for words, form in forms.items() if words and not any(_holds(words, other) for other in forms)]
    account = hospital.accounts.x
    terms = [*map(_term, needed), *((f"@{account}", f"to:{account}") if account and mentions else ())]
    return f"({' OR '.join(terms)}) -from:{account}" if account else " OR ".join(terms)


def _forms(name: str) -> Iterator[str]:
    """A name as people write it: with and without apostrophes, and in one piece as a hashtag is."""
    name = name.replace('"', " ").strip()
    bare = re.sub("['’‘`´ʼ]", "", name)
    piece = "".join(re.findall(r"\w+", bare))
    yield name
    yield bare
    if len(piece) >= _SHORTEST:
        yield piece


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[\w'’]+", text.casefold()))


def _holds(words: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether the other words stand within these, and are not all of them."""
    starts = range(len(words) - len(others) + 1)
    return 0 < len(others) < len(words) and any(words[n : n + len(others)] == others for n in starts)


def _term(name: str) -> str:
    return name if re.fullmatch(r"\w+", name) and name.upper() not in ("OR", "AND") else f'"{name}"'


# ---------------------------------------------------------------- divided


@dataclass(frozen=True)
class _Group:
    """Alternatives in brackets."""

    alternatives: "tuple[_All, ...]"


_All = tuple["str | _Group", ...]  # terms as they are written, and groups: all must hold


def split(query: str, longest: int) -> tuple[str, ...]:
    """Searches of at most `longest` characters that find together what `query` finds, and nothing else.

    Its alternatives are divided among them: those between ORs, and those of "(a OR b) rest", each with the same rest.
    Raises ValueError with what X allows where that does not suffice.
    """
    if len(query) <= longest:
        return (query,)
    pieces = list(islice(_pieces(_Reading(query).whole(), longest), _MOST_PIECES + 1))
    parts = tuple(_together(pieces, longest)) if len(pieces) <= _MOST_PIECES else ()
    if not 0 < len(parts) <= MOST_PARTS:
        raise ValueError(f"a query that comes to at most {MOST_PARTS} searches; make two of this one")
    return parts


def _pieces(alternatives: Sequence[_All], longest: int) -> Iterator[str]:
    """Each alternative as one text that fits, or as several."""
    for one in alternatives:
        if len(_text(one)) <= longest:
            yield _text(one)
        else:
            yield from _distributed(one, longest)


def _distributed(terms: _All, longest: int) -> Iterator[str]:
    """ "(a OR b) rest" as "a rest" and "b rest", with as many alternatives in each as fit."""
    groups = [n for n, term in enumerate(terms) if isinstance(term, _Group)]
    if not groups:
        raise ValueError(f"at most {longest} characters, or an OR to divide it at: {_text(terms)[:40]!r}… has none")
    where = max(groups, key=lambda n: len(_text((terms[n],))))
    group, before, after = terms[where], terms[:where], terms[where + 1 :]
    assert isinstance(group, _Group)

    def with_rest(some: tuple[_All, ...]) -> _All:
        return (*before, *(some[0] if len(some) == 1 else (_Group(some),)), *after)

    taken: tuple[_All, ...] = ()
    for one in group.alternatives:
        if taken and len(_text(with_rest((*taken, one)))) > longest:
            yield from _pieces([with_rest(taken)], longest)
            taken = ()
        taken = (*taken, one)
    yield from _pieces([with_rest(taken)], longest)


def _together(pieces: list[str], longest: int) -> Iterator[str]:
    """As few searches as their order allows."""
    line = ""
    for piece in dict.fromkeys(pieces):
        longer = f"{line} OR {piece}" if line else piece
        if len(longer) > longest:
            yield line
            longer = piece
        line = longer
    yield line


def _text(terms: _All) -> str:
    return " ".join(
        term if isinstance(term, str) else f"({' OR '.join(map(_text, term.alternatives))})" for term in terms
    )


class _Reading:
    """A query as alternatives: a space (and) binds before OR."""

    def __init__(self, query: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        for token in _TOKEN.finditer(query):
            if token.lastgroup == "odd":
                raise ValueError("a partner for each quotation mark")
            if token.lastgroup:
                self._tokens.append((token.lastgroup, token.group()))
        self._next = 0

    def whole(self) -> tuple[_All, ...]:
        """The alternatives of the whole query. Raises ValueError."""
        found = self._alternatives(0)
        if self._next < len(self._tokens):
            raise ValueError('a "(" for each ")"')
        return found

    def _alternatives(self, depth: int) -> tuple[_All, ...]:
        found = [self._all(depth)]
        while self._peek() == ("term", "OR"):
            self._next += 1
            found.append(self._all(depth))
        return tuple(found)

    def _all(self, depth: int) -> _All:
        terms: list[str | _Group] = []
        while (token := self._peek()) and token != ("term", "OR") and token[0] != "close":
            self._next += 1
            terms.append(self._bracket(token[1], depth) if token[0] == "open" else token[1])
        if not terms:
            raise ValueError("a word on both sides of each OR and in each pair of brackets")
        return tuple(terms)

    def _bracket(self, opening: str, depth: int) -> str | _Group:
        if depth >= _DEEPEST:
            raise ValueError(f"brackets within at most {_DEEPEST} others")
        alternatives = self._alternatives(depth + 1)
        if self._peek() != ("close", ")"):
            raise ValueError('a ")" for each "("')
        self._next += 1
        group = _Group(alternatives)
        return f"-{_text((group,))}" if opening.startswith("-") else group  # X refuses "-(a OR b)" itself

    def _peek(self) -> tuple[str, str] | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None
