"""Forget: somebody asks that their posts are forgotten, or a post has to go, before its place or its time says so."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import JSON, Engine, Table, cast, or_, update
from sqlalchemy import String as Text
from sqlmodel import AutoString, Session, SQLModel, col, select

from listener import tombstones
from listener.database import reading
from listener.mention import Mention
from listener.tombstones import Tombstones, bare

Named = Callable[[str], bool]  # whether a handle is of somebody who was forgotten
_SITES = {"twitter.com": "x.com", "old.reddit.com": "reddit.com", "new.reddit.com": "reddit.com"}
_AT_ONCE = 500
OF_THE_POST = frozenset(
    f"mention.{name}" for name in ("ref", "url", "author", "author_name", "thread", "answers", "quotes")
) | {"case.author", "case.thread"}


@dataclass(frozen=True)
class Asked:
    """What somebody wants forgotten: the posts, and of whom they are, by place, if all of theirs are meant."""

    ids: tuple[int, ...]
    people: frozenset[tuple[str, str]] = frozenset()

    def names(self, handle: str) -> bool:
        """Whether a handle is one of theirs, as others write it."""
        return any(bare(handle) in _spellings(theirs) for _, theirs in self.people)

    @property
    def near(self) -> str | None:
        """Letters that stand in each text which names them, as any database finds them in any column; None: look at all."""
        pieces = {max(re.findall("[a-z0-9]+", _local(handle)) or [""], key=len) for _, handle in self.people}
        return pieces.pop() or None if len(pieces) == 1 else None

    def marks(self, stones: Tombstones) -> set[str]:
        """What stays of the people."""
        return {stones.of_person(source, name) for source, handle in self.people for name in _spellings(handle)}


def by_handle(session: Session, handle: str, source: str | None = None) -> Asked:
    """Every post of somebody, at one place or at all of them."""
    posts = _posts_of(session, handle, source)
    at = set(posts.values()) or ({source} if source else set(session.exec(select(Mention.source).distinct())))
    return Asked(tuple(posts), frozenset((place, bare(handle)) for place in at if place))


def _posts_of(session: Session, handle: str, source: str | None) -> dict[int, str]:
    """The place of each of their posts. Authors are compared here: a database knows the small letters of ASCII alone."""
    authors = select(Mention.source, Mention.author).where(col(Mention.author).is_not(None)).distinct()
    if source is not None:
        authors = authors.where(Mention.source == source)
    theirs = [(place, author) for place, author in session.exec(authors) if author and bare(author) == bare(handle)]
    found: dict[int, str] = {}
    for place, author in theirs:
        ids = session.exec(select(Mention.id).where(Mention.source == place, Mention.author == author))
        found |= {id_: place for id_ in ids if id_}
    return dict(sorted(found.items()))


def by_url(session: Session, url: str, and_author: bool = False) -> Asked:
    """The post at an address, in whatever way the address is written; `and_author`: with the others of its author."""
    wanted = _plain(url)
    last = wanted.rstrip("/").rpartition("/")[2]
    near = or_(col(Mention.url).icontains(last, autoescape=True), col(Mention.ref).in_((last, url)))
    named: tuple[Any, ...] = (Mention.id, Mention.source, Mention.author, Mention.url, Mention.ref)
    rows = session.execute(select(*named).where(near)).all()
    found = [row for row in rows if (row[3] and _plain(row[3]) == wanted) or row[4] == url or _is_on_x(wanted, row)]
    ids = {row[0] for row in found if row[0]}
    people = {(row[1], row[2]) for row in found if row[2]} if and_author else set()
    for source, author in people:
        ids |= set(by_handle(session, author, source).ids)
    return Asked(tuple(sorted(ids)), frozenset(people))


def others_of(session: Session, asked: Asked) -> int:
    """How many further posts of the same authors are kept."""
    theirs = select(Mention.source, Mention.author).where(
        col(Mention.id).in_(asked.ids), col(Mention.author).is_not(None)
    )
    same = {
        id_
        for source, author in session.exec(theirs.distinct()).all()
        for id_ in _posts_of(session, author or "", source)
    }
    return len(same.difference(asked.ids))


def _spellings(handle: str) -> set[str]:
    """ "alice@mastodon.social" is "@alice" to those of the same instance."""
    return {bare(handle), _local(handle)}


def _local(handle: str) -> str:
    return bare(handle).partition("@")[0]


def _plain(url: str) -> str:
    """An address without what differs between two ways to the same post."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
    except ValueError:  # no address at all
        return ""
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.").removeprefix("mobile.")
    path = re.sub(r"/+$", "", unquote(parts.path))
    return f"{_SITES.get(host, host)}{path}".casefold()


def _is_on_x(wanted: str, row: Any) -> bool:
    """X finds a post by its number alone, whoever stands before it."""
    found = re.fullmatch(r"x\.com/[^/]+(?:/web)?/status/(\d+)(?:/.*)?", wanted)
    return found is not None and (row[1], row[4]) == ("x", found[1])


# ---------------------------------------------------------------- where others name them


def scrub(engine: Engine, named: Named, near: str | None = None) -> int:
    """Put INSTEAD in the place of forgotten people in every text that is kept; how many fields were changed.

    Every column of every table is looked through, so that no later one is left out. `near`: letters that stand in each
    such text, which is quicker. Nobody who writes waits meanwhile.
    """
    changed = 0
    for table in SQLModel.metadata.sorted_tables:
        todo = list(_naming(engine, table, named, near))
        for start in range(0, len(todo), _AT_ONCE):
            with Session(engine) as session:
                for key, values in todo[start : start + _AT_ONCE]:
                    same = [column == value for column, value in zip(table.primary_key.columns, key, strict=True)]
                    session.execute(update(table).where(*same).values(**values))
                    changed += len(values)
                session.commit()
    return changed


def _naming(
    engine: Engine, table: Table, named: Named, near: str | None
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The rows that name them: the key, and the new values of the columns."""
    keys, columns = list(table.primary_key.columns), [column for column in table.columns if _holds_text(column)]
    if not columns:
        return
    wanted = select(*keys, *columns)
    if near is not None:
        wanted = wanted.where(or_(*(cast(column, Text).icontains(near, autoescape=True) for column in columns)))
    with reading(engine) as session:
        for row in session.execute(wanted.execution_options(yield_per=_AT_ONCE)):
            key, values = tuple(row[: len(keys)]), row[len(keys) :]
            new = {column.name: _masked(value, named) for column, value in zip(columns, values, strict=True)}
            differs = {
                column.name: new[column.name]
                for column, value in zip(columns, values, strict=True)
                if new[column.name] != value
            }
            if differs:
                yield key, differs


def _holds_text(column: Any) -> bool:
    """Not what says of a post whose it is: of what was forgotten it is empty, and what they post later is theirs again."""
    if column.primary_key or f"{column.table.name}.{column.name}" in OF_THE_POST:
        return False
    return isinstance(column.type, JSON | Text | AutoString)


def _masked(value: Any, named: Named) -> Any:
    if isinstance(value, str):
        return tombstones.masked(value, named)
    if isinstance(value, dict):
        return {_masked(key, named): _masked(one, named) for key, one in value.items()}
    return [_masked(one, named) for one in value] if isinstance(value, list) else value
