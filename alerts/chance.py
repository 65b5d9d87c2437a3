"""Whether a count is more, or less, than chance explains, beside the weeks before it. Pure.

Weeks sway of themselves, beyond what chance does to a count: a post draws others, a storm keeps people at home. So the
rate of each week is taken to sway around one that stays the same (a gamma rate, so a negative binomial count), by as much
as the weeks before did. Then, given how many posts there were in all, the number in one week has a beta-binomial
distribution whatever that rate is, and the test is exact for small counts. Without sway it is the binomial test with
the share 1 / (weeks + 1). benchmarks/chance_rate.py measures how often it is wrong.
"""

import math
from collections.abc import Sequence
from statistics import mean, median, variance
from typing import Literal

_LEVEL = 0.05  # how often something may be called a change where nothing changed, all counts together
_FEWEST = 5  # a change from fewer posts to fewer posts is never called one: one person may have written them all
_ENOUGH = 4  # weeks whose least and most tell something
_TELLING, _OFTEN = 6, 3  # weeks, and posts in one of them, that tell how weeks sway
_GUESS, _LEAST = 0.3, 0.1  # the sway while there are fewer, and what no hospital stays below

Chance = Literal["more than chance", "less than chance", "could be chance", "too few to tell", "no weeks to compare"]


def judged(
    counts: Sequence[tuple[int, Sequence[int]]], sway: float, weeks: float = 1.0, weeks_each: float = 1.0
) -> list[Chance]:
    """Of several counts at once, each with those before it: whether it changed.

    `sway`: of one week, as of swaying(); `weeks`: how many a count spans; `weeks_each`: how many each of those before spans.
    Two-sided; corrected by Holm's method for looking at so many. From four weeks before on, a change is also
    outside everything that they had.
    """
    likely = [how_likely(now, before, sway, weeks, weeks_each) for now, before in counts]
    return [
        _in_words(now, before, is_rare, weeks / weeks_each)
        for (now, before), is_rare in zip(counts, _holm(likely), strict=True)
    ]


def swaying(rows: Sequence[Sequence[int]]) -> float:
    """By how much the rate of a week deviates, as a share of it; each row is one count in several weeks.

    What weeks differ beyond chance, of the middle one of the rows: one week in which something broke does not make every
    other change look usual. A guess where they are too few to tell.
    """
    rows = [row for row in rows if len(row) >= _TELLING and mean(row) >= _OFTEN]
    if not rows:
        return _GUESS
    beyond = median((variance(row) - mean(row)) / mean(row) ** 2 for row in rows)
    return max(_LEAST, math.sqrt(max(0.0, beyond)))


def how_likely(now: int, before: Sequence[int], sway: float, weeks: float = 1.0, weeks_each: float = 1.0) -> float:
    """How likely a count that is at least so far off is if nothing changed; 1 with nothing before."""
    if not before:
        return 1.0
    total = now + sum(before)
    ours, theirs = weeks / sway**2, weeks_each * len(before) / sway**2
    many = now * (ours + theirs) >= total * ours
    tail = _at_least(now, total, ours, theirs) if many else _at_least(total - now, total, theirs, ours)
    return min(1.0, 2 * tail)


def _at_least(count: int, total: int, ours: float, theirs: float) -> float:
    """The upper tail of the beta-binomial distribution, from a count above its mean: from there each term is smaller."""
    log_first = (
        math.lgamma(total + 1) - math.lgamma(count + 1) - math.lgamma(total - count + 1)
        + math.lgamma(count + ours) + math.lgamma(total - count + theirs) - math.lgamma(total + ours + theirs)
        + math.lgamma(ours + theirs) - math.lgamma(ours) - math.lgamma(theirs)
    )  # fmt: skip
    term = tail = math.exp(log_first)
    while count < total and term > tail * 1e-12:
        term *= (total - count) * (count + ours) / ((count + 1) * (total - count - 1 + theirs))
        count += 1
        tail += term
    return tail


def _holm(likely: Sequence[float]) -> list[bool]:
    """Which of several are rare enough when all were looked at: the rarest against all, the next against the others."""
    called = [False] * len(likely)
    for rank, number in enumerate(sorted(range(len(likely)), key=likely.__getitem__)):
        if likely[number] * (len(likely) - rank) > _LEVEL:
            break
        called[number] = True
    return called


def _in_words(now: int, before: Sequence[int], is_rare: bool, times: float) -> Chance:
    if not before:
        return "no weeks to compare"
    usual = sum(before) / len(before) * times
    if max(now, usual) < _FEWEST:
        return "too few to tell"
    within = len(before) >= _ENOUGH and min(before) <= now <= max(before)
    if not is_rare or within:
        return "could be chance"
    return "more than chance" if now > usual else "less than chance"
