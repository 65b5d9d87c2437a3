"""When each stage runs: APScheduler, with its traps closed.

By default it drops a run that starts a second late and says nothing. Here a late run still runs, runs that piled up
become one, and no job overlaps itself.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

log = logging.getLogger(__name__)

_GRACE = 4.0  # seconds that a running job has to end before the process ends without it


@dataclass(frozen=True)
class Job:
    """Something to do again and again."""

    name: str
    every: timedelta
    run: Callable[[], object]


def run(jobs: Sequence[Job], stop: threading.Event) -> None:
    """Run the jobs, each at once and then at its rhythm, until SIGINT or SIGTERM (or `stop`); returns within 5 seconds.

    What is under way then either ends in time or is cut off between two transactions, which the next start carries on.
    """
    executor = ThreadPoolExecutor(max_workers=len(jobs) + 2)
    scheduler = BackgroundScheduler(executors={"default": executor}, timezone=UTC)
    scheduler.add_listener(_report, EVENT_JOB_ERROR)
    busy = _Busy()
    for job in jobs:
        scheduler.add_job(
            busy.counting(job.run),
            "interval",
            seconds=job.every.total_seconds(),
            id=job.name,
            next_run_time=datetime.now(UTC),
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    scheduler.start()
    while not stop.wait(1.0):  # with a time-out, so that Python handles signals on every platform
        pass
    scheduler.shutdown(wait=False)
    if not busy.idle_within(_GRACE):
        # A request without an answer holds a thread that Python would wait for at exit.
        log.warning("action=stop forced=yes")
        logging.shutdown()
        os._exit(0)


class _Busy:
    """Counts the jobs that run now."""

    def __init__(self) -> None:
        self._running = 0
        self._changed = threading.Condition()

    def counting(self, run: Callable[[], object]) -> Callable[[], None]:
        def counted() -> None:
            with self._changed:
                self._running += 1
            try:
                run()
            finally:
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()

        return counted

    def idle_within(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        with self._changed:
            return self._changed.wait_for(lambda: self._running == 0, max(0.0, until - time.monotonic()))


def _report(event: JobExecutionEvent) -> None:
    # The kind only: a message may carry what a post said.
    log.error("action=job name=%s error=%s", event.job_id, type(event.exception).__name__)
