"""What the care team, the admin and the IT person see of listening: outages, silence, money, threads, what is taken back."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import NOW
from fakes.pager import FakePager
from fakes.slack import CARE_CHANNELS, FakeSlack
from fakes.x import FakeX
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from alerts.pager import Pager
from alerts.slack import Slack
from config.schema import Config
from listener.collect import known_collectors
from listener.mention import Mention
from listener.service import Service
from nlp.pipeline import Reader

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> float:
        return self.at.timestamp()

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def x(clock: Clock) -> Iterator[FakeX]:
    with FakeX(now=clock, own_handle="StBrigidCares", lag=0) as x:
        yield x


@pytest.fixture
def slack(clock: Clock) -> Iterator[FakeSlack]:
    with FakeSlack(now=clock) as slack:
        for name in CARE_CHANNELS:
            slack.add_channel(name)
        yield slack


@pytest.fixture
def service(
    x: FakeX, slack: FakeSlack, config: Config, reader: Reader, engine: Engine, clock: Clock, tmp_path: Path
) -> Callable[..., Service]:
    """The whole product with X on, told as an admin would tell it."""

    def made(**settings: Any) -> Service:
        usual = {"on": True, "base_url": x.base_url, "queries": ["brigid"], "every": "60s"}
        listening = known_collectors()["x"].Settings(**{**usual, **settings})
        only = config.model_copy(update={"collectors": {"x": listening}})
        door = Slack("xoxb-test-token", slack.base_url, config.care.slack.channels, clock.now)
        made = Service(only, engine, door, {"X_BEARER_TOKEN": "test-bearer"}, clock.now, tmp_path / "reports")
        made.in_force.reader = reader
        return made

    return made


def said(slack: FakeSlack, channel: str) -> list[str]:
    """Each message of a channel as people read it, in order."""

    def words(part: Any) -> str:
        if isinstance(part, dict):
            return " ".join(words(value) for name, value in part.items() if name not in ("type", "style"))
        return " ".join(map(words, part)) if isinstance(part, list) else str(part)

    return [words(message["blocks"]) for message in slack.messages(channel)]


def test_after_an_outage_of_three_days(service: Any, x: FakeX, slack: FakeSlack, clock: Clock) -> None:
    """Everything is caught up, danger is told first, and its clock says how long it has been waiting."""
    product = service()
    product.tick()
    clock.at += 3 * DAY
    x.post("my dad collapsed in the waiting room at St. Brigid's and nobody comes", "kim", at=clock.at - 70 * HOUR)
    for n in range(250):
        words = f"Waited {n} hours in the ER at St. Brigid's, not a word from anybody"
        x.post(words, f"author{n}", at=clock.at - 69 * HOUR + n * MINUTE)
    passed = product.tick()
    assert (passed.new, passed.trouble) == (251, [])
    (danger,) = slack.messages("social-care-danger")
    sent = [float(message["ts"]) for message in slack.messages("social-care")]
    assert float(danger["ts"]) < min(sent)
    assert (
        f"{(clock.at - 70 * HOUR).astimezone(product.config.hospital.zone):%a %H:%M} on X"
        in said(slack, "social-care-danger")[0]
    )
    from alerts.case import Case

    with Session(product.engine) as session:
        first = session.exec(select(Case).where(Case.urgency == "danger")).one()
        assert first.clock_from == clock.at - 70 * HOUR, "the clock does not start when we came back"


def test_silence_is_told_and_its_end(service: Any, x: FakeX, slack: FakeSlack, clock: Clock) -> None:
    product = service(quiet_after="24h")
    x.post("St. Brigid's ER was kind to me", at=clock.at - MINUTE)
    for _ in range(30):  # a day and six hours, an hour a pass
        product.tick()
        clock.at += HOUR
    (note,) = said(slack, "call-light-health")
    assert "x has heard nothing new since 2026-11-16 15:00 UTC" in note
    x.post("hours in the waiting room at St. Brigid's", "bob", at=clock.at - MINUTE)
    for _ in range(3):
        product.tick()
    assert [("hears again" in note) for note in said(slack, "call-light-health")] == [False, True]


def test_money(service: Any, x: FakeX, slack: FakeSlack, clock: Clock) -> None:
    """Told at eighty in a hundred, stopped at a hundred, on again the next day with what was missed."""
    product = service(daily_reads=50, price_per_read=0.005)
    for n in range(40):
        x.post(f"Waited {n} hours at St. Brigid's", f"a{n}", at=clock.at - HOUR + n * MINUTE)
    product.tick()
    (near,) = said(slack, "call-light-health")
    assert "40 of the 50 reads of the day are used" in near
    clock.at += HOUR
    missed = [x.post(f"Hours and hours at St. Brigid's {n}", f"b{n}", at=clock.at - n * MINUTE) for n in range(1, 31)]
    product.tick()
    product.tick()
    assert "are used up, so it hears nothing until Tue 17 Nov 00:00 UTC" in said(slack, "call-light-health")[1]
    assert len(said(slack, "call-light-health")) == 2, "once each"
    clock.at = NOW.replace(hour=0) + DAY + MINUTE
    for _ in range(3):
        product.tick()
    with Session(product.engine) as session:
        kept = set(session.exec(select(Mention.ref)))
    assert set(missed) <= kept, "nothing was lost, only late"
    assert "hears again" in said(slack, "call-light-health")[-1]


def test_what_its_author_takes_back(
    service: Any, x: FakeX, slack: FakeSlack, clock: Clock, tmp_path: Path, engine: Engine
) -> None:
    """Gone from X: the card, the digest, the weekly page and the database forget it within a day."""
    product = service()
    sentence = "the nurse in the turquoise jacket at St. Brigid's shouted at my grandmother for two hours"
    ref = x.post(sentence, "zelda", at=clock.at - MINUTE)
    kind = x.post("thank you St. Brigid's for the magenta blanket, so kind to my mom", "yves", at=clock.at - MINUTE)
    product.tick()
    clock.at += 2 * HOUR
    product.flow()
    from alerts import report
    from alerts.span import holding

    with Session(engine) as session:
        span = holding("week", NOW.astimezone(product.config.hospital.zone).date(), product.config.hospital.zone)
        path, _, _ = report.write(tmp_path / "reports", session, product.config, span, clock.at)
    everything = str([slack.messages(channel) for channel in CARE_CHANNELS])
    assert [word for word in ("turquoise", "magenta") if word not in everything] == []
    assert "magenta" in path.read_text(encoding="utf-8")
    x.delete(ref)
    x.delete(kind)
    clock.at += DAY
    passed = product.tick()
    assert passed.deleted == 2
    product.flow()
    everything = str([slack.messages(channel) for channel in CARE_CHANNELS]) + path.read_text(encoding="utf-8")
    assert [word for word in ("turquoise", "magenta", "zelda", "yves") if word in everything] == []
    assert "deleted by its author" in said(slack, "social-care")[0]
    engine.dispose()
    database = tmp_path / "data" / "call-light.db"
    with closing(sqlite3.connect(database)) as plain:
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = b"".join(path.read_bytes() for path in database.parent.glob("call-light.db*"))
    assert [word for word in (b"turquoise", b"magenta", b"zelda", b"yves") if word in raw] == []


def test_a_story_told_in_three_posts_heard_backwards(
    service: Any, x: FakeX, slack: FakeSlack, clock: Clock, engine: Engine
) -> None:
    """The last part is heard first, as after a dropped connection; in the end it is one case with all three."""
    product = service()
    root = x.post("1/3 My dad fell in the lobby of St. Brigid's", "kim", at=clock.at - 9 * MINUTE)
    second = x.post("2/3 he hit his head and is not answering", "kim", at=clock.at - 8 * MINUTE, in_reply_to=root)
    x.post("3/3 and nobody came, brigid", "kim", at=clock.at - 7 * MINUTE, in_reply_to=second)
    product.tick()  # the search finds the first and the last: only they hold the word
    with Session(engine) as session:
        assert len(session.exec(select(Mention)).all()) == 2
    (card,) = [*said(slack, "social-care-danger"), *said(slack, "social-care")]
    assert "2 by the same person" in card
    assert "My dad fell" in card
    assert "nobody came" in card


def test_copies_are_one_card(service: Any, x: FakeX, slack: FakeSlack, clock: Clock, engine: Engine) -> None:
    product = service()
    story = (
        "My grandmother lay in the hallway of St. Brigid's for nine hours with a broken hip and nobody gave her water"
    )
    for n in range(20):
        x.post(f"{'RT ' if n else ''}{story} {'#shame' * (n % 3)}", f"author{n}", at=clock.at - HOUR + n * MINUTE)
    product.tick()
    cards = [*said(slack, "social-care"), *said(slack, "social-care-danger")]
    assert len(cards) == 1
    assert "20 by 20 people" in cards[0]
    with Session(engine) as session:
        assert len(session.exec(select(Mention).where(col(Mention.text) != "")).all()) == 20, "all are kept"


@pytest.mark.parametrize("fails", ["the folder", "write_again", "a section"])
def test_danger_pages_when_no_page_can_be_written(
    service: Any, x: FakeX, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    def broken(*given: Any) -> None:
        raise ValueError

    product = service()
    clock.at = NOW - 4 * DAY
    product.tick()
    clock.at = NOW
    if fails == "the folder":
        (tmp_path / "reports").write_text("a file")
    else:
        monkeypatch.setattr(f"alerts.report.{'write_again' if fails == 'write_again' else 'report'}", broken)
    x.post("my dad collapsed in the waiting room at St. Brigid's and nobody comes", "kim", at=clock.at - MINUTE)
    with FakePager() as services:
        product.in_force.doors["pager"] = Pager(services.json())
        passed = product.tick()
        assert len(services.pages()) == 1
    assert passed.failed
    (trouble,) = [sentence for sentence in passed.trouble if "page of a week" in sentence]
    assert ("File exists" if fails == "the folder" else "ValueError; please report it") in trouble


def test_two_copies_of_the_service(service: Any, x: FakeX, clock: Clock) -> None:
    """On one database: one collects, the other says so and takes over when the first is gone."""
    first, second = service(), service()
    second.me = "elsewhere:99"  # another machine
    x.post("hours at St. Brigid's", at=clock.at - MINUTE)
    assert first.collect("x").new == 1
    asked = len(x.requests)
    passed = second.tick()
    assert "another copy of the service" in passed.trouble[0]
    assert "collects since 2026-11-16 15:00 UTC" in passed.trouble[0]
    assert passed.failed is False, "nothing is broken"
    assert len(x.requests) == asked
    assert passed.read == 1, "it reads, decides and delivers all the same"
    clock.at += 5 * MINUTE
    x.post("more hours at St. Brigid's", "bob", at=clock.at - MINUTE)
    assert second.tick().new == 1


def test_the_weekly_message_after_a_stop(
    service: Any, x: FakeX, slack: FakeSlack, clock: Clock, tmp_path: Path
) -> None:
    """Off from Sunday night to Wednesday: the week is told once, with a chart and its page; what is taken back later is
    taken out of the message, of the file in Slack and of the page."""
    product = service()
    clock.at = NOW - 4 * DAY  # Thursday
    ref = x.post("thank you St. Brigid's for the purple blanket, so kind to my mom", "yves", at=clock.at - MINUTE)
    product.tick()
    clock.at = NOW + 2 * DAY  # Wednesday
    for _ in range(3):
        product.tick()
        clock.at += MINUTE
    (message,) = slack.messages("social-weekly")
    assert "Mon 9 Nov to Sun 15 Nov 2026" in message["text"]
    assert [block["type"] for block in message["blocks"]].count("image") >= 1
    page = tmp_path / "reports" / "2026-W46.html"
    assert "purple" in page.read_text(encoding="utf-8")
    assert b"purple" in (slack.files()[-1].content or b"")
    assert [path.name for path in page.parent.iterdir()] == ["2026-W46.html"], "no week before it listened"
    x.delete(ref)
    clock.at += DAY
    product.tick()
    product.tick()
    (edited,) = slack.messages("social-weekly")
    assert edited["ts"] == message["ts"]
    assert edited["files"] != message["files"]
    everything = [page.read_bytes(), str(slack.messages("social-weekly")).encode()]
    everything += [file.content or b"" for file in slack.files()]
    assert [place for place in everything if b"purple" in place or b"yves" in place] == []
    product.flow()
    assert len(slack.messages("social-weekly")) == 1
