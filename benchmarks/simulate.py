"""Weeks of the whole service, simulated: seeded posts, people, clicks, faults and kills, every rule checked at every step.

    python -m benchmarks.simulate --seed 1 --weeks 4
    python -m benchmarks.simulate --weeks 1000 --jobs 2
    python -m benchmarks.simulate --plant list

The service is the real one: its stages, SQLite, the clients of the places and of Slack; the sites are the fakes of the
tests. Everything runs in one thread on one fake clock, so a seed gives the same weeks each time, and one that fails is
replayed by the command that is printed with it. --stop-at keeps the folder, to look at its database at that step.
--plant builds one bug in, to see that it is found.
"""

import argparse
import gc
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, fields
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))  # the fakes

from benchmarks.simulation.plants import PLANTS
from benchmarks.simulation.weeks import Failure, Run, Simulation

_EACH = 4  # weeks of one seed
_MEMORY = Path("/dev/shm")  # a disk in memory, where there is one: the simulation writes all the time


def main(given: Sequence[str] | None = None) -> int:
    """Simulate, and print what came of it; 1 if a rule was broken."""
    arguments = _arguments(given)
    if arguments.plant == "list":
        for name, plant in PLANTS.items():
            print(f"{name:28} {plant.__doc__}")
        return 0
    if arguments.plant is not None and arguments.plant not in PLANTS:
        print(f"there is no plant {arguments.plant!r}; --plant list names them", file=sys.stderr)
        return 2
    shares = list(_shares(arguments.seed, arguments.weeks, arguments.each))
    total, failure = Run(arguments.seed), None
    terminal = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as progress:
        bar = progress.add_task("weeks", total=arguments.weeks)
        for found in _runs(shares, arguments):
            if isinstance(found, Failure):
                failure = found
                break
            total = _sum(total, found)
            progress.update(bar, completed=total.weeks)
            if arguments.verbose:
                progress.console.print(_line(found))
    _say(total, failure, arguments)
    return 1 if failure else 0


def simulate(seed: int, weeks: int, plant: str | None = None, stop_at: int | None = None) -> Iterator[Run]:
    """The weeks of one seed, one after the other; each Run is that week's. Raises Failure."""
    _settled()
    used = time.process_time()
    folder = Path(tempfile.mkdtemp(prefix="call-light-", dir=_MEMORY if _MEMORY.is_dir() else None))
    try:
        with Simulation(seed, folder, PLANTS[plant] if plant else lambda _: None) as simulation:
            for run in simulation.weeks(weeks, stop_at):
                run.seconds, used = time.process_time() - used, time.process_time()
                yield run
    finally:
        if stop_at is None:
            shutil.rmtree(folder)
        else:
            print(f"the installation at step {stop_at} is in {folder}", file=sys.stderr)


def whole(seed: int, weeks: int, plant: str | None = None) -> Run | Failure:
    """The weeks of one seed at once, in a process of its own too: what they came to, or the rule that broke."""
    total = Run(seed)
    try:
        for run in simulate(seed, weeks, plant):
            total = _sum(total, run)
    except Failure as failure:
        return failure
    return total


def processes(jobs: int) -> ProcessPoolExecutor:
    """So many at once. Each seed begins in a new one, as the command that shows a failure again does."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.simulation.warm"])
    return ProcessPoolExecutor(max(1, jobs), mp_context=context, max_tasks_per_child=1)


@cache
def _settled() -> None:
    """Look for garbage as seldom as the product does (listener/cli.py), and not among what is loaded by now."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--weeks", type=int, default=_EACH, help="simulated weeks in all")
    parser.add_argument("--each", type=int, default=_EACH, help="weeks of one seed; the next seed follows")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--plant", metavar="NAME", help="build a bug in; list: name them")
    parser.add_argument(
        "--stop-at", type=int, metavar="STEP", help="stop at this step of the first seed, keep the folder"
    )
    parser.add_argument("--verbose", action="store_true", help="one line a week, or a seed where there are several")
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    return parser.parse_args(given)


def _shares(seed: int, weeks: int, each: int) -> Iterator[tuple[int, int]]:
    while weeks > 0:
        yield seed, min(each, weeks)
        seed, weeks = seed + 1, weeks - each


def _runs(shares: Sequence[tuple[int, int]], arguments: argparse.Namespace) -> Iterator[Run | Failure]:
    if len(shares) == 1 or arguments.stop_at is not None:
        try:
            yield from simulate(*shares[0], arguments.plant, arguments.stop_at)
        except Failure as failure:
            yield failure
        return
    with processes(arguments.jobs) as pool:
        waiting = [pool.submit(whole, seed, weeks, arguments.plant) for seed, weeks in shares]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _sum(one: Run, other: Run) -> Run:
    added = {field.name: getattr(one, field.name) + getattr(other, field.name) for field in fields(Run)}
    return Run(**added | {"seed": one.seed, "digest": other.digest})


def _line(run: Run) -> str:
    counts = f"{run.steps} steps, {run.posts} posts, {run.presses} presses, {run.requests} requests"
    return f"seed {run.seed}: {counts}, {run.faults} faults, {run.kills} kills; {run.digest[:16]}"


def _say(total: Run, failure: Failure | None, arguments: argparse.Namespace) -> None:
    if arguments.json:
        broken = None if failure is None else {**asdict(failure), "replay": replay(failure, arguments.plant)}
        print(json.dumps({**asdict(total), "seconds": round(total.seconds, 1), "failure": broken}, indent=2))
        return
    if failure is not None:
        print(f"{failure}\n  again:    {replay(failure, arguments.plant)}")
        return
    each = f"{total.seconds / max(total.weeks, 1):.1f} s of a core a week"
    print(f"{total.weeks} weeks, every rule held: {_line(total).partition(': ')[2].partition(';')[0]}; {each}")


def replay(failure: Failure, plant: str | None) -> str:
    """The command that does it again, and keeps the folder as it then is."""
    command = f"python -m benchmarks.simulate --seed {failure.seed} --weeks {failure.week} --each {failure.week}"
    return f"{command} --stop-at {failure.step}" + (f' --plant "{plant}"' if plant else "")


if __name__ == "__main__":
    raise SystemExit(main())
