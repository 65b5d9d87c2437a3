"""What the C library is asked for when the service starts."""

import ctypes
import platform
from types import SimpleNamespace

import pytest

from listener import memory


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="this C library is not glibc")
def test_the_c_library_takes_the_wishes() -> None:
    assert memory.stay_small()


def test_a_wish_that_is_refused_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def mallopt(wish: int, value: int) -> int:
        asked.append((wish, value))
        return 0 if wish == -3 else 1

    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(mallopt=mallopt))
    assert not memory.stay_small()
    assert (-8, 2) in asked


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    assert not memory.stay_small()
