"""The report in a browser: what is shown first, what while it is counted, and its tables as files."""

import csv
import io
import os
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import visit
from conftest import NOW
from openpyxl import load_workbook
from sqlalchemy import Engine
from starlette.testclient import TestClient

from alerts import report
from alerts.center import reports as counting
from alerts.center.pages import week
from alerts.span import named
from config.schema import Config
from listener.keep import DELETED, forget

LAST_WEEK = NOW - timedelta(days=4)
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def client(desk: Any, engine: Engine, config: Config, tmp_path: Path) -> Iterator[TestClient]:
    """A week in which kim spoke."""
    desk.kim = desk.hear(f"words of kim {HOSTILE}", kind="praise", heard_at=LAST_WEEK, written_at=LAST_WEEK)
    yield visit.visit(visit.room(engine, config, tmp_path))
    visit.ended("report")


def written(desk: Any, folder: Path) -> Path:
    """The page that the service has written of that week."""
    span = named("2026-W46", desk.config.hospital.zone)
    return report.write(folder / "reports", desk.session, desk.config, span, NOW)[0]


def test_the_last_week_first(client: TestClient) -> None:
    page = client.get("/week")
    assert page.status_code == 200
    assert "<h1>Mon 9 Nov to Sun 15 Nov 2026</h1>" in page.text
    assert "words of kim &lt;script&gt;" in page.text
    assert HOSTILE not in page.text
    assert 'class="fill-' in page.text
    assert " style=" not in page.text
    assert "<style" not in page.text


def test_it_is_being_counted(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(week, "_AT_ONCE", 0)
    with counting._ALONE:
        page = client.get("/week/2026-W46")
        assert (page.headers["refresh"], "It is being counted" in page.text) == ("2", True)
        away = client.get("/week/2026-W46/tables/all.zip")
        assert (away.headers["content-type"][:9], "It is being counted" in away.text) == ("text/html", True)
    visit.ended("report")
    page = client.get("/week/2026-W46")
    assert ("refresh" in page.headers, "words of kim" in page.text) == (False, True)


def test_what_the_service_has_written_is_shown_at_once(desk: Any, client: TestClient, tmp_path: Path) -> None:
    path = written(desk, tmp_path)
    path.write_text(path.read_text().replace("words of kim", "words of kim as written"))
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    with counting._ALONE:
        page = client.get("/week")
    assert ("words of kim as written" in page.text, "refresh" in page.headers) == (True, False)
    assert "Counted on Mon 16 Nov 2026 09:00" in page.text


def test_not_where_a_post_of_it_is_gone_since(desk: Any, client: TestClient, tmp_path: Path) -> None:
    written(desk, tmp_path)
    forget(desk.session, [desk.kim], DELETED, NOW)
    desk.session.commit()
    assert "words of kim" not in client.get("/week").text


def test_not_what_an_earlier_version_wrote(desk: Any, client: TestClient, tmp_path: Path) -> None:
    path = written(desk, tmp_path)
    path.write_text(path.read_text().replace('class="fill-only"', 'style="fill:red"').replace("of kim", "of then"))
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    page = client.get("/week")
    assert ("words of then" in page.text, "words of kim" in page.text) == (False, True)


def test_count_anew(desk: Any, client: TestClient, tmp_path: Path) -> None:
    written(desk, tmp_path)
    page = client.get("/week/2026-W46")
    assert "1 post was heard" in page.text
    desk.hear("another", kind="praise", heard_at=LAST_WEEK)
    csrf = visit.csrf(page.text)
    assert client.post("/week/2026-W46", data={"csrf": "x"}).status_code == 403
    page = client.post("/week/2026-W46", data={"csrf": csrf})
    assert (page.status_code, "2 posts were heard" in page.text) == (200, True)


def test_this_week_so_far(desk: Any, client: TestClient) -> None:
    desk.hear("hello", heard_at=NOW)
    assert 'href="/week/2026-W47"' in client.get("/week").text
    page = client.get("/week/2026-W47").text
    assert "<h1>This week so far</h1>" in page
    assert "It is not over" in page


def test_nothing_was_ever_heard(engine: Engine, config: Config, tmp_path: Path) -> None:
    page = visit.visit(visit.room(engine, config, tmp_path)).get("/week")
    assert (page.status_code, "<h1>This week so far</h1>" in page.text) == (200, True)


@pytest.mark.parametrize("name", ["2026-W99", "2027-W01", "2020-01-01-to-2026-01-01", "x"])
def test_a_span_that_there_is_not(client: TestClient, name: str) -> None:
    assert client.get(f"/week/{name}").status_code == 409


def test_tables_as_files(client: TestClient) -> None:
    page = client.get("/week/2026-W46/tables").text
    assert 'href="/week/2026-W46/tables/volume_by_day.csv"' in page
    one = client.get("/week/2026-W46/tables/volume_by_day.csv")
    assert one.headers["content-disposition"] == 'attachment; filename="2026-W46-volume_by_day.csv"'
    rows = list(csv.reader(io.StringIO(one.content.decode("utf-8-sig"))))
    packed = zipfile.ZipFile(io.BytesIO(client.get("/week/2026-W46/tables/all.zip").content))
    assert packed.read("volume_by_day.csv") == one.content
    assert all(f'tables/{name}"' in page for name in packed.namelist())
    book = load_workbook(io.BytesIO(client.get("/week/2026-W46/tables/all.xlsx").content))
    assert (book.sheetnames[0], [cell.value for cell in book["volume_by_day"][1]]) == ("summary", rows[0])
    assert client.get("/week/2026-W46/tables/../../../etc").status_code == 404
    assert client.get("/week/2026-W46/tables/none.csv").status_code == 404


def test_why_it_could_not_be_counted_and_trying_again(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(counting.report, "chosen", lambda *_: ["no such section"])
        page = client.get("/week/2026-W46")
        assert "no section &#39;no such section&#39;" in page.text
        assert "Try again" in client.get("/week/2026-W46").text
    page = client.post("/week/2026-W46", data={"csrf": visit.csrf(page.text)})
    assert "words of kim" in page.text


def test_nobody_else_sees_it(engine: Engine, config: Config, tmp_path: Path) -> None:
    away = visit.visit(visit.room(engine, config, tmp_path), {"accept": "text/plain"}, address="10.0.0.9")
    assert {away.get(path).status_code for path in ("/week", "/week/2026-W46", "/week/2026-W46/tables/all.zip")} == {
        401
    }
