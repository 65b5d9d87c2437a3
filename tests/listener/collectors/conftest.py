"""X and Reddit on loopback."""

from collections.abc import Iterator
from typing import Any

import pytest
from fakes.reddit import FakeReddit
from fakes.x import FakeX

from listener import x_door


@pytest.fixture(autouse=True)
def _nobody_is_known() -> None:
    """A port may come again, and with it whose tokens an earlier test found there."""
    x_door._owners.clear()


@pytest.fixture
def x(clock: Any) -> Iterator[FakeX]:
    with FakeX(now=clock) as fake:
        yield fake


@pytest.fixture
def reddit(clock: Any) -> Iterator[FakeReddit]:
    with FakeReddit(now=clock) as fake:
        yield fake
