"""When each stage runs: APScheduler, with its traps closed.

By default it drops a run that starts a second late and says nothing. Here a late run still runs, runs that piled up
become one, and no job overlaps itself.
"""

import logging
import os
import queue
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, JobEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from listener.logs import bound, logger

log = logger(__name__)

_GRACE = 3.0  # seconds that everything has to end once it was asked to, before the process ends without it
_LAST_WORD = 0.3  # seconds for the log to say so: who reads it may have stopped reading
_LOOK = 0.5  # seconds between two looks at `stop`
_THREADS = 40  # made when they are needed; every job may run at once
_END = ""  # among the names of jobs that are called: the process is to end
RENEWED = "jobs"  # among them too: there are other jobs now


@dataclass(frozen=True)
class Job:
    """Something to do again and again."""

    name: str
    every: timedelta
    run: Callable[[], object]
    is_long: bool = False  # it runs on and on; its rhythm only starts it again when it ended
    lags: bool = False  # now and then it takes longer than its rhythm, and that is no news


def run(
    jobs: Callable[[], Sequence[Job]], stop: threading.Event, sooner: "queue.SimpleQueue[str] | None" = None
) -> None:
    """Run the jobs, each at once and then at its rhythm, until SIGINT or SIGTERM (or `stop`); the process then ends within
    5 seconds, whatever it still does.

    A job whose name comes through `sooner` runs at once, or again when it ends if it is running; RENEWED says that `jobs`
    gives others now.
    What is under way at the end either ends in time or is cut off between two transactions, which the next start carries on.
    """
    # Its own logger writes whole exceptions, and a message may carry what a post said. _report writes instead.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(max_workers=_THREADS)}, timezone=UTC)
    calls = _signals(sooner or queue.SimpleQueue())
    busy, known = _Busy(calls), dict[str, Job]()
    scheduler.add_listener(partial(_report, known), EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES)
    _renew(scheduler, busy, known, jobs())
    scheduler.start()
    while not stop.is_set():
        try:
            name = calls.get(timeout=_LOOK)
        except queue.Empty:
            continue
        if name == _END:
            stop.set()
        elif name == RENEWED:
            _renew(scheduler, busy, known, jobs())
        elif name in known and not busy.runs_again(name):
            scheduler.modify_job(name, next_run_time=datetime.now(UTC))
    _ends_within(_GRACE)
    scheduler.shutdown(wait=False)
    busy.idle_within(None)


def _ends_within(seconds: float) -> None:
    """From now on the process lasts so long at most: a request without an answer, a lock that another program holds, or a
    thread that Python waits for at its exit holds up nothing. What was not committed is done anew by the next start."""

    def tell() -> None:
        log.warning("stop", forced=True)
        sys.stdout.flush()

    def cut() -> None:
        last_word = threading.Thread(target=tell, daemon=True)
        last_word.start()
        last_word.join(_LAST_WORD)
        os._exit(0)

    end = threading.Timer(seconds, cut)
    end.daemon = True
    end.start()


def _renew(scheduler: BackgroundScheduler, busy: "_Busy", known: dict[str, Job], jobs: Sequence[Job]) -> None:
    """Add the jobs that are new or were changed, at once, and take out those that are no more."""
    wanted = {job.name: job for job in jobs}
    for name in known.keys() - wanted.keys():
        scheduler.remove_job(name)
        del known[name]
    for name, job in wanted.items():
        if name in known and known[name].every == job.every:
            continue
        known[name] = job
        scheduler.add_job(
            busy.counting(job.name, job.run),
            "interval",
            seconds=job.every.total_seconds(),
            id=job.name,
            next_run_time=datetime.now(UTC),
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
            replace_existing=True,
        )


def _signals(calls: "queue.SimpleQueue[str]") -> "queue.SimpleQueue[str]":
    """The queue, which gets _END when the process is asked to end.

    Not stop.set() in the handler: Python runs it in the middle of anything, and an event that is being waited for
    at that moment would wait for itself. A SimpleQueue is made for it.
    """
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: calls.put(_END))
    return calls


class _Busy:
    """Counts the jobs that run now."""

    def __init__(self, calls: "queue.SimpleQueue[str]") -> None:
        self._running: Counter[str] = Counter()
        self._calls, self._again = calls, set[str]()
        self._ending = False
        self._changed = threading.Condition()

    def counting(self, name: str, run: Callable[[], object]) -> Callable[[], None]:
        def counted() -> None:
            with self._changed:
                if self._ending:  # handed to a thread just before the end
                    return
                self._running[name] += 1
            try:
                with bound(job=name):
                    run()
            finally:
                with self._changed:
                    self._running[name] -= 1
                    if name in self._again:
                        self._again.discard(name)
                        self._calls.put(name)
                    self._changed.notify_all()

        return counted

    def runs_again(self, name: str) -> bool:
        """Whether the job runs now; then it is called once more when it ends."""
        with self._changed:
            if self._running[name]:
                self._again.add(name)
            return self._running[name] > 0

    def idle_within(self, seconds: float | None) -> bool:
        """Whether what runs ended in time; nothing starts from here on."""
        with self._changed:
            self._ending = True
            return self._changed.wait_for(lambda: not self._running.total(), seconds)


def _report(known: Mapping[str, Job], event: JobEvent) -> None:
    # The kind only: a message may carry what a post said.
    error, job = getattr(event, "exception", None), known.get(event.job_id)
    if error is None and not (job is None or job.is_long or job.lags):
        log.warning("job", job=event.job_id, late=True)
    elif error is not None:
        log.error("job", job=event.job_id, error=error)
