"""Events of cases, from the case to a receiver that checks their signatures."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest
from conftest import NOW, PROJECT
from fakes.hook_receiver import SECRET, HookReceiver
from fakes.server import Status
from sqlalchemy import Connection, event, text
from sqlmodel import col, select

from alerts.case import Case, CaseEvent, EventKind, move, note
from alerts.deliver import Delivered, deliver
from alerts.delivery import Delivery
from alerts.hooks import Hooks
from alerts.notices.hook import replay, standings, table
from config.schema import Hook
from listener.mention import Mention
from listener.watch import Alarm

HOUR = timedelta(hours=1)


class Told:
    """Cases, and the hooks that are told of them."""

    def __init__(self, desk: Any, *hooks: Hook) -> None:
        care = desk.config.care.model_copy(update={"hooks": hooks})
        desk.config = desk.config.model_copy(update={"care": care})
        self.desk, self.session = desk, desk.session

    def tell(self, now: datetime = NOW) -> Delivered:
        door = Hooks(self.desk.config.care.hooks, {"CALL_LIGHT_HOOK_SECRET": SECRET})
        return deliver(self.session, self.desk.config, door, now, through="hooks")

    def happens(self, case_id: int, kind: EventKind, at: datetime = NOW) -> None:
        note(self.session, self.session.get_one(Case, case_id), at, "someone", kind, "it happened")
        self.session.commit()

    def rows(self) -> list[Delivery]:
        rows = select(Delivery).where(Delivery.kind == "hook").order_by(col(Delivery.id))
        return list(self.session.exec(rows.execution_options(populate_existing=True)))

    def alarms(self) -> list[str]:
        """What stands in the health channel, by the notes that are made of it."""
        return [alarm.over if alarm.over_at else alarm.why for alarm in self.session.exec(select(Alarm))]  # type: ignore[misc]


@pytest.fixture
def crm() -> Iterator[HookReceiver]:
    with HookReceiver() as fake:
        yield fake


@pytest.fixture
def told(desk: Any, crm: HookReceiver) -> Told:
    return Told(desk, Hook(name="crm", url=crm.base_url))


def types(crm: HookReceiver) -> list[str]:
    return [f"{one['data']['case_id']} {one['type'].removeprefix('case.')}" for one in crm.events.values()]


def test_the_life_of_a_case(told: Told, crm: HookReceiver) -> None:
    posted = NOW - timedelta(minutes=2)
    case_id = told.desk.alert("They billed me twice", written_at=posted, categories=[{"id": "billing", "words": []}])
    told.tell()
    (opened,) = crm.events.values()
    assert opened == {
        "type": "case.opened",
        "timestamp": "2026-11-16T15:00:00Z",
        "data": {
            "event_id": 1,
            "case_id": case_id,
            "state": "open",
            "urgency": "routine",
            "topics": ["billing"],
            "source": "x",
            "opened_at": "2026-11-16T15:00:00Z",
            "clock_from": "2026-11-16T14:58:00Z",
            "due_at": told.desk.case(case_id).due_at.isoformat().replace("+00:00", "Z"),
            "answered_at": None,
            "reply_seconds": None,
            "owner": None,
            "outcome": None,
        },
    }
    move(told.session, case_id, "claimed", "U0123ABCD", "claimed it", NOW + timedelta(minutes=1))
    move(told.session, case_id, "answered", "U0123ABCD", "answered", NOW + timedelta(minutes=4))
    told.session.commit()
    told.tell(NOW + timedelta(minutes=5))
    assert types(crm) == ["1 opened", "1 claimed", "1 answered"]
    answered = list(crm.events.values())[-1]
    assert answered["timestamp"] == "2026-11-16T15:04:00Z"
    assert {name: answered["data"][name] for name in ("state", "owner", "reply_seconds", "event_id")} == {
        "state": "answered",
        "owner": "U0123ABCD",
        "reply_seconds": 360,
        "event_id": 3,
    }
    assert told.tell(NOW + HOUR).sent == 0


def test_no_word_of_a_post_and_nobody(told: Told, crm: HookReceiver) -> None:
    told.desk.alert("My zanzibarbecue was cold", author="handleofmine", url="https://x.example/handleofmine/1")
    told.tell()
    (request,) = crm.requests
    assert not [word for word in ("zanzibarbecue", "handleofmine", "x.example") if word in request.raw.decode()]


def test_words_when_they_are_switched_on(desk: Any, crm: HookReceiver) -> None:
    told = Told(desk, Hook(name="crm", url=crm.base_url, text=True))
    case_id = told.desk.alert("Nurse Quillfeather was rude", redacted_text="Nurse [name] was rude")
    told.tell()
    mention = told.session.exec(select(Mention)).one()
    mention.deleted_at, mention.deleted_why = NOW, "deleted by its author"
    told.session.add(mention)
    told.happens(case_id, "forgotten")
    told.tell()
    opened, changed = (one["data"] for one in crm.events.values())
    assert (opened["text"], opened["url"]) == ("Nurse [name] was rude", "https://x.example/1")
    assert (changed["text"], changed["url"]) == (None, None)


@pytest.mark.parametrize("kind", get_args(EventKind))
def test_what_each_event_is_called(told: Told, crm: HookReceiver, kind: EventKind) -> None:
    case_id = told.desk.alert()
    told.tell()
    told.happens(case_id, kind)
    told.tell()
    says_nothing = {"joined", "escalated", "draft", "reminded", "paged", "contact", "viewed"}
    itself = {"opened", "claimed", "answered", "closed", "dismissed", "reopened"}
    expected = [] if kind in says_nothing else [f"1 {kind}" if kind in itself else "1 changed"]
    assert types(crm) == ["1 opened", *expected]


def test_each_hook_is_told_what_it_wants(desk: Any, crm: HookReceiver) -> None:
    with HookReceiver() as tickets:
        wanted = Hook(name="tickets", url=tickets.base_url, events=("case.closed", "case.opened"))
        told = Told(desk, Hook(name="crm", url=crm.base_url), wanted)
        case_id = told.desk.alert()
        move(told.session, case_id, "claimed", "maria", "claimed it", NOW)
        move(told.session, case_id, "closed", "maria", "closed it", NOW)
        told.session.commit()
        told.tell()
        assert types(crm) == ["1 opened", "1 claimed", "1 closed"]
        assert types(tickets) == ["1 opened", "1 closed"]
        assert not set(crm.events) & set(tickets.events), "an event has an id of its own for each hook"


def test_a_hook_that_fails_holds_up_no_other(desk: Any, crm: HookReceiver) -> None:
    with HookReceiver() as broken:
        broken.fail_next(Status(500), times=None)
        told = Told(desk, Hook(name="a", url=broken.base_url), Hook(name="crm", url=crm.base_url))
        for _ in range(5):
            told.desk.alert()
        delivered = told.tell()
    assert len(crm.events) == 5
    assert len(broken.requests) == 1, "it is not asked again in the same pass"
    assert (delivered.sent, delivered.waiting, delivered.trouble) == (5, 5, ("hook a: answers 500",))


# ---------------------------------------------------------------- which events are new


def test_a_new_hook_is_told_of_the_last_day(told: Told, crm: HookReceiver) -> None:
    for hours in (30, 25, 23, 1):
        told.desk.alert(now=NOW - hours * HOUR, written_at=NOW - hours * HOUR)
    told.tell()
    assert types(crm) == ["3 opened", "4 opened"]


def test_after_a_long_stop_everything_is_told(told: Told, crm: HookReceiver) -> None:
    told.desk.alert()
    told.tell()
    told.desk.alert(now=NOW + HOUR, written_at=NOW + HOUR)
    told.tell(NOW + 100 * HOUR)
    assert types(crm) == ["1 opened", "2 opened"]


def test_what_was_written_at_once_and_seen_late(told: Told, crm: HookReceiver) -> None:
    case_id = told.desk.alert()
    for number, ago in ((50, 0), (49, 0), (48, 60)):
        at = NOW - timedelta(minutes=ago)
        told.session.add(CaseEvent(id=number, case_id=case_id, at=at, who="x", kind="raised", what="it happened"))
        told.session.commit()
        told.tell()
    assert [one["data"]["event_id"] for one in crm.events.values()] == [1, 50, 49]


def test_a_pass_without_news_reads_no_table(told: Told, crm: HookReceiver) -> None:
    told.desk.alert()
    told.tell()
    connection = told.session.connection()
    asked: list[tuple[str, Any]] = []

    def keep(_c: Connection, _cursor: object, statement: str, values: Any, *_: object) -> None:
        asked.append((statement, values))

    event.listen(connection.engine, "before_cursor_execute", keep)
    told.session.commit()
    told.tell()
    event.remove(connection.engine, "before_cursor_execute", keep)
    connection = told.session.connection()
    plans = [
        row[-1]
        for statement, values in asked
        if statement.startswith("SELECT")
        for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
    ]
    assert any("ix_caseevent_kind (kind=? AND rowid>?)" in plan for plan in plans), plans
    assert [plan for plan in plans if plan in ("SCAN caseevent", "SCAN delivery")] == []
    assert connection.execute(text("SELECT count(*) FROM caseevent")).scalar() == 1


# ---------------------------------------------------------------- retries


def test_what_is_not_taken_is_sent_again_for_days(told: Told, crm: HookReceiver) -> None:
    crm.fail_next(Status(500), times=None)
    told.desk.alert()
    at = NOW
    waits = []
    for _ in range(20):
        told.tell(at)
        (row,) = told.rows()
        if row.state == "given_up":
            break
        waits.append(row.next_try_at - at)
        at = row.next_try_at
    hours = [0.5, 2, 5, 10, 14, 20, 24]
    assert waits == [timedelta(seconds=5), timedelta(minutes=5), *(hour * HOUR for hour in hours)]
    assert (len(crm.requests), row.trouble) == (10, "hook crm: answers 500")
    assert len({request.headers["webhook-id"] for request in crm.requests}) == 1


def test_people_hear_of_a_hook_that_fails(told: Told, crm: HookReceiver) -> None:
    crm.fail_next(Status(500), times=None)
    told.desk.alert()
    at = NOW
    for tries in range(1, 6):
        told.tell(at)
        at = told.rows()[0].next_try_at
        assert len(told.alarms()) == (tries > 4)
    (why,) = told.alarms()
    assert why.startswith("hook crm: answers 500. Its events wait; after three days")
    crm.heal()
    told.tell(at)
    told.tell(at + HOUR)
    (over,) = told.alarms()
    assert over == "hook crm is stuck no more; call-light hooks list tells whether events were given up"
    assert types(crm) == ["1 opened"]


def test_standings(told: Told, crm: HookReceiver) -> None:
    hooks = told.desk.config.care.hooks
    (new,) = standings(told.session, hooks)
    assert (new.name, new.host, new.sent_at, new.waiting, new.given_up) == ("crm", "127.0.0.1", None, 0, 0)
    told.desk.alert()
    told.tell()
    crm.fail_next(Status(500))
    told.desk.alert()
    told.tell(NOW + HOUR)
    (now,) = standings(told.session, hooks)
    assert (now.sent_at, now.waiting, now.given_up, now.trouble) == (NOW, 1, 0, "hook crm: answers 500")
    assert table([new, now], told.desk.config.hospital.zone).rows == [
        ("crm", "127.0.0.1", "never", 0, 0, ""),
        ("crm", "127.0.0.1", "2026-11-16 09:00", 1, 0, "hook crm: answers 500"),
    ]
    told.tell(NOW + 2 * HOUR)
    (later,) = standings(told.session, hooks)
    assert (later.sent_at, later.waiting, later.trouble) == (NOW + 2 * HOUR, 0, None)


def test_replay(told: Told, crm: HookReceiver) -> None:
    for hours in (3, 2, 1):
        told.desk.alert(now=NOW - hours * HOUR, written_at=NOW - hours * HOUR)
        told.tell(NOW - hours * HOUR)
    ids = list(crm.events)
    crm.events.clear()
    assert replay(told.session, NOW - 2 * HOUR, NOW) == 2
    assert told.tell().sent == 2
    assert list(crm.events) == ids[1:], "the same ids: a receiver that has had them drops them"
    assert replay(told.session, None, NOW, "crm", case_id=1) == 1
    assert replay(told.session, None, NOW, "other") == 0
    assert told.tell().sent == 1
    assert told.tell(NOW + HOUR).sent == 0


def test_what_was_given_up_can_be_told_again(told: Told, crm: HookReceiver) -> None:
    told.desk.alert()
    told.tell()
    (row,) = told.rows()
    row.state, row.attempts, row.trouble = "given_up", 10, "hook crm: answers 500"
    told.session.add(row)
    told.session.commit()
    assert told.tell(NOW + HOUR).sent == 0
    assert replay(told.session, None, NOW + HOUR) == 1
    assert told.tell(NOW + HOUR).sent == 1


def test_the_docs_name_what_is_told(told: Told, crm: HookReceiver) -> None:
    docs = (PROJECT / "docs" / "handoff.md").read_text(encoding="utf-8")
    told.desk.alert()
    told.tell()
    (opened,) = crm.events.values()
    assert [name for name in opened["data"] if f"`{name}`" not in docs] == []
