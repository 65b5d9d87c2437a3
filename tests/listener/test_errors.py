"""Errors are told apart by what to do about them, and read as a sentence."""

from datetime import UTC, datetime

import pytest

from listener.errors import CallLightError, NeedsPerson, OutcomeUnknown, ReadsUsedUp, SkipPost, TryLater

AT = datetime(2026, 11, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        (TryLater("x: X answers 503"), TryLater, "x: X answers 503"),
        (OutcomeUnknown("no answer"), TryLater, "no answer"),
        (ReadsUsedUp("used up", AT), TryLater, "used up"),
        (NeedsPerson("set X_BEARER_TOKEN"), NeedsPerson, "set X_BEARER_TOKEN"),
        (SkipPost("a.csv:3", "no text"), SkipPost, "a.csv:3: no text"),
    ],
)
def test_each_is_one_kind_and_one_sentence(error: CallLightError, kind: type[CallLightError], sentence: str) -> None:
    assert [one for one in (TryLater, NeedsPerson, SkipPost) if isinstance(error, one)] == [kind]
    assert str(error) == sentence


def test_when_to_try_again() -> None:
    assert TryLater("x").at is None
    assert TryLater("x", AT).at == AT
