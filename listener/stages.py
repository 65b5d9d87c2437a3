"""What each stage of the flow did since this process began: how often, for how long, how much, and how often in vain.

For Prometheus (alerts/center/metrics.py). Nothing here is kept: what has to last is in the database.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Histogram

from listener.errors import CallLightError

Stage = Literal["collect", "keep", "read", "decide", "deliver", "act", "report"]
STAGES: Final[tuple[Stage, ...]] = ("collect", "keep", "read", "decide", "deliver", "act", "report")

registry = CollectorRegistry()
_SECONDS = Histogram(
    "call_light_stage_seconds",
    "How long a pass of a stage took; listening in real time is not timed.",
    ["stage"],
    buckets=(0.01, 0.05, 0.25, 1, 5, 15, 60, 300),
    registry=registry,
)
_DONE = Counter(
    "call_light_stage_done", "Pages, posts, messages, presses that a stage dealt with.", ["stage"], registry=registry
)
_FAILED = Counter(
    "call_light_stage_failures",
    "Passes in which something failed, here or at a place outside.",
    ["stage"],
    registry=registry,
)
_DANGER = Histogram(
    "call_light_danger_card_seconds",
    "From when a danger post was written, or its case was opened, until its card was in the channel.",
    ["since"],
    buckets=(5, 15, 30, 60, 120, 300, 900, 3600),
    registry=registry,
)
for _stage in STAGES:  # so that they are there, with nothing, before their first pass
    _SECONDS.labels(_stage), _DONE.labels(_stage), _FAILED.labels(_stage)
for _since in ("written", "opened"):
    _DANGER.labels(_since)


@dataclass
class Pass:
    """What a pass came to; filled in while it runs."""

    done: int = 0
    failed: bool = False


@contextmanager
def timed(stage: Stage, is_live: bool = False) -> Iterator[Pass]:
    """Count a pass of a stage. What nobody thought of is a failure; a CallLightError is for whoever catches it to judge."""
    of_it, began = Pass(), monotonic()
    try:
        yield of_it
    except CallLightError:
        raise
    except Exception:
        of_it.failed = True
        raise
    finally:
        if not is_live:
            _SECONDS.labels(stage).observe(monotonic() - began)
        _DONE.labels(stage).inc(of_it.done)
        _FAILED.labels(stage).inc(of_it.failed)


def danger_card(written_at: datetime, opened_at: datetime, now: datetime) -> None:
    """The card of a danger case has just reached its channel."""
    _DANGER.labels("written").observe(max(0.0, (now - written_at).total_seconds()))
    _DANGER.labels("opened").observe(max(0.0, (now - opened_at).total_seconds()))
