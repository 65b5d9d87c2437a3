"""The process is killed before and after each commit in turn, in a child of its own: between an effect and what is written
of it, and between what is written and the effect. A new process goes on, and the same rules hold as after any fault."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlmodel import select

from alerts.case import CaseEvent
from faults.calls import Call, _state
from faults.of_slack import of_care, slack
from faults.table import CALLS
from faults.world import COLLAPSED, MINUTE, WAITED, World
from listener.database import open_database

KILLED, DONE, BROKEN = 9, 0, 3
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def _waits_long(world: World) -> None:
    """Nobody takes a case up: the channel, and who is on call, are told."""
    world.pages()
    of_care(world, WAITED, COLLAPSED)
    world.at += 90 * MINUTE


def _clocks(world: World) -> None:
    world.service.clocks()
    world.works()


def _reminded(world: World) -> str:
    for _ in range(2):
        world.service.clocks()
        world.works()
        world.at += MINUTE
    return "told once"


def _told_once(world: World) -> None:
    assert _state(world) == "open"
    steps = [one["metadata"]["event_type"] for one in world.messages()]
    assert "call_light_reminder" in steps, steps
    with world.session() as session:
        told = [(one.case_id, one.what, one.at) for one in session.exec(select(CaseEvent)).all()]
    assert len(told) == len(set(told)), "a step is written down twice"


LATE = Call("Clocks", "a case that nobody takes up", slack("chat.postMessage"), _waits_long, _clocks, _reminded,
            _told_once, at="slack")  # fmt: skip
WHAT = {  # as the page calls it -> the call within which it is killed
    "hearing, reading, telling": "X, search",
    "hearing a feed": "Feeds, feed",  # what one search of X missed another may hear: here nobody asks twice
    "forgetting what was deleted": "X, are kept posts still there?",
    "a press": "Slack, chat.update, a card that changed",
    "a public reply": "X, reply",
    "looking for a public reply": "X, is the reply there?",
    "a card": "Slack, chat.postMessage, a card",
    "looking for a card": "Slack, conversations.history, did the card arrive?",
    "the weekly summary and its charts": "Slack, upload of the bytes",
    "taking back what quotes a deleted post": "Slack, files.delete, a chart that quotes what is gone",
    "a page": "Pager, a page to who is on call",
    "an event for another system": "Hooks, an event of a case",
}

ALL = (*WHAT, "reminding and paging")
SHALLOW = ("hearing a feed", "hearing, reading, telling", "a press")  # `make test` plays these


@dataclass
class Commits:
    """How many there are, and after which of them something was asked of the outside."""

    count: int
    asked_after: set[int]


@contextmanager
def _at_each(engine: Engine, before: Callable[[int], None], after: Callable[[int], None]) -> Iterator[None]:
    """Called with the number of each commit, from 1."""
    real, number = engine.dialect.do_commit, [0]

    def do_commit(connection: Any) -> None:
        number[0] += 1
        before(number[0])
        real(connection)
        after(number[0])

    engine.dialect.do_commit = do_commit  # type: ignore[method-assign]
    try:
        yield
    finally:
        engine.dialect.do_commit = real  # type: ignore[method-assign]


def _requests(world: World) -> int:
    fakes = [world.slack, world.pager, world.hook]
    fakes += [world.server("place")] if world.place is not None else []
    return sum(len(fake.requests) for fake in fakes if fake is not None)


def _commits_of(call: Call, world: World) -> Commits:
    call.begin(world)
    asked: list[int] = []
    with _at_each(world.engine, lambda _: asked.append(_requests(world)), lambda _: None):
        call.act(world)
    asked.append(_requests(world))
    return Commits(len(asked) - 1, {n for n in range(1, len(asked)) if asked[n] > asked[n - 1]})


def _killed(call: Call, world: World, number: int, when: str) -> int:
    """Do it in a child that ends at once at this commit; how it ended."""
    call.begin(world)
    world.engine.dispose()
    child = os.fork()
    if child == 0:
        try:
            at = {"before": lambda n: None, "after": lambda n: None}
            at[when] = lambda n: os._exit(KILLED) if n == number else None
            with _at_each(world.engine, at["before"], at["after"]):
                call.act(world)
            os._exit(DONE)
        finally:
            os._exit(BROKEN)
    _, status = os.waitpid(child, 0)
    world.next_press()  # another press than that which was cut off
    return os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize(
    "what", [what if what in SHALLOW else pytest.param(what, marks=pytest.mark.deep) for what in ALL]
)
def test_killed_at_every_commit(what: str, worlds: Any, see: Any) -> None:
    call = LATE if what not in WHAT else next(call for call in CALLS if str(call) == WHAT[what])
    with worlds() as world:
        commits = _commits_of(call, world)
    assert commits.count
    points = [(number, "before") for number in range(1, commits.count + 1)]
    points += [(number, "after") for number in sorted(commits.asked_after)]
    for number, when in points:
        with worlds() as world:
            assert _killed(call, world, number, when) in (KILLED, DONE), f"{when} commit {number}"
            world.start()
            call.after(world)
            call.check(world)
            world.adds_up()
    see("machine", "Killed at every commit", what, "a new process goes on: nothing lost, nothing twice")


def _made_until(data: Path, last: int) -> int:
    """How a process ended that makes a database and is killed before its commit number `last`."""
    child = os.fork()
    if child == 0:
        try:
            real, commits = DefaultDialect.do_commit, count(1)

            def do_commit(self: Any, connection: Any) -> None:
                if next(commits) == last:
                    os._exit(KILLED)
                real(self, connection)

            DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]  # of this process, which ends
            open_database(data)
            os._exit(DONE)
        finally:
            os._exit(BROKEN)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_killed_while_the_database_is_made(tmp_path: Path, see: Any) -> None:
    """The first start of all: the next one makes it whole."""
    for number in range(1, 50):
        data = tmp_path / str(number)
        ended = _made_until(data, number)
        assert ended in (KILLED, DONE)
        engine = open_database(data)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM mention").scalar() == 0
        engine.dispose()
        if ended == DONE:
            break
    assert number > 1
    see("machine", "Killed at every commit", "making the database", "the next start makes it whole")
