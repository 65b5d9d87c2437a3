"""The waterfall: what is shown when it is loaded, and what an open page is sent."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import visit
from conftest import NOW
from fakes.strangers import HOSTILE
from sqlalchemy import Engine
from sqlmodel import Session, func, select
from starlette.testclient import TestClient

from alerts.case import CaseEvent
from alerts.center.live import Position, Told
from alerts.center.page import Words
from alerts.center.pages.waterfall import news
from alerts.message import shorten
from alerts.verdict import Verdict
from config.schema import Config
from listener.database import reading
from listener.mention import Mention

MINUTE = timedelta(minutes=1)
FOOD = [{"id": "food", "score": 0.9, "words": ["soup"]}]


@pytest.fixture
def client(engine: Engine, config: Config, tmp_path: Path) -> TestClient:
    return visit.visit(visit.room(engine, config, tmp_path))


def shown(page: str) -> list[int]:
    """The posts on a page, from its top."""
    return [int(number) for number in re.findall(r'id="post-(\d+)"', page)]


def attribute(page: str, name: str) -> list[str]:
    return re.findall(rf'data-{name}="([^"]*)"', page.partition('id="falls"')[2])


def position(session: Session) -> Position:
    newest = [session.exec(select(func.max(one))).one() or 0 for one in (CaseEvent.id, Verdict.id)]
    return Position(*newest)


class Open:
    """A page that was loaded at a time, and is told what came since."""

    def __init__(self, desk: Any) -> None:
        self.desk, self.at = desk, position(desk.session)

    def told(self, gone_since: Any = None) -> list[tuple[str, Any]]:
        with reading(self.desk.session.get_bind()) as session:
            until = position(session)
            told = Told(session, self.desk.config, NOW, self.at, until, Words("en"))
            if gone_since is not None:
                told.__dict__["gone_since"] = gone_since
            self.at = until
            return list(news(told))

    def posts(self) -> list[Any]:
        return [said for name, said in self.told() if name == "post"]


def test_a_post_with_all_that_is_known_of_it(desk: Any, client: TestClient) -> None:
    desk.alert(
        "Ann waited for soup", redacted_text="[name] waited for soup", categories=FOOD, urgency="serious",
        site="Harbor Campus", departments=["Emergency"], author="secretive", rating=2.0,
    )  # fmt: skip
    page = client.get("/").text
    assert "[name] waited for <mark>soup</mark>" in page
    for words in ("Serious", "Harbor Campus", "Emergency", "complaint", "2 of 5 stars", "upset", 'href="/cases/1"'):
        assert words in page
    assert "nobody has it yet" in page
    assert "Ann" not in page
    assert "secretive" not in page
    assert (attribute(page, "site"), attribute(page, "category"), attribute(page, "urgency")) == (
        ["Harbor_Campus"],
        ["food"],
        ["serious"],
    )


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"voice": "promo", "kind": None, "urgency": "none"}, "adverts, job offers and spam"),
        ({"kind": "comment", "urgency": "low"}, "told in the digest"),
        ({"own": True}, "We"),
        ({"readable": False, "language": "pl", "redacted_text": ""}, "Not read: language pl"),
    ],
)
def test_what_became_of_it_is_said(desk: Any, client: TestClient, said: dict[str, Any], words: str) -> None:
    desk.hear(**said)
    desk.decide()
    assert words in client.get("/").text.partition('id="falls"')[2]


def test_our_own_posts_have_no_face(desk: Any, client: TestClient) -> None:
    desk.hear("We are sorry", own=True, mood=-0.9)
    assert "upset" not in client.get("/").text.partition('id="falls"')[2]


def test_sixty_at_first(desk: Any, client: TestClient) -> None:
    heard = [desk.hear(heard_at=NOW - number * MINUTE) for number in range(62)]
    assert shown(client.get("/").text) == heard[:60]


@pytest.mark.parametrize(
    ("asked", "count"),
    [("", 3), ("?category=food", 1), ("?urgency=danger", 1), ("?site=Harbor+Campus", 1), ("?site=Nowhere", 3)],
)
def test_filters(desk: Any, client: TestClient, asked: str, count: int) -> None:
    desk.hear(categories=FOOD)
    desk.hear(urgency="danger")
    desk.hear(site="Harbor Campus")
    assert len(shown(client.get(f"/{asked}").text)) == count


def test_a_filter_stays_chosen_and_says_how_far_it_looked(desk: Any, client: TestClient) -> None:
    desk.hear()
    page = client.get("/?urgency=danger").text
    assert '<option value="danger" selected>' in page
    assert "None of the newest 5,000 posts fits." in page


def test_the_numbers_of_today(desk: Any, client: TestClient) -> None:
    desk.alert()
    desk.hear(voice="promo", kind=None, urgency="none")
    assert re.findall(r"<dd>(\d+)</dd>", client.get("/waterfall/today").text) == ["2", "1", "0"]


def test_nothing_yet(client: TestClient) -> None:
    assert "Nothing was heard yet." in client.get("/").text


MARKUP = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><img src=x>', "{{ 7 * 7 }}{% raw %}"]


@pytest.mark.parametrize("text", [*HOSTILE, *MARKUP])
def test_words_stay_words(desk: Any, client: TestClient, text: str) -> None:
    desk.alert(text, categories=[{"id": "food", "score": 1, "words": [shorten(text, 500) or "x"]}], site=text[:50])
    page = client.get("/").text
    assert "<script>" not in page
    assert "<img src=x" not in page
    assert "\u202e" not in re.sub(r"<[^>]*>", "", page)


# ---------------------------------------------------------------- what an open page is sent


def test_a_post_is_news_once_it_is_decided(desk: Any) -> None:
    page = Open(desk)
    mention = desk.hear("soup was cold")
    assert page.posts() == []
    desk.decide()
    (said,) = page.posts()
    assert (said["id"], said["left_out"], said["again"]) == (mention, 0, False)
    assert "soup was cold" in said["html"]
    assert 'href="/cases/1"' in said["html"]
    assert page.told() == []


def test_each_is_put_on_top_so_the_newest_comes_last(desk: Any) -> None:
    page = Open(desk)
    heard = [desk.hear(heard_at=NOW + number * MINUTE) for number in range(3)]
    desk.decide()
    assert [said["id"] for said in page.posts()] == heard


def test_of_many_at_once_danger_and_the_newest(desk: Any) -> None:
    page = Open(desk)
    danger = desk.hear(urgency="danger", heard_at=NOW - 60 * MINUTE)
    heard = [desk.hear(heard_at=NOW - MINUTE + timedelta(seconds=number)) for number in range(30)]
    desk.decide()
    posts = page.posts()
    assert [said["id"] for said in posts] == [danger, *heard[-19:]]
    assert [said["left_out"] for said in posts] == [11, *[0] * 19]
    assert "11 more posts came at the same time" in posts[0]["html"]


def test_what_becomes_of_a_case_is_told_of_its_posts(desk: Any) -> None:
    case_id = desk.alert()
    page = Open(desk)
    desk.act("claim", case_id=case_id)
    (said,) = page.posts()
    assert said["again"]
    assert "somebody has it" in said["html"]


def test_what_was_only_looked_at_is_no_news(desk: Any) -> None:
    desk.alert()
    page = Open(desk)
    desk.session.add(CaseEvent(case_id=1, at=NOW, who="ana", kind="viewed", what="looked at it"))
    desk.session.commit()
    assert page.told() == []


def test_read_again_is_not_heard_again(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.center.pages.waterfall._KEPT", 1)
    old, new = desk.hear(heard_at=NOW - MINUTE), desk.hear(heard_at=NOW)
    desk.decide()
    page = Open(desk)
    for mention in (old, new):
        desk.edit(mention, "with soup", NOW)
    desk.decide()
    (said,) = page.posts()
    assert (said["id"], said["again"]) == (new, True)


def test_what_is_gone(desk: Any) -> None:
    gone, _ = desk.hear(), desk.hear()
    desk.decide()
    page = Open(desk)
    mention = desk.session.get_one(Mention, gone)
    mention.deleted_at = NOW
    desk.session.add(mention)
    desk.session.commit()
    assert page.told(NOW - MINUTE) == [("gone", [gone])]
    assert page.told(NOW) == []
