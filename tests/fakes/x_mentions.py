"""X as the hospital's account reads it: the same server as for x (checked against: see x.py), other requests and secrets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from .x import HOSPITAL, FakeX, XPlace, secrets_of


class MentionsPlace(XPlace):
    """X as a place where people write to the hospital's account."""

    def post(self, text: str, at: datetime, author: str = "ann", answers: str | None = None) -> str:
        return super().post(f"@{HOSPITAL} {text}", at, author, answers)

    def edit(self, ref: str, text: str, at: datetime) -> None:
        super().edit(ref, f"@{HOSPITAL} {text}", at)

    def lose(self) -> None:
        """More is posted until the next pass than the 800 that X gives."""
        self.clock.at += timedelta(minutes=30)
        for n in range(900):
            self.post(f"One of many, {n}", self.clock.at - timedelta(minutes=20) + n * timedelta(seconds=1))


@contextmanager
def place(clock: Any, folder: Path) -> Iterator[MentionsPlace]:
    """X, read as the hospital's account."""
    with FakeX(now=clock, own_handle=HOSPITAL) as server:
        beyond = "X gives the newest 800 mentions; that the others are out of reach is told (test_gap)"
        there = MentionsPlace(
            server, {"base_url": server.base_url}, secrets_of(server), cannot={"ten_thousand_posts": beyond}
        )
        there.clock = clock
        yield there
