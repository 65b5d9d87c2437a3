"""The database: engine, migrations. SQLite in write-ahead mode unless CALL_LIGHT_DATABASE_URL says otherwise."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.exc import ArgumentError, DatabaseError
from sqlmodel import Session, create_engine

from listener.errors import NeedsPerson

_READS = "call_light_reads"  # a connection that only looks
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
        place = engine.url.render_as_string(hide_password=True)
        raise NeedsPerson(
            f"cannot use the database {place} ({error.orig}); check the file and its permissions, restore a backup, "
            "or name another place with --data DIR"
        ) from None
    except NeedsPerson:
        engine.dispose()
        raise
    return engine


def reading(engine: Engine) -> Session:
    """A session for looks alone, which wait for no writer: somebody in front of a modal waits for them."""
    return Session(engine.execution_options(**{_READS: True}))


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
        data.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a name of a folder"
        raise NeedsPerson(f"cannot make the data folder {data} ({why}); name another with --data DIR") from None
    return create_engine(URL.create("sqlite", database=str(data / "call-light.db")))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where _begin_sqlite says, not where sqlite3 guesses
    # secure_delete: what is deleted is overwritten, not only left out of the index.
    pragmas = (
        "busy_timeout = 10000",
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
