"""The index of the words of what was kept: SQLite's FTS5, and the only place that speaks to it.

Migration 0004 makes it, and its triggers keep it in step with the readings, in their transactions. A word that leaves
it is at first only marked as gone; `tidy` writes the index anew, a little at a time, so that no byte of it is left.
FTS5's own secure-delete would need SQLite 3.42, and no older one could open the file any more.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, literal_column, table, text
from sqlmodel import Session, col, select

from alerts.case import WAITING, Case, State
from alerts.query import Query, Term
from alerts.verdict import Verdict
from listener.errors import NeedsPerson
from listener.mention import Mention

Facets = Mapping[str, str]  # what a search is narrowed by, and to which value: {"urgency": "danger"}
FACETS = {"urgency": "0u", "kind": "0k", "source": "0p", "site": "0s", "category": "0c"}  # as in migration 0004

_EVERY = "0a"
_AHEAD = timedelta(days=1)  # so far ahead of ours the clocks of a place may be
_LAST = "\U0010ffff"
_PAGES, _STEPS = 200, 25  # of the index that are written at once, in about 25 ms, and how often in a pass of the flow
_ROWID: Any = literal_column("search.rowid", Integer)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def matches(
    session: Session,
    query: Query,
    facets: Facets,
    most: int,
    since: datetime | None = None,
    states: Collection[State] | None = None,
) -> list[tuple[int, float]]:
    """The newest mentions that fit, at most `most`, and for each how well: the less the better (bm25).

    `since` is when they were written, `states` those of the case that they belong to.
    """
    found = _narrowed(session, _found(session, query, facets), since, states)
    found = found.add_columns(literal_column("bm25(search, 1.0, 0.0)")).limit(most)
    return [(id_, score) for id_, score in session.execute(found)]


def newest(
    session: Session,
    query: Query,
    facets: Facets,
    most: int,
    since: datetime | None = None,
    states: Collection[State] | None = None,
) -> list[int]:
    """The same without how well they fit, which is quicker."""
    return list(session.scalars(_narrowed(session, _found(session, query, facets), since, states).limit(most)))


def since_number(session: Session, query: Query, facets: Facets, first: int, most: int) -> list[int]:
    """The newest mentions that fit, no older than the one with number `first`."""
    return list(session.scalars(_found(session, query, facets).where(first <= _ROWID).limit(most)))


def _found(session: Session, query: Query, facets: Facets) -> Any:
    _only_sqlite(session)
    match = text("search MATCH :match").bindparams(match=_match(query, facets))
    return select(_ROWID).select_from(table("search")).where(match).order_by(_ROWID.desc())


def _narrowed(session: Session, found: Any, since: datetime | None, states: Collection[State] | None) -> Any:
    if since is not None:
        # Mentions are numbered as they are heard, and are heard after they were written: a bound that FTS5 can use.
        heard = select(Mention.id).where(Mention.heard_at >= since - _AHEAD).order_by(col(Mention.heard_at)).limit(1)
        written = select(Mention.written_at).where(col(Mention.id) == _ROWID).scalar_subquery()
        found = found.where((session.exec(heard).first() or 0) <= _ROWID, written >= since)
    if states is not None:
        of_case = select(Verdict.mention_id).where(Verdict.case_id == Case.id, col(Case.state).in_(states))
        if set(states) <= set(WAITING):
            # Few: they are listed once. The plus keeps SQLite from asking FTS5 for one of them after the other.
            found = found.where(literal_column("+search.rowid", Integer).in_(of_case))
        else:
            found = found.where(of_case.where(col(Verdict.mention_id) == _ROWID).exists())
    return found


def says(session: Session, term: Term) -> bool:
    """Whether any post has this term."""
    return bool(newest(session, Query(((term,),)), {}, 1))


def values(session: Session, facet: str) -> list[str]:
    """What stands in the posts for a facet."""
    _only_sqlite(session)
    prefix = FACETS[facet]
    found = _words(session, "facets", prefix, prefix + _LAST)
    return sorted(bytes.fromhex(word.removeprefix(prefix)).decode(errors="replace") for word, _ in found)


def like(session: Session, word: str) -> Iterator[tuple[str, int]]:
    """Words of the posts that begin as this one does, give or take a letter, and how many posts have each."""
    _only_sqlite(session)
    yield from _words(session, "words", word[:2], word[:2] + _LAST)
    # In this order: for each of them one look into the words, not for each word of all of them.
    others = "SELECT term, doc FROM json_each(:others) CROSS JOIN search_words WHERE col = 'words' AND term = value"
    found = session.execute(text(others), {"others": json.dumps(sorted(_other_beginnings(word)))})
    yield from [(other, posts) for other, posts in found]


def _words(session: Session, where: str, first: str, end: str) -> list[tuple[str, int]]:
    asked = text("SELECT term, doc FROM search_words WHERE col = :col AND term >= :first AND term < :end")
    return [(word, posts) for word, posts in session.execute(asked, {"col": where, "first": first, "end": end})]


def _other_beginnings(word: str) -> set[str]:
    """The word with one mistake in its first two letters."""
    found = {word[1] + word[0] + word[2:], word[:1] + word[2:], word[1:], word[0] + word[2:3] + word[1] + word[3:]}
    for letter in _LETTERS:
        found |= {letter + word, letter + word[1:], word[0] + letter + word[1:], word[0] + letter + word[2:]}
    return {other for other in found if not other.startswith(word[:2])}


# ---------------------------------------------------------------- FTS5's own language


def _match(query: Query, facets: Facets) -> str:
    """A query as FTS5 reads it: every word in quotes, so that none is an operator."""
    parts = [f"facets : {_quoted(FACETS[facet] + value.encode().hex())}" for facet, value in facets.items()]
    parts += [f"words : ({_either(group)})" for group in query.wanted]
    parts = parts or [f"facets : {_quoted(_EVERY)}"]
    wanted = " AND ".join(f"({part})" for part in parts)
    return f"({wanted}) NOT (words : ({_either(query.unwanted)}))" if query.unwanted else wanted


def _either(terms: Iterable[Term]) -> str:
    ways = (sorted(term.forms) or [" ".join(term.words)] for term in terms)
    return " OR ".join(_quoted(way) for several in ways for way in several)


def _quoted(words: str) -> str:
    return f'"{words}"'  # they are letters and digits alone: see wordforms.WORD


def _only_sqlite(session: Session) -> None:
    if session.get_bind().dialect.name != "sqlite":
        raise NeedsPerson("search works only where the database is SQLite, which it is without CALL_LIGHT_DATABASE_URL")


# ---------------------------------------------------------------- what was forgotten


def tidy(session: Session, most: int = _STEPS) -> bool:
    """Write the index anew as far as words of forgotten posts are left in it, `most` steps; whether all is done.

    Each step is a transaction: nobody waits for more than one, and the next pass goes on where this one ends.
    """
    if session.get_bind().dialect.name != "sqlite":
        return True
    for _ in range(most):
        todo = set(session.scalars(text("SELECT todo FROM search_todo")))
        if not todo:
            session.rollback()
            return True
        _step(session, begins="merge" not in todo)
        session.commit()
    return False


def _step(session: Session, begins: bool) -> None:
    """Merge some pages; the first step takes every part of the index in, and what is gone later needs another round."""
    connection = session.connection()
    if begins:
        connection.execute(text("UPDATE search_todo SET todo = 'merge'"))
    before = connection.scalar(text("SELECT total_changes()"))
    merge = text("INSERT INTO search (search, rank) VALUES ('merge', :pages)")
    connection.execute(merge, {"pages": -_PAGES if begins else _PAGES})
    # The command itself counts as one change.
    if not begins and connection.scalar(text("SELECT total_changes()")) - before < 2:
        connection.execute(text("DELETE FROM search_todo WHERE todo = 'merge'"))
