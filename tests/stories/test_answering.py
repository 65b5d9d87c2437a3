"""A reply from Slack, from the draft to its being public: what is refused and why, a second person, sent once, told by hand."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import fakes.x
import pytest
from fakes.server import DropAfter, Request
from fakes.slack import FakeSlack
from fakes.slack_people import Person
from sqlalchemy import Engine
from sqlmodel import Session, select
from stories.test_listening import Clock

from alerts.answer import Answer
from alerts.case import Case
from alerts.slack import Slack
from alerts.slack_app import SlackApp
from alerts.slack_link import SocketLine
from config.schema import Config
from listener.collect import known_collectors
from listener.post import Page, Post
from listener.service import Service
from listener.watch import Spend
from nlp.pipeline import Reader

MINUTE = timedelta(minutes=1)
GOOD = "Thank you for telling us. Long waits are hard for anyone. Please reach Patient Relations at 555-0100."
WAITED = "@StBrigidCares waited five hours in your ER today and nobody told us anything"


class Desk:
    """A team in Slack that may answer on X."""

    def __init__(self, service: Service, slack: FakeSlack, place: Any, clock: Clock) -> None:
        self.service, self.slack, self.place, self.clock = service, slack, place, clock
        self.ana, self.ben = Person(slack, "U0ANA1", "ana"), Person(slack, "U0BEN1", "ben")

    def hears(self, text: str, channel: str = "social-care") -> str:
        """Somebody posts on X; the ts of the card."""
        at = self.clock.now() - MINUTE
        ref = self.place.post(text, at)
        post = Post(source="x", ref=ref, text=text, author="ann", written_at=at, url=f"https://x.com/ann/status/{ref}")
        list(self.service.bring_in("x", [Page((post,), {})]))
        self.service.flow()
        self.channel = channel
        return str(self.slack.messages(channel)[-1]["ts"])

    def form(self, person: Person, action: str) -> dict[str, Any]:
        """The form of an action, once it is there."""
        assert self.slack.wait_until(lambda: person.view()["callback_id"] == f"do:{action}", 8)
        return person.view()

    def offers(self, ts: str) -> list[str]:
        """The buttons of a card."""
        card = next(one for one in self.slack.messages(self.channel) if one["ts"] == ts)
        return [
            one["action_id"].removeprefix("do:") for one in card["blocks"][-1]["elements"] if one["type"] == "button"
        ]

    def case(self) -> Case:
        with Session(self.service.engine) as session:
            case = session.exec(select(Case)).one()
            session.expunge(case)
            return case

    def answer(self) -> Answer:
        with Session(self.service.engine) as session:
            answer = session.exec(select(Answer)).one()
            session.expunge(answer)
            return answer

    def billed(self) -> float:
        """What X has billed so far, in US dollars."""
        with Session(self.service.engine) as session:
            return sum(session.exec(select(Spend.cost)))

    def public(self) -> list[str]:
        """What the hospital said on X."""
        return [request.body["text"] for request in self.place.server.seen(_says) if request.status == 201]


def _says(request: Request) -> bool:
    return request.method == "POST" and request.path == "/2/tweets"


@pytest.fixture
def desk(config: Config, reader: Reader, engine: Engine, tmp_path: Path) -> Iterator[Desk]:
    clock = Clock()
    with fakes.x.place(clock, tmp_path) as place, FakeSlack(now=clock) as slack:
        for name in fakes.slack.CARE_CHANNELS:
            slack.add_channel(name)
        settings = known_collectors()["x"].Settings(**{"on": True, **place.settings})
        replies = config.care.replies.model_copy(update={"send": ("x",)})
        care = config.care.model_copy(update={"replies": replies})
        config = config.model_copy(update={"care": care, "collectors": {"x": settings}})
        door = Slack(slack.token, slack.base_url, care.slack.channels, clock.now)
        secrets = {**place.secrets, **place.may_answer()}
        service = Service(config, engine, door, secrets, clock.now, tmp_path)
        service.in_force.reader = reader
        line = SocketLine(
            SlackApp(lambda: config, engine, door, secrets, clock.now).bolt,
            slack.app_token,
            door.client,
            ping=1,
            now=clock.now,
        )
        line.look()
        slack.socket().wait_for(links=1)
        yield Desk(service, slack, place, clock)
        slack.socket().drop()
        line._handler.client.closed = True
        line._handler.client.enqueue_message("{}")
        line.close()


def test_a_reply_is_drafted_checked_previewed_and_sent_once(desk: Desk) -> None:
    ts = desk.hears(WAITED)
    desk.ana.choose("social-care", ts, "menu", "draft:1")
    form = desk.form(desk.ana, "draft")
    proposed = next(block["element"]["initial_value"] for block in form["blocks"] if block["type"] == "input")
    assert "Patient Relations" in proposed, "a template to begin with"

    refused = desk.ana.submit(reply="Hi Ann, we are sorry about your wait in our ER. Please DM us your date of birth.")
    why = refused.errors["reply"]
    assert "your wait" in why
    assert "date of birth" in why
    assert desk.public() == []

    desk.ana.submit(reply=GOOD)
    assert GOOD in str(desk.form(desk.ana, "send")["blocks"]), "the exact words, before anybody sends them"
    assert desk.public() == [], "no word leaves without a second press"
    before = desk.billed()
    desk.ana.submit()
    assert desk.slack.wait_until(lambda: "It is public on X" in str(desk.ana.view()), 8)
    assert desk.public() == [GOOD]
    case = desk.case()
    assert (case.state, case.answered_at) == ("answered", desk.clock.now())
    assert desk.answer().sent_by == "U0ANA1"
    assert desk.billed() == pytest.approx(before + 0.010)

    desk.service.collect("x")
    desk.service.flow()
    assert desk.case().state == "answered", "what we said ourselves is heard as ours"


def test_a_second_person_approves_what_is_danger(desk: Desk) -> None:
    ts = desk.hears("@StBrigidCares my dad collapsed in your waiting room and nobody comes", "social-care-danger")
    desk.ana.choose("social-care-danger", ts, "menu", "draft:1")
    form = desk.form(desk.ana, "draft")
    assert "911" in str(form["blocks"])
    desk.ana.submit(reply="Please tell the nearest member of staff or call 911 now.")
    assert desk.slack.wait_until(lambda: "approve" in desk.offers(ts), 8)
    desk.ana.close_view()

    desk.ana.press("social-care-danger", ts, "do:approve")
    desk.form(desk.ana, "approve")
    own = desk.ana.submit()
    assert "you wrote it" in str(own.answer)

    desk.ben.press("social-care-danger", ts, "do:approve")
    assert "call 911 now" in str(desk.form(desk.ben, "approve")["blocks"])
    desk.ben.submit()
    desk.form(desk.ben, "send")
    desk.ben.submit()
    assert desk.slack.wait_until(lambda: "It is public on X" in str(desk.ben.view()), 8)
    answer = desk.answer()
    assert (answer.written_by, answer.approved_by, answer.sent_by) == ("U0ANA1", "U0BEN1", "U0BEN1")


def test_when_nobody_knows_whether_it_was_sent_it_is_looked_for(desk: Desk) -> None:
    ts = desk.hears(WAITED)
    desk.ana.choose("social-care", ts, "menu", "draft:1")
    desk.form(desk.ana, "draft")
    desk.ana.submit(reply=GOOD)
    desk.form(desk.ana, "send")
    desk.place.server.fail_next(DropAfter(), on=_says)
    desk.ana.submit()
    assert desk.slack.wait_until(lambda: "look" in desk.offers(ts), 20)
    assert desk.answer().state == "unknown"
    assert desk.billed() == pytest.approx(0.010), "it may be public"
    assert len(desk.place.server.seen(_says)) == 1, "it is never tried again blindly"
    desk.ana.close_view()
    desk.clock.at += MINUTE
    desk.ana.press("social-care", ts, "do:look")
    assert desk.slack.wait_until(lambda: desk.case().state == "answered", 20)
    assert desk.answer().state == "sent"
    assert len(desk.place.server.seen(_says)) == 1
    assert desk.billed() == pytest.approx(0.010), "and is billed once"


def test_where_x_takes_no_reply_from_a_program_a_person_posts_it(desk: Desk) -> None:
    ts = desk.hears("waited five hours in the ER at St. Brigid's today and nobody told us anything")
    desk.ana.choose("social-care", ts, "menu", "draft:1")
    desk.form(desk.ana, "draft")
    desk.ana.submit(reply=GOOD)
    form = desk.form(desk.ana, "send")
    link = next(one["url"] for block in form["blocks"] if block["type"] == "actions" for one in block["elements"])
    assert link.startswith("https://x.com/intent/tweet?in_reply_to=")
    assert "Thank%20you" in link
    assert form["submit"]["text"] == "I have posted it"
    desk.ana.submit()
    assert desk.slack.wait_until(lambda: desk.case().state == "answered", 8)
    assert (desk.answer().state, desk.public()) == ("by_hand", [])


def test_the_loop_is_closed(desk: Desk) -> None:
    ts = desk.hears(WAITED)
    desk.ana.press("social-care", ts, "do:claim")
    assert desk.slack.wait_until(lambda: "close" in desk.offers(ts), 8)
    desk.ana.press("social-care", ts, "do:close")
    desk.form(desk.ana, "close")
    desk.ana.submit(outcome="fixed")
    assert desk.slack.wait_until(lambda: "follow_up" in desk.offers(ts), 8)
    desk.ana.press("social-care", ts, "do:follow_up")
    form = desk.form(desk.ana, "follow_up")
    words = next(block["element"]["initial_value"] for block in form["blocks"] if block["type"] == "input")
    assert "fixed now" in words
    desk.ana.submit(reply=words)
    desk.form(desk.ana, "send")
    desk.ana.submit()
    assert desk.slack.wait_until(lambda: bool(desk.public()), 8)
    assert desk.case().state == "closed"
