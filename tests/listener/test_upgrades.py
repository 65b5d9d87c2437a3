"""A database of every revision there ever was, with data in it, as its own program wrote it: opened by this one, nothing is lost."""

import gzip
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from conftest import PROJECT
from sqlalchemy import Engine, event
from sqlmodel import Session

from alerts.console import Console
from alerts.figures import heard_between
from alerts.ledger import ledger
from config.schema import Config
from listener.database import _MIGRATIONS, open_database
from listener.service import Service
from listener.shell import terminal
from nlp.pipeline import Reader

PACKED = Path(__file__).parent / "upgrades"
REVISIONS = sorted(path.name.partition(".")[0] for path in PACKED.glob("*.db.gz"))
AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # a day after they were made


def known() -> list[str]:
    """Every revision, the oldest first."""
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(_MIGRATIONS))
    return sorted(script.revision for script in ScriptDirectory.from_config(settings).walk_revisions())


@pytest.fixture
def old(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The folder of a database of this revision."""
    content = gzip.decompress((PACKED / f"{request.param}.db.gz").read_bytes())
    (tmp_path / "call-light.db").write_bytes(content)
    return tmp_path


def asked(folder: Path, question: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "call-light.db")) as database:
        return database.execute(question).fetchall()


def rows(folder: Path) -> dict[str, int]:
    """Of each table but the index of words, which is made anew from them."""
    tables = [name for (name,) in asked(folder, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    kept = [name for name in tables if not name.startswith(("search", "sqlite", "alembic"))]
    return {name: asked(folder, f'SELECT count(*) FROM "{name}"')[0][0] for name in kept}


def shape(folder: Path) -> dict[str, set[tuple[Any, ...]]]:
    """Each table's columns and indexes."""
    tables = [name for (name,) in asked(folder, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        name: {row[1:4] for row in asked(folder, f'PRAGMA table_info("{name}")')}
        | {row[1:3] for row in asked(folder, f'PRAGMA index_list("{name}")')}
        for name in tables
        if not name.startswith(("search_", "sqlite"))
    }


def test_every_revision_has_its_database() -> None:
    assert known()[:-1] == REVISIONS, "tests/listener/upgrades/README.md says how to make the one that is missing"


@pytest.mark.parametrize("old", REVISIONS, indirect=True)
def test_nothing_is_lost_and_the_service_goes_on(
    old: Path, config: Config, rules: Reader, empty_database: Path
) -> None:
    posts = "SELECT id, source, ref, text, author, written_at FROM mention ORDER BY id"
    before, said = rows(old), asked(old, posts)
    what = 'SELECT id, mention_id, urgency, state, owner FROM "case" ORDER BY id'
    cases = asked(old, what)
    assert (len(said), len(cases)) == (5, 3)
    engine = open_database(old)
    assert {name: count for name, count in rows(old).items() if name in before} == before
    assert (asked(old, posts), asked(old, what)) == (said, cases)
    assert asked(old, "SELECT version_num FROM alembic_version") == [(known()[-1],)]
    assert (asked(old, "PRAGMA foreign_key_check"), asked(old, "PRAGMA quick_check")) == ([], [("ok",)])
    assert shape(old) == shape(empty_database.parent)

    service = Service(config, engine, Console(config.care.slack.channels, terminal(stderr=True)), {}, lambda: AT)
    service.in_force.reader = rules
    service.tick()
    with Session(engine) as session:
        sum_ = ledger(heard_between(session, None, AT + timedelta(days=1)), AT)
    assert (sum_.collected, sum_.adds_up) == (5, True)
    cards = asked(old, "SELECT case_id, count(*) FROM delivery WHERE kind = 'card' GROUP BY case_id")
    assert [count for _, count in cards] == [1, 1, 1], "nobody is told twice"
    engine.dispose()


@pytest.mark.parametrize("old", REVISIONS, indirect=True)
def test_an_upgrade_that_breaks_off_leaves_the_old_version(old: Path) -> None:
    """At its last word, when everything else was done."""
    before, form = rows(old), shape(old)
    revision = asked(old, "SELECT version_num FROM alembic_version")

    def fails(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("UPDATE alembic_version SET version_num='" + known()[-1]):
            raise RuntimeError("power cut")

    event.listen(Engine, "before_cursor_execute", fails)
    try:
        with pytest.raises(RuntimeError, match="power cut"):
            open_database(old)
    finally:
        event.remove(Engine, "before_cursor_execute", fails)
    assert (asked(old, "SELECT version_num FROM alembic_version"), rows(old), shape(old)) == (revision, before, form)
    open_database(old).dispose()
    assert asked(old, "SELECT version_num FROM alembic_version") == [(known()[-1],)]


@pytest.mark.parametrize("old", ["0001"], indirect=True)
def test_killed_in_the_middle(old: Path) -> None:
    program = f"""
        import os, signal
        from pathlib import Path
        from sqlalchemy import Engine, event
        from listener.database import open_database

        @event.listens_for(Engine, "before_cursor_execute")
        def kill(_connection, _cursor, statement, *_rest):
            if statement.startswith("UPDATE alembic_version SET version_num='0003'"):
                os.kill(os.getpid(), signal.SIGKILL)

        open_database(Path({str(old)!r}))
    """
    before = rows(old)
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], cwd=PROJECT, check=False, env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    assert asked(old, "SELECT version_num FROM alembic_version") == [("0001",)]
    open_database(old).dispose()
    assert {name: count for name, count in rows(old).items() if name in before} == before
