"""What was changed in what posts are read with, and what came of it."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import NOW

from alerts import tuning
from alerts.figures import Heard, figures
from alerts.span import named
from alerts.tuning import Change, between
from listener import versions
from nlp.reading import ReadWith

ZONE = ZoneInfo("America/Chicago")
SPAN = named("2026-W46", ZONE)  # from Monday 9 November
WEDNESDAY = SPAN.since + timedelta(days=2, hours=9)
BILLING = ("categories", "billing", "phrases")
BASE = [["exclude", "phrases", "fish fry"], ["reader", "model", "m1"], ["reader", "rules", "r1"]]
MORE = [*BASE, [*BILLING, "surprise bill*"]]
Line = tuple[str, ...]
READER: set[Line] = {("reader", "model", "m1"), ("reader", "rules", "r1")}
X, A = (*BILLING, "x"), (*BILLING, "a")


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (set(), set(), []),
        ({A}, {A}, []),
        ({A}, {(*BILLING, "c"), (*BILLING, "b")}, [(BILLING, ("a",), False), (BILLING, ("b", "c"), True)]),
        (set(), {("exclude", "phrases", "x"), X}, [(BILLING, ("x",), True), (("exclude", "phrases"), ("x",), True)]),
        (READER, {("reader", "model", "m2"), ("reader", "rules", "r2")}, [(("reader",), (), True)]),
        (READER, {("reader", "model", "m1"), ("reader", "rules", "r2")}, [(("reader",), (), True)]),
        (READER, {("reader", "model", ""), ("reader", "rules", "r2")}, [(("reader", "model"), (), False)]),
        ({("reader", "model", ""), ("reader", "rules", "r1")}, READER, [(("reader", "model"), (), True)]),
    ],
)
def test_between_two_versions(old: set[Line], new: set[Line], found: list[Any]) -> None:
    assert between(old, new, NOW) == [Change(NOW, *one) for one in found]


def wrote(desk: Any, at: datetime, version: str, lines: list[list[str]] | None) -> None:
    desk.session.add(ReadWith(pipeline_version=version, since=at, lines=lines))
    desk.session.commit()


def of(desk: Any, name: str = "2026-W46") -> list[Change]:
    return list(figures(desk.session, desk.config, named(name, ZONE), NOW).changes)


def test_no_version_and_the_first_one_are_no_change(desk: Any) -> None:
    assert of(desk) == []
    wrote(desk, WEDNESDAY, "1", BASE)
    assert of(desk) == []


def test_a_phrase_that_was_added_and_the_posts_that_say_it_since(desk: Any) -> None:
    wrote(desk, SPAN.since - timedelta(days=40), "1", BASE)
    wrote(desk, WEDNESDAY, "2", MORE)
    hour = timedelta(hours=1)
    for text, at, said in (
        ("a surprise bill", WEDNESDAY - hour, {}),
        ("a SURPRISE billing of 900", WEDNESDAY, {}),
        ("surprise bills", WEDNESDAY + hour, {}),
        ("surprise bill help, call now", WEDNESDAY + hour, {"voice": "promo", "kind": None}),
        ("surprise! a bill", WEDNESDAY + hour, {}),
        ("a surprise bill", WEDNESDAY + hour, {"deleted_at": NOW}),
    ):
        desk.hear(text, heard_at=at, **said)
    assert of(desk) == [Change(WEDNESDAY, BILLING, ("surprise bill*",), True, 2)]
    assert of(desk, "2026-W45") == []
    assert of(desk, "2026-W47") == []


def test_a_change_is_signed_by_the_version_of_the_files(desk: Any) -> None:
    hour = timedelta(hours=1)
    for at, who, texts, trouble in (
        (SPAN.since, "ana", {"a": "1"}, None),
        (WEDNESDAY - hour, "ben", {"a": "2"}, None),
        (WEDNESDAY - hour / 2, "cem", {"a": "3"}, "refused"),
        (WEDNESDAY + hour, "dan", {"a": "4"}, None),
    ):
        versions.write_down(desk.session, texts, who, at, trouble)
    wrote(desk, SPAN.since - timedelta(days=40), "1", BASE)
    wrote(desk, SPAN.since - timedelta(days=1), "0", [])
    wrote(desk, WEDNESDAY, "2", MORE)
    wrote(desk, WEDNESDAY + hour, "3", [*MORE[:-2], ["reader", "rules", "r2"]])
    changed = of(desk)
    assert [(one.version, one.by) for one in changed if one.is_added and one.where == BILLING] == [(2, "ben")]
    assert {(one.version, one.by) for one in changed if one.where[0] == "reader"} == {(None, "")}


def test_what_was_taken_back_is_a_change_too(desk: Any) -> None:
    wrote(desk, WEDNESDAY, "1", BASE)
    wrote(desk, WEDNESDAY + timedelta(hours=1), "2", MORE)
    wrote(desk, WEDNESDAY + timedelta(hours=2), "1", None)
    desk.hear("surprise bill", heard_at=WEDNESDAY + timedelta(minutes=90))
    assert [(one.is_added, one.posts) for one in of(desk)] == [(True, 1), (False, 0)]


def test_words_of_noise_are_looked_for_in_every_post(desk: Any) -> None:
    wrote(desk, WEDNESDAY, "1", BASE)
    wrote(desk, WEDNESDAY, "2", [*BASE, ["exclude", "phrases", "bingo"]])
    desk.hear("bingo at the parish hall", heard_at=WEDNESDAY, voice="other", kind=None)
    assert [one.posts for one in of(desk)] == [1]


def test_of_very_many_posts_it_is_an_estimate(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "_MOST", 4)
    post = Heard(1, "x", "x", WEDNESDAY, voice="patient", kind="complaint", redacted_text="surprise bill")
    wrote(desk, WEDNESDAY, "1", BASE)
    wrote(desk, WEDNESDAY, "2", MORE)
    for count, found, is_estimate in ((4, 4, False), (8, 8, True), (9, 9, True)):
        (change,) = tuning.changes(desk.session, SPAN, [post] * count)
        assert (change.posts, change.is_estimate) == (found, is_estimate)
