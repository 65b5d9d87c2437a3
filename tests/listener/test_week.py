"""The bundled week: posts as a file holds them, and beside it how a person labels them."""

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import PROJECT

from config.schema import Config
from listener import week
from listener.collectors.file import Lines, read
from listener.post import Post

ZONE = ZoneInfo("America/Chicago")


@pytest.fixture(scope="module")
def kept() -> list[Any]:
    return [item for _, batch in read(Lines.of(week.POSTS), ZONE) for item in batch]


@pytest.fixture(scope="module")
def expected() -> list[dict[str, Any]]:
    return [json.loads(line) for line in week.EXPECTED.read_text(encoding="utf-8").splitlines()]


def test_there_are_enough_and_every_one_is_right(kept: list[Any]) -> None:
    assert len(kept) >= 400
    assert all(isinstance(item, Post) for item in kept)
    assert {"x", "reddit", "google_reviews"} <= {post.source for post in kept}


def test_it_is_seven_days(kept: list[Any]) -> None:
    days = {post.written_at.astimezone(ZONE).date() for post in kept}
    assert len(days) == 7
    assert max(days) - min(days) == timedelta(days=6)


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 11, 16, 15, tzinfo=UTC),
        datetime(2026, 11, 17, 5, 59, tzinfo=UTC),  # still the day before in the hospital's zone
        datetime(2027, 3, 15, 12, tzinfo=UTC),  # the clocks changed within the week
        datetime(2027, 11, 8, 12, tzinfo=UTC),
        datetime(2020, 1, 1, tzinfo=UTC),
    ],
)
def test_it_is_moved_by_whole_days_to_end_last_midnight(now: datetime, kept: list[Any]) -> None:
    posts = week.posts(ZONE, now)
    local = [post.written_at.astimezone(ZONE) for post in posts]
    assert max(local).date() == now.astimezone(ZONE).date() - timedelta(days=1)
    before = [post.written_at.astimezone(ZONE) for post in kept]
    (moved,) = {one.date() - two.date() for one, two in zip(local, before, strict=True)}
    skipped = {2}  # in spring the clocks skip this hour, and it has no time of its own
    assert all(one.time() == two.time() or two.hour in skipped for one, two in zip(local, before, strict=True))
    assert all(post.written_at.tzinfo is UTC for post in posts)
    assert moved == max(local).date() - max(before).date()


def test_edits_move_along(kept: list[Any]) -> None:
    now = datetime(2026, 12, 25, tzinfo=UTC)
    pairs = [(a, b) for a, b in zip(week.posts(ZONE, now), kept, strict=True) if b.edited_at]
    assert pairs
    assert all(a.edited_at - a.written_at == b.edited_at - b.written_at for a, b in pairs)


def test_every_post_has_its_label(kept: list[Any], expected: list[dict[str, Any]]) -> None:
    assert [row["ref"] for row in expected] == [post.ref for post in kept]


def test_labels_use_the_words_of_the_guide(expected: list[dict[str, Any]], config: Config) -> None:
    guide = set(re.findall(r"`(\w+)`", (PROJECT / "docs" / "labels.md").read_text(encoding="utf-8")))
    for row in expected:
        assert set(row) == {"ref", "voice", "kind", "categories", "stage", "urgency"}
        words = {row["voice"], row["kind"], row["stage"], row["urgency"], *row["categories"]} - {None}
        assert words <= guide, row
        assert set(row["categories"]) <= set(config.keywords.categories), row
        assert len(set(row["categories"])) == len(row["categories"])


def test_labels_agree_with_themselves(expected: list[dict[str, Any]]) -> None:
    for row in expected:
        if row["voice"] == "patient":
            assert row["kind"] is not None, row
            assert row["urgency"] != "none", row
            if row["kind"] in ("complaint", "question"):
                assert row["urgency"] != "low", row
        else:
            assert row["kind"] is None, row
            assert row["categories"] == [], row
            assert row["urgency"] in ("none", "danger"), row


def test_there_is_some_of_everything(expected: list[dict[str, Any]], config: Config) -> None:
    for field, wanted in (
        ("voice", {"patient", "news", "promo", "other"}),
        ("kind", {"complaint", "question", "praise", "comment", None}),
        ("urgency", {"danger", "here_now", "serious", "routine", "low", "none"}),
    ):
        assert {row[field] for row in expected} == wanted
    counted = Counter(category for row in expected for category in row["categories"])
    assert set(counted) == set(config.keywords.categories)
