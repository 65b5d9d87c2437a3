"""One database that is always up to date, or one sentence that says why it cannot be used."""

import importlib
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, select
from tables import every_table

from listener import database
from listener.database import looked_through, open_database, reading
from listener.errors import NeedsPerson
from listener.mention import Mention
from listener.watch import Spend, Watch


def test_the_migrations_make_what_the_models_say(engine: Engine) -> None:
    every_table()
    # The index of words is SQLite's own: no model, but the tables that FTS5 keeps it in.
    ours = {"include_name": lambda name, kind, _: kind != "table" or not str(name).startswith("search")}
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts=ours), SQLModel.metadata)
    assert differences == []


def test_it_is_sqlite_in_write_ahead_mode(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    with engine.connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10000}


def test_a_database_that_another_program_holds_is_not_damaged(tmp_path: Path) -> None:
    """Who reads "restore a backup" at night does it."""
    open_database(tmp_path).dispose()
    engine = open_database(tmp_path)
    engine.dispose()
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 50"))
    with sqlite3.connect(tmp_path / "call-light.db", isolation_level=None) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(NeedsPerson, match="held by another program") as told:
            looked_through(engine)
    other.close()
    assert "restore" not in str(told.value)


def test_opening_again_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_database(tmp_path)
    with Session(engine) as session:
        session.add(Watch(name="x", cursor={"since": "5"}))
        session.commit()
    engine.dispose()
    before = (tmp_path / "call-light.db").read_bytes()
    monkeypatch.setattr("alembic.command.upgrade", None)  # not even called
    engine = open_database(tmp_path)
    with Session(engine) as session:
        assert session.exec(select(Watch)).one().cursor == {"since": "5"}
    engine.dispose()
    assert (tmp_path / "call-light.db").read_bytes() == before


@pytest.mark.parametrize("name", ["data", "a/b/c", "what? 50% #1 & é", "with space"])
def test_folders_of_every_name(tmp_path: Path, name: str) -> None:
    engine = open_database(tmp_path / name)
    engine.dispose()
    assert (tmp_path / name / "call-light.db").is_file()


def test_an_address_wins_over_the_folder(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "unused", f"sqlite:///{tmp_path / 'other.db'}")
    engine.dispose()
    assert (tmp_path / "other.db").is_file()
    assert not (tmp_path / "unused").exists()


# what cannot be used


@pytest.mark.parametrize(
    "content", [b"this is no database, it only is called so", b"\0" * 5000, b"SQLite format 3\0" + b"x" * 5000]
)
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "call-light.db").write_bytes(content)
    with pytest.raises(
        NeedsPerson, match=r"^cannot use the database sqlite:///.+; it is damaged: stop the service, and restore"
    ):
        open_database(tmp_path)
    assert (tmp_path / "call-light.db").read_bytes() == content


def test_a_database_that_another_program_holds_is_no_reason_to_restore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("listener.database._WAITS", 50)
    open_database(tmp_path).dispose()
    with closing(sqlite3.connect(tmp_path / "call-light.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(NeedsPerson, match=r"it is held by another program .*: end that program$"):
            open_database(tmp_path)


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "call-light.db").mkdir()
    with pytest.raises(NeedsPerson, match="unable to open database file"):
        open_database(tmp_path)


@pytest.mark.parametrize("name", ["file", "file/below", "nul\0"])
def test_a_data_folder_that_cannot_be(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NeedsPerson, match="cannot make the data folder"):
        open_database(tmp_path / name)


def test_a_database_of_a_newer_version(tmp_path: Path) -> None:
    open_database(tmp_path).dispose()
    path = tmp_path / "call-light.db"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(NeedsPerson, match=r"made by a newer version; install that version"):
        open_database(tmp_path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
    connection.close()


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "",
        "mysterysql://user:secret@host/name",
        "sqlite+unknown:///a.db",
        "postgresql+unknown://u:secret@h/n",
    ],
)
def test_an_address_that_is_none(tmp_path: Path, url: str) -> None:
    with pytest.raises(NeedsPerson, match="CALL_LIGHT_DATABASE_URL") as caught:
        open_database(tmp_path, url)
    assert "secret" not in str(caught.value)


# transactions


def test_a_commit_that_fails_does_not_stop_the_next_one(engine: Engine) -> None:
    """As on a full disk; here a row that points nowhere, checked only at the end."""
    with Session(engine) as session:
        session.connection().exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        session.connection().exec_driver_sql("INSERT INTO caseevent (case_id, at, who, what) VALUES (99, '', '', '')")
        with pytest.raises(IntegrityError):
            session.commit()
    with Session(engine) as session:
        session.add(Watch(name="x"))
        session.commit()
        assert session.connection().exec_driver_sql("SELECT count(*) FROM caseevent").scalar() == 0


def test_two_that_look_and_then_write_take_turns(engine: Engine) -> None:
    with Session(engine) as session:
        session.add(Watch(name="x"))
        session.commit()
    together = threading.Barrier(2)

    def count() -> None:
        together.wait()
        for _ in range(20):
            with Session(engine) as session:
                found = session.get_one(Watch, "x")
                found.kept += 1
                session.commit()

    threads = [threading.Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Session(engine) as session:
        assert session.get_one(Watch, "x").kept == 40


def test_who_only_looks_waits_for_no_writer(engine: Engine) -> None:
    """Somebody sits before a modal; a stage that writes may take seconds."""
    with Session(engine) as writer:
        writer.add(Watch(name="x", kept=1))
        writer.commit()
        writer.get_one(Watch, "x").kept = 2
        writer.flush()  # and has not committed yet
        started = time.monotonic()
        with reading(engine) as session:
            assert session.get_one(Watch, "x").kept == 1
        assert time.monotonic() - started < 8, "ten seconds is how long it would wait"
        writer.commit()
    with reading(engine) as session:
        assert session.get_one(Watch, "x").kept == 2


def test_who_looks_and_keeps_looking_holds_up_no_writer(engine: Engine) -> None:
    with reading(engine) as looking:
        assert looking.exec(select(Watch)).all() == []
        with Session(engine) as writer:
            writer.add(Watch(name="x"))
            writer.commit()
        assert looking.exec(select(Watch)).all() == [], "what it sees does not change under it"


def test_who_writes_still_waits_its_turn(engine: Engine) -> None:
    """That one kind of session only reads changes nothing for the others."""
    with reading(engine):
        pass
    begun: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        begun.append(statement)

    with Session(engine) as session:
        session.exec(select(Watch)).all()
    with reading(engine) as session:
        session.exec(select(Watch)).all()
    assert [statement for statement in begun if statement.startswith("BEGIN")] == ["BEGIN IMMEDIATE", "BEGIN"]


def test_several_that_open_it_at_once_make_it_once(tmp_path: Path) -> None:
    together, failed = threading.Barrier(4), []

    def start() -> None:
        together.wait()
        try:
            open_database(tmp_path).dispose()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_the_migrations_come_with_the_program() -> None:
    assert (database._MIGRATIONS / "env.py").is_file()
    assert list((database._MIGRATIONS / "versions").glob("0*.py"))


def test_what_was_kept_by_the_first_version_is_still_there(tmp_path: Path) -> None:
    """A database of the first tables, with a row in each that the second ones change."""
    from alembic import command
    from alembic.config import Config as Settings

    engine = database._engine(tmp_path, None)
    settings = Settings()
    settings.set_main_option("script_location", str(database._MIGRATIONS))
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0001")
        at = "2026-11-16 15:00:00.000000"
        mention = (
            "INSERT INTO mention (id, collector, source, ref, text, written_at, heard_at, about_us, own, revision) "
        )
        connection.exec_driver_sql(f"{mention} VALUES (1, 'x', 'x', '9', 'brigid', '{at}', '{at}', 0, 0, 1)")
        watch = "INSERT INTO watch (name, cursor, asked_at, failures, kept, skipped, reads_day, reads) "
        connection.exec_driver_sql(f"""{watch} VALUES ('x', '{{"a": 1}}', '{at}', 0, 1, 0, '2026-11-16', 40)""")
    engine.dispose()
    engine = open_database(tmp_path)
    with Session(engine) as session:
        mention_, watch_ = session.exec(select(Mention)).one(), session.get_one(Watch, "x")
        assert (mention_.text, mention_.thread, mention_.looked_at) == ("brigid", "9", mention_.heard_at)
        assert (watch_.cursor, watch_.own_cursor, watch_.started_at) == ({"a": 1}, {}, watch_.asked_at)
        assert [(spend.collector, spend.reads) for spend in session.exec(select(Spend))] == [("x", 40)]
    engine.dispose()


def test_what_was_read_before_there_was_a_search_can_be_found(tmp_path: Path) -> None:
    """And after its migration was taken back and applied again: an older version may have run between."""
    from alembic import command
    from alembic.config import Config as Settings

    engine = database._engine(tmp_path, None)
    settings = Settings()
    settings.set_main_option("script_location", str(database._MIGRATIONS))
    found = []
    for revision in ("0003", "0004", "0003", "0004"):
        with engine.begin() as connection:
            settings.attributes["connection"] = connection
            (command.upgrade if revision > "0003" or not found else command.downgrade)(settings, revision)
            if revision == "0003":
                number = len(found) + 1
                at = "2026-11-16 15:00:00.000000"
                mention = "INSERT INTO mention (id, collector, source, ref, text, written_at, heard_at, about_us, own, revision)"
                connection.exec_driver_sql(
                    f"{mention} VALUES ({number}, 'x', 'x', '{number}', '', '{at}', '{at}', 0, 0, 1)"
                )
                reading = (
                    "INSERT INTO reading (mention_id, revision, pipeline_version, read_at, mentions_us, departments, "
                )
                reading += "voice, categories, mood, urgency, reasons, language, readable, redacted_text) "
                read_as = f"'{at}', '[]', '[]', 'patient', '[]', 0, 'low', '[]', 'en', 1"
                for words in ("turquoise", "purple"):
                    values = f"({number}, 1, '{words}', {read_as}, '{words}')"
                    connection.exec_driver_sql(f"{reading} VALUES {values}")
                found.append([])
            else:
                asked = "SELECT rowid FROM search WHERE search MATCH 'words : (turquoise OR purple)' ORDER BY rowid"
                found.append(list(connection.exec_driver_sql(asked).scalars()))
                assert not connection.exec_driver_sql("SELECT 1 FROM search WHERE search MATCH 'turquoise'").scalar()
    engine.dispose()
    assert found == [[], [1], [], [1, 3]], "each mention by its newest reading"


def test_the_migration_of_the_search_leaves_other_databases_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    migration = importlib.import_module("listener.migrations.versions.0004_search")
    said: list[str] = []
    elsewhere = SimpleNamespace(dialect=SimpleNamespace(name="postgresql"))
    monkeypatch.setattr(migration, "op", SimpleNamespace(get_bind=lambda: elsewhere, execute=said.append))
    migration.upgrade()
    migration.downgrade()
    assert said == []
