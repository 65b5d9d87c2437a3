"""What doctor says of the machine: disk, folders, the database's file, ports, proxies."""

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fakes.server import Answer, FakeServer, NotJson, Request, Stall

from alerts import machine
from config.schema import Center


class _Web(FakeServer):
    def answer(self, request: Request) -> Answer:
        return Answer(200, "It answers.\n")


@pytest.fixture
def web() -> Iterator[_Web]:
    with _Web() as web:
        yield web


@pytest.mark.parametrize(("little", "ok"), [(1, True), (2**60, False)])
def test_the_disk(tmp_path: Path, little: int, ok: bool) -> None:
    found = machine.disk(tmp_path / "not" / "there" / "yet", little)
    assert (found.ok, found.code, bool(found.todo)) == (ok, "disk-low", not ok)


def test_the_folder_of_reports(tmp_path: Path) -> None:
    assert machine.folder(tmp_path / "reports").ok
    (tmp_path / "file").write_text("")
    found = machine.folder(tmp_path / "file" / "reports")
    assert (found.ok, found.code) == (False, "reports-folder")


def test_a_file_that_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "name with %.db"
    assert not list(machine.database_file(path))
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE a (b)")
    assert [one.ok for one in machine.database_file(path)] == [True]


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("words " * 1000)
    (found,) = machine.database_file(tmp_path / "a.db")
    assert (found.ok, found.code, "restore" in str(found.todo)) == (False, "database-damaged", True)


def test_a_large_file_is_not_looked_through_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE a (b UNIQUE)")
        database.executemany("INSERT INTO a VALUES (?)", ((f"{n:050}",) for n in range(50_000)))
        database.commit()
    ticks = itertools.count(0, 100)
    (found,) = machine.database_file(path, 10.0, lambda: next(ticks))
    assert (found.ok, "at leisure" in str(found.todo)) == (None, True)


def center(web: FakeServer) -> Center:
    return Center(listen=web.base_url.removeprefix("http://"))


def test_the_port_is_ours_or_nobodys(web: _Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # it is asked on this machine
    assert [one.ok for one in machine.port(center(web))] == [True]
    web.close()
    assert not list(machine.port(center(web)))


@pytest.mark.parametrize("fault", [NotJson(), NotJson(status=404), Stall(5)])
def test_the_port_is_anothers(web: _Web, fault: NotJson | Stall) -> None:
    web.fail_next(fault)
    (found,) = machine.port(center(web), 0.2)
    assert (found.ok, found.code) == (False, "center-port")


def test_proxies() -> None:
    assert not list(machine.proxies({"PATH": "/bin", "HTTPS_PROXY": ""}))
    (found,) = machine.proxies({"HTTPS_PROXY": "http://ann:hunter2@proxy:3128", "http_proxy": "http://proxy:3128"})
    assert found.what == "proxy: HTTPS_PROXY and http_proxy are set"
    assert (found.ok, "hunter2" in str(found)) == (None, False)


def test_a_look_at_a_folder_makes_none(tmp_path: Path) -> None:
    assert machine.folder(tmp_path / "data" / "reports").ok
    assert list(tmp_path.iterdir()) == []
