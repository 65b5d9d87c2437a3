"""The newest kept posts about us, for looks that must not touch the database: it is neither made, migrated nor written.

Asked through the database's own driver: to load SQLAlchemy and our tables takes longer than the look.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from nlp.listed import Kept

LATELY = timedelta(days=30)
_MOST = 2_000  # posts
_AMONG = 20_000  # kept ones, of which most may be about others: no look is longer than this
_PATIENCE = 5  # seconds for a database that does not answer
_NEWEST = """
    SELECT r.redacted_text, r.site, r.language, m.place
    FROM (SELECT id FROM mention WHERE written_at > '{since}' ORDER BY written_at DESC LIMIT {among}) AS newest
    JOIN mention m ON m.id = newest.id
    JOIN reading r ON r.mention_id = m.id
    WHERE m.deleted_at IS NULL AND NOT m.own AND (m.about_us OR CAST(r.mentions_us AS TEXT) <> '[]')
        AND NOT EXISTS (SELECT 1 FROM reading newer WHERE newer.mention_id = m.id AND newer.id > r.id)
    ORDER BY m.written_at DESC LIMIT {most}
"""


class Lately(NamedTuple):
    """What was found, and the sentence that says why there is nothing."""

    posts: list[Kept]
    nothing: str | None = None


def lately(data: Path, url: str | None, now: datetime) -> Lately:
    """The newest posts about us of 30 days, 2,000 at most; `data` and `url` as for open_database."""
    if url is None and not (data / "call-light.db").is_file():
        return Lately([], f"no numbers: there is no database in {data} yet")
    sql = _NEWEST.format(since=(now - LATELY).strftime("%Y-%m-%d %H:%M:%S"), among=_AMONG, most=_MOST)
    try:
        with _connected(data, url) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(sql)
            posts = [Kept(*row) for row in cursor.fetchall()]
    except Exception as error:  # of a driver that may not be there: whatever it is, the check goes on without numbers
        return Lately(
            [], f"no numbers: the database cannot be asked ({type(error).__name__}); call-light doctor says why"
        )
    return Lately(posts, None if posts else f"no numbers: no post about us was kept in {LATELY.days} days")


@contextmanager
def _connected(data: Path, url: str | None) -> Iterator[Any]:
    """A connection, with which nothing is written."""
    if url is None or url.startswith("sqlite"):
        path = data / "call-light.db" if url is None else Path(url.partition(":///")[2])
        # Not mode=ro: that leaves the two files of the write-ahead log behind, and they may belong to somebody else.
        connection: Any = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=_PATIENCE)
        connection.execute("PRAGMA query_only = ON")
    else:
        from sqlalchemy import create_engine

        connection = create_engine(url).raw_connection()
    with closing(connection):
        yield connection
