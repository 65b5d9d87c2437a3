"""What each stage did is counted, also when it fails."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from listener import stages
from listener.errors import NeedsPerson

AT = datetime(2026, 11, 16, 15, 0, tzinfo=UTC)


def value(name: str, **labels: str) -> float:
    return stages.registry.get_sample_value(f"call_light_{name}", labels) or 0.0


def counts(stage: str) -> tuple[float, float, float]:
    """Passes that were timed, what they dealt with, those that failed."""
    names = ("stage_seconds_count", "stage_done_total", "stage_failures_total")
    passes, done, failed = (value(name, stage=stage) for name in names)
    return passes, done, failed


@pytest.mark.parametrize(
    ("error", "is_live", "more"),
    [
        (None, False, (1, 3, 0)),
        (None, True, (0, 3, 0)),  # it runs for days
        (RuntimeError("my dad"), False, (1, 3, 1)),
        (NeedsPerson("case 1 is not yours"), False, (1, 3, 0)),  # what people are told is no failure of ours
    ],
)
def test_a_pass_is_counted(error: Exception | None, is_live: bool, more: tuple[int, ...]) -> None:
    before = counts("read")
    told = pytest.raises(type(error)) if error else contextlib.nullcontext()
    with told, stages.timed("read", is_live) as of_it:
        of_it.done = 3
        if error is not None:
            raise error
    assert tuple(now - then for now, then in zip(counts("read"), before, strict=True)) == more


def test_what_came_to_nothing() -> None:
    before = counts("deliver")
    with stages.timed("deliver") as of_it:
        of_it.failed = True
    assert counts("deliver")[2] - before[2] == 1


def test_every_stage_is_there_from_the_start() -> None:
    assert all(value("stage_seconds_count", stage=stage) is not None for stage in stages.STAGES)
    named = {
        sample.labels["stage"]
        for family in stages.registry.collect()
        for sample in family.samples
        if "stage" in sample.labels
    }
    assert named == set(stages.STAGES)


def test_how_long_danger_took() -> None:
    names = [("written", "60.0"), ("written", "900.0"), ("opened", "5.0"), ("opened", "15.0")]

    def buckets() -> list[float]:
        return [value("danger_card_seconds_bucket", since=since, le=le) for since, le in names]

    before = buckets()
    stages.danger_card(AT - timedelta(minutes=10), AT - timedelta(seconds=8), AT)
    stages.danger_card(AT + timedelta(minutes=1), AT, AT)  # a clock was put back
    assert [now - then for now, then in zip(buckets(), before, strict=True)] == [1, 2, 1, 2]
