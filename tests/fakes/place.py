"""What the contract suite (tests/listener/collectors/test_contract.py) asks of each collector's fake.

A fake's file has the name of its collector and a function `place(clock, folder)`, a context manager that yields a Place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .server import FakeServer, Fault, On


@dataclass
class Place:
    """A site with people on it. Subclasses say how one posts there."""

    server: FakeServer | None
    settings: Mapping[str, Any]  # the collector's table in listening.toml, base_url included
    secrets: Mapping[str, str] = field(default_factory=dict)
    on: On = None  # the requests that faults are for
    # Tests of the contract that make no sense here -> why. Say what the site does instead.
    cannot: Mapping[str, str] = field(default_factory=dict)
    several: int = 250  # posts that need more than one page
    patience: float = 8.0  # the collector's _TIMEOUT: long for a busy machine, short where a pass ends by waiting

    def post(self, text: str, at: datetime, author: str = "ann", answers: str | None = None) -> str:
        """Someone posts; the ref that its mention has."""
        raise NotImplementedError

    def edit(self, ref: str, text: str, at: datetime) -> None:
        """Its author changes it."""
        raise NotImplementedError

    def delete(self, ref: str) -> None:
        """Its author deletes it."""
        raise NotImplementedError

    def answer(self, ref: str, text: str, at: datetime) -> str:
        """The hospital answers a post; the ref of the answer."""
        raise NotImplementedError

    def lose(self) -> None:
        """What was posted is no longer within the site's reach: the next pass has a gap."""
        raise NotImplementedError

    def fail(self, fault: Fault, times: int | None = 1, after: int = 0) -> None:
        """The site has trouble with the next requests."""
        assert self.server is not None
        self.server.fail_next(fault, times=times, on=self.on, after=after)

    def heal(self) -> None:
        """The trouble is over."""
        if self.server is not None:
            self.server.heal()
