"""What a visitor of the search page sees, may follow and takes along."""

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import visit
from conftest import NOW
from fakes.strangers import HOSTILE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from starlette.testclient import TestClient

from alerts.center.pages.search import Asked, pieces
from config.schema import Config


@pytest.fixture
def client(engine: Engine, config: Config, tmp_path: Path) -> TestClient:
    return visit.visit(visit.room(engine, config, tmp_path))


def main(page: Any) -> str:
    """What of a page was found, without the form."""
    return str(page.text).partition('id="found-title"')[2]


def test_hits_with_marks_and_their_case(desk: Any, client: TestClient) -> None:
    case_id = desk.alert("Parked for hours near the garage", author="secretive", author_name="Ann Other")
    found = client.get("/search?q=parking")
    assert "<mark>Parked</mark> for hours" in main(found)
    assert f'href="/cases/{case_id}"' in main(found)
    assert "1 post<" in main(found)
    assert not {"secretive", "Ann Other"} & set(found.text.split())
    assert "secretive" not in found.text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("q=parkng", "looked for parking instead"),
        ("q=zebra", "No post says zebra."),
        ("q=%F0%9F%91%8D", "There is no word in it to look for."),
        ("q=parking&kind=praise", "of any kind"),
    ],
)
def test_what_is_said_of_it(desk: Any, client: TestClient, asked: str, said: str) -> None:
    desk.hear("parking is dear", kind="complaint")
    assert said in main(client.get(f"/search?{asked}"))


def test_a_way_out_finds_what_it_promises(desk: Any, client: TestClient) -> None:
    desk.hear("parking is dear", kind="complaint")
    page = main(client.get("/search?q=parking&kind=praise"))
    assert 'href="/search?q=parking"' in page
    assert "1 post<" in main(client.get("/search?q=parking"))
    page = main(client.get("/search?q=parking+zebra&kind=complaint"))
    assert 'href="/search?q=parking&amp;kind=complaint"' in page


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("", 3),
        ("urgency=danger", 1),
        ("source=reddit", 1),
        ("kind=praise", 1),
        ("site=Harbor+Campus", 1),
        ("category=billing", 1),
        ("state=open", 2),
        ("since=2026-11-16", 2),
        ("q=-dear&source=", 2),
    ],
)
def test_filters(desk: Any, client: TestClient, asked: str, count: int) -> None:
    billing = [{"id": "billing", "score": 0.9, "words": []}]
    desk.alert("the bill is dear", urgency="danger", categories=billing, site="Harbor Campus")
    desk.alert("no answer", source="reddit")
    desk.hear("thank you", kind="praise", urgency="low", written_at=NOW - timedelta(days=3))
    page = main(client.get(f"/search?{asked}"))
    assert page.count('<li class="hit ') == count


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("since=yesterday", "is no date"),
        ("urgency=urgnt", "there is no &#39;urgnt&#39;"),
        ("since=99999-01-01", "date"),
    ],
)
def test_what_is_no_filter_is_said(desk: Any, client: TestClient, asked: str, said: str) -> None:
    found = client.get(f"/search?q=bill&{asked}")
    assert (found.status_code, said in found.text.partition('role="alert"')[2][:200]) == (422, True)
    assert 'value="bill"' in found.text


def test_pages_up_to_a_thousand(desk: Any, client: TestClient) -> None:
    for number in range(30):
        desk.hear(f"parking {number}", read=False)
        desk.read(number + 1)
    first = main(client.get("/search?q=parking"))
    assert (first.count('<li class="hit '), "1 to 25" in first) == (25, True)
    assert 'href="/search?q=parking&amp;page=2"' in first
    second = main(client.get("/search?q=parking&page=2"))
    assert (second.count('<li class="hit '), "26 to 30" in second, "page=3" in second) == (5, True, False)
    assert not set(first.split("</li>")) & set(second.split("</li>")[:-1])
    for odd in ("0", "-3", "99999999", "two", "²"):
        assert client.get(f"/search?q=parking&page={odd}").status_code == 200


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil", "http://[", "", None])
def test_only_addresses_of_the_web_are_links(desk: Any, client: TestClient, url: str | None) -> None:
    desk.hear("parking", url=url)
    assert "Open it" not in main(client.get("/search?q=parking"))


def test_a_link_may_name_the_author_so_that_viewers_get_none(
    desk: Any, engine: Engine, config: Config, tmp_path: Path
) -> None:
    desk.hear("parking", url="https://x.com/somebody/status/1")
    room = visit.room(engine, visit.seated(config, eve={"role": "viewer"}, ana={"role": "care"}), tmp_path)
    away = visit.visit(room, address="10.0.0.9")
    assert "somebody" not in away.get("/search?q=parking", headers=visit.token(room, "eve")).text
    assert "https://x.com/somebody/status/1" in away.get("/search?q=parking", headers=visit.token(room, "ana")).text


def test_a_table_for_a_spreadsheet(desk: Any, client: TestClient) -> None:
    desk.alert("=1+1 parking", author="secretive", url="https://x.com/secretive/1")
    found = client.get("/search.csv?q=parking")
    assert found.headers["content-disposition"] == 'attachment; filename="search-2026-11-16.csv"'
    header, row = csv.reader(io.StringIO(found.content.decode("utf-8-sig")))
    assert (header[0], row[-1], "secretive" in found.text) == ("Written", "'=1+1 parking", False)


def test_what_a_stranger_wrote_is_text(desk: Any, client: TestClient) -> None:
    for words in (*HOSTILE, "<script>alert(1)</script>", "<img src=x onerror=alert(1)>"):
        desk.hear(f"parking {words}", source="<b>place</b>")
    page = client.get("/search?q=parking").text
    assert not any(tag in page.lower() for tag in ("<script>", "<img src=x", "<b>place", "onerror=alert(1)>"))
    asked = client.get(
        "/search", params={"q": '"><script>alert(1)</script>', "since": '"><script>', "site": "<script>"}
    )
    assert "<script>" not in asked.text


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5))
def test_pieces_are_the_whole_text(text: str, marks: list[tuple[int, int]]) -> None:
    inside = [(min(a, b, len(text)), min(max(a, b), len(text))) for a, b in marks]
    found = pieces(text, inside)
    assert "".join(piece for piece, _ in found) == text
    marked = {at for a, b in inside for at in range(a, b)}
    at = 0
    for piece, is_marked in found:
        assert all((place in marked) == is_marked for place in range(at, at + len(piece)))
        at += len(piece)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.text(max_size=80), st.text(max_size=20), st.text(max_size=20))
def test_any_question_has_an_answer(desk: Any, client: TestClient, q: str, since: str, site: str) -> None:
    found = client.get(Asked(q=q, since=since, site=site).address())
    assert found.status_code in (200, 422)
