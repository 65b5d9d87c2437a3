"""Cron runs `call-light tick`: a busy hour, with X asking to wait and Slack dropping an answer in the middle."""

import json
import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from fakes.server import DropAfter, RateLimited
from fakes.slack import FakeSlack
from fakes.x import FakeX
from stories.conftest import Place

CHANNELS = ("social-care", "social-care-danger", "kind-words", "operations-social", "privacy-office-social")
SENTENCES = (
    "Waited {n} hours in the ER at St. Brigid's and nobody told us anything",
    "Thank you nurse at St. Brigid's, so kind to my mom, room {n}",
    "Is the St. Brigid's pharmacy open on day {n}?",
    "HIRING: RN at St. Brigid's, shift {n}, apply now at https://jobs.example/{n}",
    "St. Brigid's softball league won {n} to 2",
)


@pytest.mark.slow
def test_every_post_ends_once(connected: Place, x: FakeX, slack: FakeSlack) -> None:
    now = datetime.now(UTC)
    for n in range(249):
        x.post(SENTENCES[n % 5].format(n=n), author=f"author{n}", at=now - timedelta(minutes=5, seconds=n))
    x.post(
        "my dad collapsed in the waiting room at St. Brigid's and nobody comes",
        author="kim",
        at=now - timedelta(minutes=2),
    )
    x.fail_next(RateLimited(), after=1, on="/2/tweets/search/recent")  # the second page
    slack.fail_next(DropAfter(), on="chat.postMessage", after=10)

    first = connected.call("tick", "--json")
    assert "429" in json.loads(first.stdout)["trouble"][0]
    assert json.loads(first.stdout)["new"] == 100, "the page before the 429 is kept"
    for _ in range(2):
        assert connected.call("tick", "--json").returncode == 0

    _wait_for_digests(connected)
    connected.call("tick")
    result = json.loads(connected.call("ledger", "--json").stdout)
    assert result["collected"] == 250
    assert result["collected"] == result["alerted"] + result["in_digest"] + result["dismissed"]
    cards = [card["metadata"]["event_payload"] for channel in CHANNELS for card in slack.messages(channel)]
    per_case = Counter(card["case_id"] for card in cards if "case_id" in card)
    assert set(per_case.values()) == {1}, "no case has two cards"
    with sqlite3.connect(connected.data / "call-light.db") as database:
        folded = [number for (number,) in database.execute("select case_id from fold")]
    assert not set(per_case) & set(folded)
    assert len(per_case) + len(folded) == result["alerted"], "what is too much for a minute folds under one card"
    assert _digest_lines(slack) == result["in_digest"]
    assert len(slack.messages("social-care-danger")) == 1
    assert x.reads < 250 + 100 + 50, "a page that was kept is not paid for again"


def _wait_for_digests(place: Place) -> None:
    """An hour passes: the digests are due."""
    with sqlite3.connect(place.data / "call-light.db") as database:
        database.execute("update verdict set decided_at = datetime(decided_at, '-2 hours')")


def _digest_lines(slack: FakeSlack) -> int:
    lists = [
        element
        for channel in CHANNELS
        for message in slack.messages(channel)
        if message["metadata"]["event_type"] == "call_light_digest"
        for block in message["blocks"]
        if block["type"] == "rich_text"
        for element in block["elements"]
    ]
    return sum(len(bullets["elements"]) for bullets in lists)
