"""X and Reddit on loopback."""

from collections.abc import Iterator
from typing import Any

import pytest
from fakes.reddit import FakeReddit
from fakes.x import FakeX


@pytest.fixture
def x(clock: Any) -> Iterator[FakeX]:
    with FakeX(now=clock) as fake:
        yield fake


@pytest.fixture
def reddit(clock: Any) -> Iterator[FakeReddit]:
    with FakeReddit(now=clock) as fake:
        yield fake
