"""Where the time of the tests goes: by file, phase and fixture, in seconds waited and seconds of processor.

    python -m benchmarks.suite tests/alerts --numprocesses auto
    python -m benchmarks.suite --log LOG

The first runs pytest with these words; the second adds up what `pytest --durations=0 -vv` printed. A fixture's time is
its own, without those that it asks for. Where far more is waited than computed, a test waits for a clock.
"""

import re
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_LINE = re.compile(r"^(\d+\.\d+)s (setup|call|teardown)\s+(\S+?)(::.*)$")
_SHOWN = 40

Times = dict[str, list[float]]  # count, seconds waited, seconds of processor


class Watch:
    """A pytest plugin that adds up times; with xdist, each worker hands its own to the one that asked."""

    def __init__(self) -> None:
        self.kept: dict[str, Times] = {}

    def add(self, table: str, name: str, waited: float, computed: float, count: float = 1) -> None:
        """One more time for a line of a table."""
        line = self.kept.setdefault(table, {}).setdefault(name, [0, 0.0, 0.0])
        for place, value in enumerate((count, waited, computed)):
            line[place] += value

    @contextmanager
    def timed(self, *lines: tuple[str, str]) -> Iterator[None]:
        """Time what happens inside for these lines of these tables."""
        began, used = time.perf_counter(), _processor()
        try:
            yield
        finally:
            for table, name in lines:
                self.add(table, name, time.perf_counter() - began, _processor() - used)

    def _phase(self, item: pytest.Item, phase: str) -> Any:
        file = item.nodeid.partition("::")[0]
        test = item.nodeid.partition("[")[0]
        return self.timed(("phase", phase), ("file", file), ("test", test))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Any:
        with self._phase(item, "setup"):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        with self._phase(item, "call"):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Any:
        with self._phase(item, "teardown"):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self) -> Any:
        with self.timed(("phase", "collection")):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Any:
        with self.timed(("fixture", f"{fixturedef.argname} ({fixturedef.scope}, {fixturedef.baseid or 'tests'})")):
            return (yield)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["times"] = self.kept

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        for table, lines in node.workeroutput.get("times", {}).items() if hasattr(node, "workeroutput") else ():
            for name, (count, waited, computed) in lines.items():
                self.add(table, name, waited, computed, count)

    def pytest_terminal_summary(self) -> None:
        show(self.kept)


def pytest_configure(config: pytest.Config) -> None:
    """Named with `-p benchmarks.suite`, which xdist repeats to its workers."""
    config.pluginmanager.register(Watch())


def of_log(lines: Iterator[str]) -> dict[str, Times]:
    """What a log of --durations says; it knows nothing of processors or fixtures."""
    watch = Watch()
    for line in lines:
        if found := _LINE.match(line.rstrip()):
            seconds, phase, file, rest = float(found[1]), found[2], found[3], found[4].partition("[")[0]
            for table, name in (("phase", phase), ("file", file), ("test", file + rest)):
                watch.add(table, name, seconds, 0.0)
    return watch.kept


def show(kept: dict[str, Times]) -> None:
    """Print the longest lines of each table."""
    ranks = {"waited longest": 1, "computed most": 2}
    for table, lines in kept.items():
        for rank, place in ranks.items():
            if (table == "phase" and place == 2) or not any(line[place] for line in lines.values()):
                continue
            print(f"\n{table}, {rank}\n   times   waited  computed")
            for name, (count, waited, computed) in sorted(lines.items(), key=lambda row: -row[1][place])[:_SHOWN]:
                print(f"{count:8,.0f} {waited:8.1f} {computed:9.1f}  {name}")


def _processor() -> float:
    """Seconds of processor of this process and of its ended children."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def main() -> None:
    """Read a log, or run pytest."""
    if sys.argv[1:2] == ["--log"]:
        with Path(sys.argv[2]).open(encoding="utf-8") as log:
            show(of_log(log))
        return
    sys.exit(pytest.main(["-q", "-p", "benchmarks.suite", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
