"""The newest kept posts about us, without touching the database."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import NOW
from desk import Desk

from alerts.lately import _connected, lately
from listener.database import open_database

DAY = timedelta(days=1)


@pytest.fixture
def data(desk: Desk) -> Path:
    """The folder of the desk's database."""
    return Path(str(desk.session.get_bind().engine.url.database)).parent


def test_the_newest_first_and_only_what_is_about_us(desk: Desk, data: Path) -> None:
    desk.hear("old", written_at=NOW - 31 * DAY)
    desk.hear("first", written_at=NOW - 2 * DAY)
    desk.hear("second", written_at=NOW - DAY, site="Harbor Campus", language="es", place="Emergency")
    desk.hear("others", written_at=NOW - DAY, mentions_us=[])
    desk.hear("a review", written_at=NOW - 3 * DAY, mentions_us=[], about_us=True)
    desk.hear("our own", written_at=NOW - DAY, own=True)
    desk.hear("gone", written_at=NOW - DAY, deleted_at=datetime(2026, 11, 16, tzinfo=UTC))
    desk.hear("not read", written_at=NOW - DAY, read=False)
    found = lately(data, None, NOW)
    assert [post.text for post in found.posts] == ["second", "first", "a review"]
    assert found.posts[0][1:] == ("Harbor Campus", "es", "Emergency")
    assert found.nothing is None


def test_words_are_those_of_the_last_reading_redacted(desk: Desk, data: Path) -> None:
    post = desk.hear("nurse Ann was kind", written_at=NOW - DAY)
    desk.read(post, pipeline_version="2", redacted_text="nurse [name] was kind")
    assert [one.text for one in lately(data, None, NOW).posts] == ["nurse [name] was kind"]


def test_no_longer_look_than_is_needed(desk: Desk, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        desk.hear(f"post {number}", written_at=NOW - number * DAY)
    monkeypatch.setattr("alerts.lately._MOST", 2)
    assert [one.text for one in lately(data, None, NOW).posts] == ["post 0", "post 1"]
    monkeypatch.setattr("alerts.lately._AMONG", 1)
    assert [one.text for one in lately(data, None, NOW).posts] == ["post 0"]


def test_an_address_is_asked_as_the_folder_is(desk: Desk, data: Path) -> None:
    desk.hear("first", written_at=NOW - DAY)
    assert len(lately(Path("nowhere"), f"sqlite:///{data}/call-light.db", NOW).posts) == 1


def test_no_database_is_made(tmp_path: Path) -> None:
    found = lately(tmp_path / "data", None, NOW)
    assert (found.posts, found.nothing) == ([], f"no numbers: there is no database in {tmp_path / 'data'} yet")
    assert list(tmp_path.iterdir()) == []


def test_none_is_made_at_an_address_either(tmp_path: Path) -> None:
    assert "cannot be asked" in str(lately(tmp_path, f"sqlite:///{tmp_path}/none.db", NOW).nothing)
    assert list(tmp_path.iterdir()) == []


def test_nothing_can_be_written(tmp_path: Path) -> None:
    open_database(tmp_path).dispose()
    with _connected(tmp_path, None) as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM mention")


def test_an_empty_one(desk: Desk, data: Path) -> None:
    assert lately(data, None, NOW).nothing == "no numbers: no post about us was kept in 30 days"


@pytest.mark.parametrize("content", [b"", b"this is no database at all" * 100])
def test_one_that_cannot_be_asked_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "call-light.db"
    path.write_bytes(content)
    found = lately(tmp_path, None, NOW)
    assert found.posts == []
    assert str(found.nothing).startswith("no numbers: the database cannot be asked (")
    assert path.read_bytes() == content
    assert [one.name for one in tmp_path.iterdir()] == ["call-light.db"]


def test_one_of_an_older_version_is_not_migrated(tmp_path: Path) -> None:
    open_database(tmp_path).dispose()
    with sqlite3.connect(tmp_path / "call-light.db") as connection:
        connection.execute("ALTER TABLE mention DROP COLUMN place")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    assert "cannot be asked" in str(lately(tmp_path, None, NOW).nothing)
    connection = sqlite3.connect(tmp_path / "call-light.db")
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
    connection.close()


@pytest.mark.parametrize("url", ["postgresql+psycopg://nobody:secret@127.0.0.1:1/none", "no address"])
def test_another_database_that_does_not_answer_says_no_secret(tmp_path: Path, url: str) -> None:
    found = lately(tmp_path, url, NOW)
    assert str(found.nothing).startswith("no numbers: the database cannot be asked (")
    assert "secret" not in str(found.nothing)


def test_no_file_is_left_beside_it(tmp_path: Path) -> None:
    open_database(tmp_path).dispose()
    before = sorted(path.name for path in tmp_path.iterdir())
    lately(tmp_path, None, NOW)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
