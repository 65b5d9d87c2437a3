"""The database: engine, migrations. SQLite in write-ahead mode unless CALL_LIGHT_DATABASE_URL says otherwise."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.exc import ArgumentError, DatabaseError
from sqlmodel import Session, create_engine

from listener.errors import NeedsPerson

_READS = "call_light_reads"  # a connection that only looks
_WAITS = 10_000  # milliseconds for who writes before
# A piece of what SQLite says -> what happened and what to do.
_REMEDIES = {
    "is full": "cannot grow, as the disk is full: make room on it",
    "readonly": "may not be written: give the account of the service the right to write in its folder",
    "is locked": "is held by another program for longer than ten seconds: end that program",
    "malformed": "is damaged: stop the service, and restore a backup with call-light restore",
    "not a database": "is damaged: stop the service, and restore a backup with call-light restore",
    "I/O error": "cannot be read or written: look at the disk, and at the room on it",
    "unable to open": "cannot be opened: look at its folder, and at how many files the service may open",
}
_MIGRATIONS = Path(__file__).parent / "migrations"


def open_database(data: Path, url: str | None = None) -> Engine:
    """The engine of the database in folder `data` (or at `url`), its tables up to date.

    Raises NeedsPerson when it cannot be read, is not ours, or is of a newer version.
    """
    engine = _engine(data, url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "checkin", _end_sqlite)
    try:
        _migrate(engine)
    except DatabaseError as error:
        engine.dispose()
        raise _unusable(engine, str(error.orig)) from None
    except NeedsPerson:
        engine.dispose()
        raise
    return engine


def looked_through(engine: Engine) -> None:
    """Look through a whole SQLite file for damage, which else shows only where somebody comes upon it. Raises NeedsPerson."""
    if engine.dialect.name != "sqlite":
        return
    try:
        with closing(engine.raw_connection()) as connection:
            of_sqlite: Any = connection.driver_connection
            check_whole(of_sqlite)
    except (sqlite3.DatabaseError, DatabaseError) as error:
        engine.dispose()
        cause = error.orig if isinstance(error, DatabaseError) else error
        if isinstance(cause, sqlite3.OperationalError):  # it is held, or cannot be read: that is no damage
            raise _unusable(engine, str(cause)) from None
        raise NeedsPerson(
            f"the database {engine.url.database} is damaged ({str(error)[:100]}); move it away and restore a backup with "
            "call-light restore, or start without it: then posts of the last days are asked for again, and their cards come again"
        ) from None


def check_whole(connection: sqlite3.Connection) -> None:
    """Raises sqlite3.DatabaseError for a database that is damaged."""
    said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        raise sqlite3.DatabaseError(f"it is damaged: {said.splitlines()[-1]}")


def remedy(error: BaseException) -> str | None:
    """What a person can do about an error of the database while it is used; None for any other error."""
    why = _why(str(error.orig)) if isinstance(error, DatabaseError) else None
    return f"the database {why}; what could not be kept is asked for again" if why else None


def _unusable(engine: Engine, said: str) -> NeedsPerson:
    known, otherwise = _why(said), "check the file and its permissions, or name another place with --data DIR"
    place = engine.url.render_as_string(hide_password=True)
    return NeedsPerson(f"cannot use the database {place} ({said}); {f'it {known}' if known else otherwise}")


def _why(said: str) -> str | None:
    """What happened to the database, and what to do; None for what nobody thought of."""
    return next((sentence for piece, sentence in _REMEDIES.items() if piece in said), None)


def reading(engine: Engine) -> Session:
    """A session for looks alone, which wait for no writer: somebody in front of a modal waits for them."""
    return Session(engine.execution_options(**{_READS: True}))


def emptied(engine: Engine) -> bool:
    """Empty SQLite's write-ahead log, in which words stand that were overwritten since; False while somebody still reads it."""
    if engine.dialect.name != "sqlite":
        return True
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 0")  # nobody who writes waits for those who read
        try:
            busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError:  # somebody writes
            return False
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {_WAITS}")
    return not busy


def is_known(revision: str) -> bool:
    """Whether this version knows the tables of a database: its own, or those of an earlier one."""
    from alembic.script import ScriptDirectory

    return revision in {script.revision for script in ScriptDirectory(str(_MIGRATIONS)).walk_revisions()}


def _engine(data: Path, url: str | None) -> Engine:
    if url is not None:
        try:
            return create_engine(url)
        except (ArgumentError, ImportError) as error:  # without the address: it may carry a password
            raise NeedsPerson(
                f"CALL_LIGHT_DATABASE_URL is no address of a database that can be used ({type(error).__name__}); "
                "write it as postgresql+psycopg://user:password@host/name"
            ) from None
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a name of a folder"
        raise NeedsPerson(f"cannot make the data folder {data} ({why}); name another with --data DIR") from None
    path = data / "call-light.db"
    with suppress(OSError):  # else SQLite says what is wrong
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))  # what SQLite makes beside it is as private
    return create_engine(URL.create("sqlite", database=str(path)))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where _begin_sqlite says, not where sqlite3 guesses
    # secure_delete: what is deleted is overwritten, not only left out of the index.
    pragmas = (
        f"busy_timeout = {_WAITS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",
    )
    try:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.DatabaseError:
        connection.close()  # the pool does not know it yet
        raise


def _begin_sqlite(connection: Connection) -> None:
    # Stages look and then write. A transaction that only became a writer half-way could be
    # refused by another process; one that is a writer from the start waits its turn.
    only_reads = connection.get_execution_options().get(_READS)
    connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")


def _end_sqlite(connection: Any, _record: Any) -> None:
    # A COMMIT that fails, on a full disk say, leaves its transaction open, and SQLAlchemy takes it for ended:
    # every later transaction on this connection would be refused, and no other process could write.
    if connection is not None and connection.in_transaction:
        connection.rollback()


def _migrate(engine: Engine) -> None:
    """Bring the tables to the newest version; quick when they are."""
    from alembic import command
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    settings = Config()
    settings.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    newest = ScriptDirectory.from_config(settings).get_current_head()
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current == newest:
        return
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        try:
            command.upgrade(settings, "head")
        except CommandError:
            raise NeedsPerson(
                "this database was made by a newer version; install that version, or name another place with --data DIR"
            ) from None
