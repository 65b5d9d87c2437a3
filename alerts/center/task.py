"""Task: what takes a while, on a thread of its own, for a page that shows how far it is."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from starlette.datastructures import State

from listener.errors import CallLightError
from listener.logs import logger

log = logger(__name__)

Result = TypeVar("Result")
Progress = Callable[[int, int], None]  # so many done, of so many


_ONCE = threading.Lock()


def once(state: State, name: str, make: Callable[[], Result]) -> Result:
    """What an app has one of, made when it is first asked for."""
    with _ONCE:
        if not hasattr(state, name):
            setattr(state, name, make())
        found: Result = getattr(state, name)
        return found


class _Stopped(Exception):
    """Somebody wants it no more."""


class Task(Generic[Result]):
    """It begins at once. A service that ends does not wait for it: it only looks, and writes nothing."""

    def __init__(self, name: str, act: Callable[[Progress], Result]) -> None:
        self.done, self.of = 0, 0
        self.result: Result | None = None
        self.problem = ""  # why there is no result
        self._act, self._stop = act, threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether it is done, or was stopped, or has failed."""
        return not self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Until it is over, or so long."""
        self._thread.join(seconds)

    def stop(self) -> None:
        """End it at its next step."""
        self._stop.set()

    def _told(self, done: int, of: int) -> None:
        self.done, self.of = done, of
        if self._stop.is_set():
            raise _Stopped

    def _run(self) -> None:
        try:
            self.result = self._act(self._told)
        except _Stopped:
            self.problem = "It was stopped."
        except CallLightError as error:
            self.problem = str(error)
        except Exception as error:  # the log gets its kind alone, as it may carry words of a post
            log.error("task", error=error)
            self.problem = "It could not be done. Please try again; if it goes on, tell who runs Call Light."
