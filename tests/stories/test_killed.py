"""The machine loses power at the worst moment: before each commit in turn. Restarted, nothing is lost and nothing is told twice."""

import json
import signal
import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from fakes.slack import FakeSlack
from fakes.x import FakeX
from stories.conftest import Place

# Runs the command with a process that kills itself before its n-th commit.
KILLED = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine

left = int(os.environ["KILL_BEFORE"])

@event.listens_for(Engine, "commit")
def _kill(connection):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

from listener.cli import main
main()
"""


@pytest.mark.slow
def test_killed_before_every_commit(connected: Place, x: FakeX, slack: FakeSlack) -> None:
    now = datetime.now(UTC)
    expected = {
        x.post(
            "my dad collapsed in the waiting room at St. Brigid's and nobody comes",
            author="kim",
            at=now - timedelta(minutes=9),
        ),
        x.post(
            "Waited six hours at St. Brigid's, nobody told us anything", author="lee", at=now - timedelta(minutes=8)
        ),
        x.post("Thank you to the kind nurses at St. Brigid's", author="ana", at=now - timedelta(minutes=7)),
    }
    commits = 0
    for commits in range(1, 100):
        connected.variables["KILL_BEFORE"] = str(commits)
        done = connected.call("tick", program=KILLED)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        _wait(connected)
    else:
        pytest.fail("it never came to an end")
    assert commits > 5, "it was killed at several commits"

    connected.call("tick")
    with sqlite3.connect(connected.data / "call-light.db") as database:
        refs = {ref for (ref,) in database.execute("select ref from mention")}
        assert refs == expected
        for table, key in (("reading", "mention_id"), ("verdict", "mention_id")):
            counts = database.execute(f"select count(*), count(distinct {key}) from {table}").fetchone()
            assert counts == (3, 3), table
    cards = [
        m["metadata"]["event_payload"]["case_id"]
        for c in ("social-care", "social-care-danger")
        for m in slack.messages(c)
    ]
    assert Counter(cards) == Counter(set(cards))
    assert len(cards) == 2
    assert json.loads(connected.call("ledger", "--json").stdout)["adds_up"] is True


def _wait(place: Place) -> None:
    """The seconds until the next try pass."""
    with sqlite3.connect(place.data / "call-light.db") as database:
        if database.execute("select 1 from sqlite_master where name = 'delivery'").fetchone():
            database.execute("update delivery set next_try_at = created_at")
