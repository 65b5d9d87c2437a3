"""The clock in a process of its own: it takes over the signals of the process it runs in."""

import queue
import signal
import subprocess
import sys
import textwrap
import threading
import time
from datetime import timedelta

import pytest
from conftest import PROJECT

from listener import clock

START = """
    import logging, sys, threading, time
    from datetime import timedelta
    from listener import clock
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    stop = threading.Event()
    said, lock = [], threading.Lock()
    def say(word):
        with lock:
            print(word, flush=True)
    def often(name, run, every=0.01):
        return clock.Job(name, timedelta(seconds=every), run)
"""


class Process:
    """A program that runs jobs; lines of its output as they come."""

    def __init__(self, program: str) -> None:
        text = textwrap.dedent(START) + textwrap.dedent(program)
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", text],
            cwd=PROJECT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def wait_for(self, word: str) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip() == word:
                return
        pytest.fail(f"it ended before it said {word!r}: {self._process.communicate()[1]}")

    def end(self, number: signal.Signals | None = None) -> tuple[int, float, str, str]:
        """Exit status, seconds to the end, what it still printed, what it logged."""
        if number is not None:
            self._process.send_signal(number)
        started = time.monotonic()
        try:
            out, err = self._process.communicate(timeout=20)
        finally:
            self._process.kill()
        return self._process.returncode, time.monotonic() - started, out, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_what_runs_may_end(number: signal.Signals) -> None:
    process = Process("""
        def work():
            say("begun")
            stop.wait()
            time.sleep(0.3)
            say("whole")
        clock.run(lambda: [often("one", work)], stop)
        say("returned")
    """)
    process.wait_for("begun")
    code, seconds, out, err = process.end(number)
    assert (code, out.split()) == (0, ["whole", "returned"])
    assert seconds < 3
    assert "Traceback" not in err


def test_a_job_that_hangs_does_not_hold_the_end_up() -> None:
    process = Process("""
        clock._GRACE = 0.5
        def hang():
            say("begun")
            threading.Event().wait()
        clock.run(lambda: [often("one", hang)], stop)
    """)
    process.wait_for("begun")
    code, seconds, _, err = process.end(signal.SIGTERM)
    assert code == 0
    assert seconds < 3
    assert "stop forced=yes" in err


def test_the_grace_ends_within_five_seconds() -> None:
    assert clock._LOOK + clock._GRACE + clock._LAST_WORD < 5


def test_a_job_that_raises_is_told_by_its_kind_and_runs_again() -> None:
    process = Process("""
        runs = []
        def fail():
            runs.append(1)
            if len(runs) == 3:
                say("again")
            raise ValueError("my mother fell")
        clock.run(lambda: [often("one", fail)], stop)
    """)
    process.wait_for("again")
    code, _, _, err = process.end(signal.SIGTERM)
    assert code == 0
    assert "ERROR listener.clock job job=one error=ValueError" in err
    assert "mother" not in err
    assert "Traceback" not in err


def test_no_job_overlaps_itself_and_none_waits_for_another() -> None:
    process = Process("""
        running, most, runs = 0, 0, 0
        def slow():
            global running, most, runs
            running += 1
            most, runs = max(most, running), runs + 1
            stop.wait(0.1)
            running -= 1
            if runs == 4:
                say(f"most={most}")
        hung = lambda: stop.wait()
        clock.run(lambda: [often(f"hung{n}", hung) for n in range(12)] + [often("slow", slow)], stop)
    """)
    process.wait_for("most=1")
    code, seconds, _, err = process.end(signal.SIGTERM)
    assert code == 0
    assert seconds < 3
    assert "job job=slow late=yes" in err
    assert "apscheduler" not in err


def test_each_job_runs_at_once() -> None:
    process = Process("""
        clock.run(lambda: [often(name, lambda name=name: say(name), 3600) for name in ("one", "two")], stop)
    """)
    process.wait_for("one")
    assert process.end(signal.SIGTERM)[0] == 0


def test_a_job_that_is_called_does_not_wait_for_its_time() -> None:
    process = Process("""
        import queue
        sooner = queue.SimpleQueue()
        def caller():
            if len(said) == 1:
                say("called")
                sooner.put("rare")
        def rare():
            said.append(1)
            say(f"rare {len(said)}")
            if len(said) == 2:
                stop.set()
        clock.run(lambda: [often("rare", rare, 3600), often("caller", caller, 0.2)], stop, sooner)
        say("over")
    """)
    status, seconds, out, err = process.end()
    assert (status, out.split("\n")[-3:]) == (0, ["rare 2", "over", ""]), err
    assert seconds < 10
    assert "WARNING" not in err


def test_a_job_that_listens_on_and_on_is_not_late() -> None:
    process = Process("""
        beats = []
        def beat():
            beats.append(1)
            if len(beats) == 9:
                say("nine beats")
        clock.run(lambda: [clock.Job("live", timedelta(seconds=0.05), lambda: stop.wait(9), True), often("beat", beat, 0.05)], stop)
    """)
    process.wait_for("nine beats")
    status, _, _, err = process.end(signal.SIGTERM)
    assert (status, "late" in err) == (0, False)


def test_it_ends_when_told_to_from_within() -> None:
    process = Process("""
        clock.run(lambda: [often("one", stop.set)], stop)
        say("returned")
    """)
    code, seconds, out, _ = process.end()
    assert (code, out.split()) == (0, ["returned"])
    assert seconds < 5


def test_a_burst_of_signals_is_one_end() -> None:
    process = Process("""
        import os, signal
        def work():
            for _ in range(200):
                os.kill(os.getpid(), signal.SIGTERM)
        clock.run(lambda: [often("one", work)], stop)
        say("returned")
    """)
    code, _, out, _ = process.end()
    assert (code, out.split()) == (0, ["returned"])


def test_nothing_starts_once_the_end_began() -> None:
    busy, ran = clock._Busy(queue.SimpleQueue()), threading.Event()
    assert busy.idle_within(0)
    busy.counting("a", ran.set)()
    assert not ran.is_set()


def test_what_runs_is_waited_for_so_long() -> None:
    busy, go, begun = clock._Busy(queue.SimpleQueue()), threading.Event(), threading.Event()
    thread = threading.Thread(target=busy.counting("a", lambda: begun.set() or go.wait()))
    thread.start()
    begun.wait()
    assert not busy.idle_within(0.01)
    go.set()
    assert busy.idle_within(5)
    thread.join()


def test_a_job_is_a_name_a_rhythm_and_what_to_do() -> None:
    assert clock.Job("one", timedelta(seconds=1), int).every.total_seconds() == 1


def test_a_job_that_is_called_while_it_runs_runs_once_more() -> None:
    process = Process("""
        import queue
        sooner = queue.SimpleQueue()
        def rare():
            said.append(1)
            say(f"rare {len(said)}")
            if len(said) == 1:
                for _ in range(5):
                    sooner.put("rare")
                time.sleep(0.5)
            else:
                threading.Timer(1, stop.set).start()
        clock.run(lambda: [often("rare", rare, 3600)], stop, sooner)
    """)
    status, _, out, err = process.end()
    assert (status, out.split("\n")) == (0, ["rare 1", "rare 2", ""]), err


def test_there_can_be_other_jobs_while_it_runs() -> None:
    process = Process("""
        import queue
        sooner = queue.SimpleQueue()
        ran = []
        def jobs():
            names = ["one", "new", "changed"] if ran else ["one", "old", "changed"]
            return [often(name, lambda name=name: work(name), 1800 if ran and name == "changed" else 3600) for name in names]
        def work(name):
            with lock:
                ran.append(name)
            if sorted(ran) == ["changed", "old", "one"]:
                sooner.put(clock.RENEWED)
                sooner.put("old")  # which is no more
                sooner.put("nobody")
            if sorted(ran) == ["changed", "changed", "new", "old", "one"]:
                stop.set()
        clock.run(jobs, stop, sooner)
        say(" ".join(sorted(ran)))
    """)
    status, seconds, out, err = process.end()
    assert (status, out.split("\n")) == (0, ["changed changed new old one", ""]), err
    assert seconds < 10


def test_what_happens_after_the_jobs_does_not_hold_the_end_up_either() -> None:
    process = Process("""
        clock._GRACE = 0.5
        clock.run(lambda: [often("one", lambda: say("begun"), 3600)], stop)
        threading.Thread(target=threading.Event().wait).start()  # Python waits for it
    """)
    process.wait_for("begun")
    code, seconds, _, err = process.end(signal.SIGTERM)
    assert code == 0
    assert seconds < 3
    assert "stop forced=yes" in err
