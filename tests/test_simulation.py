"""Weeks of the whole service, simulated (benchmarks/simulate.py): every rule holds, and what is planted is found."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROJECT

from benchmarks import simulate
from benchmarks.simulation.plants import PLANTS
from benchmarks.simulation.weeks import Failure, Run

SEEDS = range(1, 11)
WEEKS = 2  # of each seed: twenty in all
# Seeds in which a plant is looked for: what is drawn in one depends on each request and commit of the product.
TRIED = range(1, 9)
BREAKS = {  # each plant, and the rules that it breaks: which of them is seen first depends on what happens
    "cursor moved early": {1},
    "missing unique key": {2, 3},
    "lost wake up": {3},
    "sent before sending": {3, 6},
    "no look for the card": {2},
    "danger folded": {1, 3},
    "index not tidied": {6},
    "readings not forgotten": {6},
    "clock from heard at": {4},
    "ledger without unread": {1},
    "reply sent twice": {5},
    "other words": {5},
    "words in the log": {9},
    "lease ignored": {2},
    "nobody paged": {3},
    "silence not told": {8},
}


def command(*arguments: str, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    """`python -m benchmarks.simulate` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.simulate", *arguments],
        cwd=PROJECT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )


def alone(seed: int, weeks: int, plant: str | None = None) -> Run | Failure:
    """Simulated in a new process."""
    with simulate.processes(1) as pool:
        return pool.submit(simulate.whole, seed, weeks, plant).result()


@pytest.mark.deep
@pytest.mark.parametrize("seed", SEEDS)
def test_every_rule_holds(seed: int) -> None:
    came = alone(seed, WEEKS)
    assert not isinstance(came, Failure), f"{came}\n{simulate.replay(came, None)}"
    assert (came.weeks, came.steps > 50, came.posts > 10, came.presses > 10) == (WEEKS, True, True, True)


@pytest.mark.deep
def test_a_seed_gives_the_same_week_in_any_process() -> None:
    came = [command("--seed", "3", "--weeks", "1", "--json", hash_seed=one) for one in ("1", "2")]
    digests = [json.loads(one.stdout)["digest"] for one in came]
    assert digests[0] == digests[1]


def test_each_plant_is_listed() -> None:
    listed = command("--plant", "list").stdout
    assert BREAKS.keys() == PLANTS.keys()
    assert [line.split("  ")[0] for line in listed.splitlines()] == list(PLANTS)


@pytest.mark.deep
@pytest.mark.parametrize("plant", BREAKS)
def test_what_is_planted_is_found(plant: str) -> None:
    runs = (alone(seed, WEEKS, plant) for seed in TRIED)
    found = next((run for run in runs if isinstance(run, Failure)), None)
    assert found is not None, "a check is missing"
    assert found.rule in BREAKS[plant], found


@pytest.mark.slow
def test_the_command_of_a_failure_shows_it_again(tmp_path: Path) -> None:
    plant = "words in the log"
    first = command("--seed", "1", "--weeks", "1", "--plant", plant, "--json")
    told = json.loads(first.stdout)["failure"]
    again = command(*shlex.split(told["replay"])[3:], "--json", hash_seed="7")
    assert (first.returncode, again.returncode) == (1, 1)
    assert json.loads(again.stdout)["failure"] == told
    kept = Path(again.stderr.strip().rpartition(" in ")[2])
    assert (kept / "data" / "call-light.db").exists()
