"""Odd input at every door: values of the wrong kind, size and encoding, changes of what is right, and a watch over hangs.

    python -m pytest tests/fuzz                          a few examples of each, the same ones each time
    CALL_LIGHT_FUZZ=500 python -m pytest tests/fuzz      so many times as many, others each time: for a night

What was found stands as a row of a table with the tests of the file that was mended.
"""

import copy
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

TIMES = int(os.environ.get("CALL_LIGHT_FUZZ", "1"))
# CPU seconds that one case may take. By night the second that is promised for a case; else only what hangs.
_LONGEST = 1.0 if TIMES > 1 else 20.0

NASTY = [
    "", " ", "\n", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\ufeff", "\u200b" * 50, "\u202e\u2066x", "e" + "\u0301" * 300,
    "مرحبا بالعالم", "👩‍👩‍👧‍👦" * 20, "🇻🇮🇸🇮🇹", "𝕙𝕖𝕝𝕡", "ＨＥＬＰ", "İıſK", "ß" * 20, "﷽", "\x1b[31m\x9b", "<!channel>", "</script><script>",
    "{{7*7}}", "%s%n{0.__class__}", "'; DROP TABLE mention;--", "../../etc/passwd", "javascript:alert(1)", "//evil.example",
    "=cmd()", "-", "--", "-1", "0", "1e999", "NaN", "9" * 40, "0x10", "1_000", "٣", "²", "true", "null", "1-" * 500, "(" * 3000,
    "a" * 10_000, "a b " * 2_000, "\r\n" * 500, '"' * 999, "\\" * 999, "2026-02-30T25:61:00Z", "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59", "2026-11-16T10:00:00", "help my dad collapsed",
]  # fmt: skip
WRONG: list[Any] = [
    *NASTY, None, True, False, 0, -1, 1, 0.5, 1e308, float("inf"), float("nan"), 2**31, 2**63, 2**64, -(2**63) - 1, 10**400,
    [], {}, [None], [[]], [{}], {"": None}, {"id": {}}, {"a": {"b": []}}, [1, "a", None, {}],
]  # fmt: skip

texts = st.one_of(
    st.sampled_from(NASTY),
    st.text(max_size=200),
    st.lists(st.sampled_from(NASTY) | st.text(max_size=20), max_size=6).map(" ".join),
)
chances = st.integers(0, 2**32).map(random.Random)


def examples(number: int, **more: Any) -> settings:
    """So many examples, the same each time; as many times more and always others where CALL_LIGHT_FUZZ asks for it."""
    phases = [phase for phase in Phase if phase is not Phase.shrink or TIMES > 1]  # a shrink may run for minutes
    return settings(
        max_examples=number * TIMES,
        derandomize=TIMES == 1,
        deadline=None,
        database=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        **more,
    )


class Hangs(AssertionError):
    """A case took longer than any may."""


@contextmanager
def watched(longest: float = _LONGEST) -> Iterator[None]:
    """Ends what takes more CPU than that. The machine may be busy: only the time of this process counts."""

    def ended(number: int, frame: FrameType | None) -> None:
        raise Hangs(f"more than {longest} seconds of CPU")

    before = signal.signal(signal.SIGVTALRM, ended)
    signal.setitimer(signal.ITIMER_VIRTUAL, longest)
    began = time.thread_time()
    try:
        yield
        # What runs in C does not look for signals.
        assert time.thread_time() - began < longest, f"took {time.thread_time() - began:.1f} s of CPU"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def is_sentence(error: Exception) -> None:
    """What people read when something is refused."""
    assert str(error).strip()
    assert "\n" not in str(error)
    assert "Traceback" not in str(error)


# ---------------------------------------------------------------- changes of what is right


def changed(value: Any, chance: random.Random, most: int = 3) -> Any:
    """JSON with a few places that are wrong: another kind, gone, twice, too deep, too large, under another name."""
    value = copy.deepcopy(value)
    for _ in range(chance.randint(1, most)):
        holders = list(_holders(value))
        if not holders:
            return chance.choice(WRONG)
        _change(chance.choice(holders), chance)
    return value


def _holders(value: Any) -> Iterator[dict[str, Any] | list[Any]]:
    if isinstance(value, dict | list):
        if value:
            yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _holders(inner)


def _change(holder: dict[str, Any] | list[Any], chance: random.Random) -> None:
    at: Any = chance.choice(list(holder)) if isinstance(holder, dict) else chance.randrange(len(holder))
    how = chance.randrange(8)
    held: Any = holder  # a dict and a list take the same here
    if how == 0:
        del held[at]
    elif how == 1:
        held[at] = [held[at]]
    elif how == 2:
        held[at] = {"value": held[at]}
    elif how == 3:
        held[at] = deep(chance.randint(2, 200))
    elif how == 4 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[at]))
    elif how == 5 and isinstance(holder, dict):
        held[chance.choice(NASTY)] = held.pop(at)
    else:
        held[at] = chance.choice(WRONG)


def deep(levels: int) -> Any:
    """Lists in lists."""
    value: Any = None
    for _ in range(levels):
        value = [value]
    return value


def garbled(body: bytes, chance: random.Random, most: int = 4) -> bytes:
    """Bytes with a few that are others, gone, twice or in another place."""
    for _ in range(chance.randint(1, most)):
        at, length = chance.randrange(len(body) + 1), chance.choice((1, 1, 2, 8, 64))
        before, there, after = body[:at], body[at : at + length], body[at + length :]
        body = chance.choice(
            (
                before + after,
                before + chance.choice(NASTY).encode("utf-8", "surrogatepass") + there + after,
                before + chance.randbytes(chance.randint(1, 8)) + there + after,
                before + there * chance.randint(2, 50) + after,
                there + after + before,
                before,
            )
        )
    return body
