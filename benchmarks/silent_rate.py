"""How often a phrase is said to have fallen silent where nothing is wrong, and how soon where something is.

    python -m benchmarks.silent_rate [--posts 300] [--years 2] [--seed 1]

Nothing is wrong: days of invented counts, no words, played through silence() day by day. How often phrases are found is
taken from the bundled week, stretched to 1,500 phrases; the rate of each sways from day to day, drifts over weeks, comes in
bursts (an outage), and one phrase in fifty is of a matter that fades away within a month or two. Something is wrong: a phrase
that was found at an even rate is found no more.
"""

import argparse

import numpy as np

from alerts.silent import silence

PHRASES = 1_500
# Of the phrases of the shipped list so many were in so many of the 338 posts about us of the bundled week.
FOUND = {30: 1, 19: 1, 11: 1, 8: 1, 7: 1, 6: 2, 5: 5, 4: 10, 3: 28, 2: 95, 1: 390}
OF, LISTED = 338, 1_828
DAYS_SWAY, DRIFT = 0.4, 0.3  # deviation of a day's rate; how far a rate drifts in a month
BURSTS, LONG, STRONG = 0.2, 4, 12  # a month for each phrase; days; times the rate
FADES = 0.02  # of the phrases
BACK = 60  # days that are looked at
WEEKEND = 0.7

Counts = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--posts", type=int, default=300, help="about us, a day")
    arguments.add_argument("--years", type=float, default=2)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    random = np.random.default_rng(given.seed)
    days = int(given.years * 365)
    posts = random.poisson(given.posts * np.where(np.arange(days) % 7 > 4, WEEKEND, 1.0))
    rates = rates_of(random, given.posts)
    alarms = fading = 0
    for number, rate in enumerate(rates):
        fades = number < FADES * PHRASES
        called = false_alarms(random, rate * posts / given.posts, posts, fades)
        alarms, fading = alarms + (0 if fades else called), fading + (called if fades else 0)
    months = days / 30
    print(f"{given.posts} posts a day, {PHRASES} phrases, {int((rates > 1).sum())} of them found more than once a day")
    print(f"false alarms a month            {alarms / months:6.2f}")
    print(f"and of matters that faded away  {fading / months:6.2f}")
    for usual in (0.5, 1, 1.5, 2, 3, 6, 10, 30):
        told = [told_after(random, usual, given.posts) for _ in range(200)]
        after = sorted(day for day in told if day)
        say = f"{after[len(after) // 2]} days (95 of 100: {after[int(0.95 * len(after))]})" if after else "never"
        print(f"found {usual:4} times a day, then never: told {len(after) / 2:3.0f} of 100, after {say}")


def rates_of(random: np.random.Generator, posts: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """How often each phrase is found a day; those that no post of the week held are rarer than all that one did."""
    seen = [count for count, phrases in FOUND.items() for _ in range(phrases)]
    seen += [0.2] * (LISTED - len(seen))  # type: ignore[list-item]
    return random.choice(np.array(seen, float), PHRASES, replace=False) / OF * posts


def false_alarms(
    random: np.random.Generator, usual: np.ndarray[tuple[int], np.dtype[np.float64]], posts: Counts, fades: bool
) -> int:
    """How often a phrase is said to be silent; told once while it lasts."""
    found = random.poisson(usual * life(random, len(usual), fades)).tolist()
    of, alarms, on = posts.tolist(), 0, False
    for day in range(8, len(found) + 1):
        if found[day - 1]:
            on = False
        elif not on and silence(found[max(0, day - BACK) : day], of[max(0, day - BACK) : day]):
            alarms, on = alarms + 1, True
    return alarms


def life(random: np.random.Generator, days: int, fades: bool) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """By how much a rate is more or less than usual, day by day."""
    rate = random.gamma(DAYS_SWAY**-2, DAYS_SWAY**2, days)
    steps = random.normal(0, DRIFT / 30**0.5, days)
    drift = np.zeros(days)
    for day in range(1, days):
        drift[day] = drift[day - 1] * (1 - 1 / 60) + steps[day]
    rate *= np.exp(drift)
    for begin in np.flatnonzero(random.random(days) < BURSTS / 30):
        rate[begin : begin + 1 + random.poisson(LONG)] *= STRONG
    if fades:
        rate *= 5 * np.exp(-np.maximum(0, np.arange(days) % 90 - 20) / random.uniform(7, 20))
    return rate


def told_after(random: np.random.Generator, usual: float, posts: int) -> int | None:
    """Days until it is told that a phrase is silent; None for not within three weeks."""
    found = random.poisson(usual * random.gamma(DAYS_SWAY**-2, DAYS_SWAY**2, 28)).tolist()
    of = random.poisson(posts, 28 + 21).tolist()
    for day in range(1, 22):
        if silence(found + [0] * day, of[: 28 + day]):
            return day
    return None


if __name__ == "__main__":
    main()
