"""How often a topic is called more or less than chance where nothing changed, and how often a change is seen.

    python -m benchmarks.chance_rate [--rounds 2000] [--seed 1]

Nothing changed: weeks of invented counts, no words, of 16 topics. Their rates sway from week to week, each topic by itself,
and a post draws others after it. Something changed: one topic of them has twice, three times or half as many posts.
"""

import argparse
from collections.abc import Sequence

import numpy as np

from alerts.chance import judged, swaying

SHARES = np.array([51, 39, 37, 36, 34, 26, 22, 20, 16, 16, 16, 15, 12, 9, 5, 3], float)
SWAYS = (0.0, 0.1, 0.2, 0.3, 0.5)
DRAWN = 0.15  # posts that a post draws after it
WEEKLY = (30, 300, 3000)  # complaints by topic
BEFORE = (1, 4, 6, 8)  # weeks
USUAL = (2, 5, 10, 20, 50, 200)
CALLED = ("more than chance", "less than chance")


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=2000)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    random = np.random.default_rng(given.seed)
    print(f"of 100 weeks without a change so many have a topic that is called changed; weeks before: {BEFORE}")
    for weekly in WEEKLY:
        for sway in SWAYS:
            rates = weekly * SHARES / SHARES.sum()
            wrong = [false_alarms(random, rates, sway, before, given.rounds) for before in BEFORE]
            print(f"{weekly:6,} complaints a week, sway {sway}: " + "".join(f"{rate:7.1%}" for rate in wrong))
    for sway in SWAYS:
        wrong_month = months(random, 300 * SHARES / SHARES.sum(), sway, given.rounds)
        print(f"four weeks beside the four before, sway {sway}: {wrong_month:7.1%}")
    print(f"of 100 changes of one topic so many are seen, sway 0.2, 8 weeks before; usual a week: {USUAL}")
    for times in (2.0, 3.0, 0.5):
        seen = [power(random, usual, times, given.rounds) for usual in USUAL]
        print(f"{times:4} times as many: " + "".join(f"{rate:7.1%}" for rate in seen))


def false_alarms(random: np.random.Generator, rates: Sequence[float], sway: float, before: int, rounds: int) -> float:
    """The share of weeks in which any topic is called, though none changed."""
    return sum(any(calls(drawn(random, rates, sway, before + 1))) for _ in range(rounds)) / rounds


def months(random: np.random.Generator, rates: Sequence[float], sway: float, rounds: int) -> float:
    """The share of spans of four weeks in which any topic is called, though none changed."""
    wrong = 0
    for _ in range(rounds):
        weeks = drawn(random, rates, sway, 12)
        found = judged([(sum(row[:4]), [sum(row[4:8])]) for row in weeks], swaying([row[4:] for row in weeks]), 4, 4)
        wrong += any(word in CALLED for word in found)
    return wrong / rounds


def calls(counts: Sequence[Sequence[int]]) -> list[bool]:
    """Of the first week of each topic beside the others: whether it is called."""
    found = judged([(row[0], row[1:]) for row in counts], swaying([row[1:] for row in counts]))
    return [word in CALLED for word in found]


def power(random: np.random.Generator, usual: float, times: float, rounds: int) -> float:
    """The share of weeks in which one topic, that changed, is called, beside 15 that did not."""
    rates = np.array([usual, *(300 * SHARES / SHARES.sum())[1:]])
    seen = 0
    for _ in range(rounds):
        counts = drawn(random, rates, 0.2, 9)
        counts[0][0] = drawn(random, [usual * times], 0.2, 1)[0][0]
        seen += calls(counts)[0]
    return seen / rounds


def drawn(random: np.random.Generator, rates: Sequence[float], sway: float, spans: int) -> list[list[int]]:
    """Counts of each topic in so many spans."""
    factors = random.gamma(sway**-2, sway**2, (len(rates), spans)) if sway else np.ones((len(rates), spans))
    first = random.poisson(np.array(rates)[:, None] * factors / (1 + DRAWN))
    counts: list[list[int]] = (first + random.poisson(DRAWN * first)).tolist()
    return counts


if __name__ == "__main__":
    main()
