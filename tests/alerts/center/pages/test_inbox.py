"""The inbox: whose cases stand where, what an open page is sent, and what is known of a spike."""

from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from fakes.center import FAR, House, send
from sqlalchemy import Engine
from sqlmodel import Session, func, select
from starlette.testclient import TestClient

from alerts.case import CaseEvent
from alerts.center.live import Position, Told
from alerts.center.page import Words
from alerts.center.pages.inbox import news
from alerts.spikes import KNOWN, Spike
from listener.database import reading

MINUTE = timedelta(minutes=1)


@pytest.fixture
def spike(engine: Engine) -> int:
    """Many speak of the portal."""
    with Session(engine) as session:
        session.add(Spike(topic="digital", began_at=NOW - 9 * MINUTE, seen_at=NOW, usual=0.1))
        session.commit()
    return 1


def csrf(page: Any) -> str:
    return str(page.text.split('name="csrf" value="')[1].split('"')[0])


def cases(page: Any, name: str) -> list[int]:
    """The cases of one of the lists, in their order."""
    of_it = page.text.partition(f'data-list="{name}"')[2].partition("</ul>")[0]
    return [int(part.split('"')[0]) for part in of_it.split('data-case="')[1:]]


def told(house: House, since: int = 0) -> list[tuple[str, Any]]:
    """What an open page is sent that knows of the first `since` events."""
    with reading(house.engine) as session:
        until = session.exec(select(func.count()).select_from(CaseEvent)).one()
        return list(news(Told(session, house.config, house.now, Position(since), Position(until), Words("en"))))


def test_three_lists_danger_first(desk: Any, house: House, ana: TestClient) -> None:
    for urgency in ("routine", "serious", "danger", "routine", "routine"):
        desk.alert(urgency=urgency, **({"danger_of": "collapse"} if urgency == "danger" else {}))
    desk.act("claim", "U0ANA1", case_id=4)
    desk.act("claim", "ben", case_id=5)
    page = ana.get("/inbox")
    assert cases(page, "mine") == [4]
    assert cases(page, "free")[0] == 3
    assert set(cases(page, "free")) == {1, 2, 3}
    assert cases(page, "others") == [5]


def test_nothing_but_redacted_words(desk: Any, house: House, vera: TestClient) -> None:
    desk.alert("I am Bob Miller", redacted_text="I am [name]", author="bobm", author_name="Bob M")
    page = vera.get("/inbox").text
    assert "I am [name]" in page
    assert not [word for word in ("Miller", "bobm", "Bob M") if word in page]


@pytest.mark.parametrize(
    ("more", "shown"), [("", 50), ("60", 52), ("7", 50), ("-1", 50), ("x", 50), ("9" * 30, 50), ("²", 50)]
)
def test_more_on_request(desk: Any, house: House, ana: TestClient, more: str, shown: int) -> None:
    for _ in range(52):
        desk.hear()
    desk.decide()
    assert len(cases(ana.get(f"/inbox?more={more}"), "free")) == shown


@pytest.mark.parametrize("path", ["/inbox", "/inbox/spikes"])
def test_who_has_not_signed_in_sees_nothing(desk: Any, house: House, path: str) -> None:
    desk.alert("secret words")
    assert house.browser(FAR, ("10.1.2.3", 1)).get(path).status_code == 303


# ---------------------------------------------------------------- news


def test_a_new_case_and_what_becomes_of_it(desk: Any, house: House) -> None:
    desk.alert("nobody comes")
    first = dict(told(house))
    assert first["line"]["case"] == 1
    assert "nobody comes" in first["line"]["html"]
    assert (first["counts"]["danger"], first["counts"]["free"]) == (0, 1)
    seen = len(desk.events())
    desk.act("close", outcome="fixed")
    then = told(house, seen)
    assert ("over", {"case": 1, "state": "closed"}) in then
    assert dict(then)["counts"]["free"] == 0


def test_who_looked_is_no_news(desk: Any, house: House, ana: TestClient) -> None:
    desk.alert("my dad collapsed", urgency="danger", danger_of="collapse")
    seen = len(desk.events())
    desk.session.rollback()  # a transaction that stays open keeps others from writing
    ana.get("/cases/1")
    assert len(desk.events()) == seen + 1
    assert told(house, seen) == []


# ---------------------------------------------------------------- what is known of a spike


def test_care_writes_what_is_known_and_everybody_reads_it(
    desk: Any, house: House, ana: TestClient, vera: TestClient, spike: int
) -> None:
    assert "/spikes/1" in ana.get("/inbox").text
    assert "/spikes/1" not in vera.get("/inbox").text
    kept = send(ana, "/spikes/1", csrf=csrf(ana.get("/spikes/1")), known="Our portal is being repaired.")
    assert (kept.status_code, kept.headers["location"]) == (303, "/inbox")
    for path in ("/inbox", "/inbox/spikes"):
        assert "We know: Our portal is being repaired." in vera.get(path).text
    with Session(house.engine) as session:
        known = session.get_one(Spike, 1)
        assert (known.known, known.known_by) == ("Our portal is being repaired.", "U0ANA1")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("Sorry Cathy, your surgery was moved", "it names a person"),
        ("", "please answer this"),
        ("x" * (KNOWN + 1), f"at most {KNOWN}"),
    ],
)
def test_words_that_may_not_go_into_drafts(
    desk: Any, house: House, ana: TestClient, spike: int, words: str, why: str
) -> None:
    refused = send(ana, "/spikes/1", csrf=csrf(ana.get("/spikes/1")), known=words)
    assert refused.status_code == 422
    assert why in refused.text
    assert f"\n{words}</textarea>" in refused.text
    with Session(house.engine) as session:
        assert session.get_one(Spike, 1).known is None


def test_who_may_not(house: House, ana: TestClient, vera: TestClient, spike: int) -> None:
    assert vera.get("/spikes/1").status_code == 403
    word = csrf(vera.get("/inbox"))
    assert send(vera, "/spikes/1", csrf=word, known="x").status_code == 403
    assert send(ana, "/spikes/1", csrf="0" * 32, known="x").status_code == 403
    with Session(house.engine) as session:
        assert session.get_one(Spike, 1).known is None


@pytest.mark.parametrize("number", ["2", "9" * 30, "x"])
def test_a_spike_that_there_is_not(house: House, ana: TestClient, spike: int, number: str) -> None:
    assert ana.get(f"/spikes/{number}").status_code == 404


def test_a_spike_that_is_over_takes_no_words(house: House, ana: TestClient, spike: int) -> None:
    word = csrf(ana.get("/spikes/1"))
    with Session(house.engine) as session:
        session.get_one(Spike, 1).over_at = NOW
        session.commit()
    assert send(ana, "/spikes/1", csrf=word, known="Our portal is being repaired.").status_code == 404
    assert "portal" not in ana.get("/inbox/spikes").text
