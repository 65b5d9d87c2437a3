"""How often a spike is called where nothing is wrong, and how soon where something is.

    python -m benchmarks.spike_rate [--months 6] [--posts 3000] [--seed 1]

Nothing is wrong: months of invented times, no words, played through usual_rate() and spiking(). A day has its hours, a
week its end, days and hours sway, and a post draws others after it. Something is wrong: posts about one topic come all
at once on top of that.
"""

import argparse
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from alerts.spikes import Told, first_guess, needed, spiking, usual_rate
from config.schema import Spikes

ZONE = ZoneInfo("America/Chicago")
BEGIN = datetime(2026, 1, 5, 6, tzinfo=UTC)  # a Monday
HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)
WARM_UP, DAY_ONE = 8 * WEEK, timedelta(days=1)
# Of all posts so many are a patient's complaint or question, and speak of so many topics: as in the bundled week.
ASKING, TOPICS_EACH = 0.41, 1.9
TOPICS = (
    *("communication", "digital", "waiting", "safety", "parking", "access", "billing", "clinical_care", "staffing"),
    *("dignity", "attitude", "facilities", "continuity", "privacy", "food", "one of their own", "another one"),
)
SHARES = np.array([51, 39, 37, 36, 34, 26, 22, 20, 16, 16, 16, 15, 12, 9, 5, 3, 1], float)
DAY = np.array([3, 2, 2, 2, 2, 4, 7, 11, 15, 16, 15, 15, 15, 14, 14, 14, 14, 14, 14, 15, 14, 11, 8, 5], float)
WEEKEND = 0.7
DAYS_SWAY, HOURS_SWAY = 0.2, 0.3  # deviation of a day's and of an hour's rate, for each topic
DRAWN, NEAR = 0.15, timedelta(minutes=30)  # posts that a post draws after it, and how soon
SETTINGS = Spikes()
OTHERS = (0, 1, 3, 10, 30)
FIRST_DAYS = {3000: 20, 300: 100}  # of so many hospitals with so many posts a day


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--months", type=int, default=6)
    arguments.add_argument("--posts", type=int, default=3000, help="a day")
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    random = np.random.default_rng(given.seed)
    span = WARM_UP + timedelta(days=30 * given.months)
    rates = rates_of(given.posts)
    spikes = called(random, rates, span)
    young = sum(at < BEGIN + WEEK for at in spikes)
    settled = sum(at >= BEGIN + WARM_UP for at in spikes)
    print(f"{given.posts:,} posts a day, {len(rates)} topics, {rates.min():.0f} to {rates.max():.0f} of each a day")
    print(f"false spikes a month            {settled / given.months:8.2f}")
    print(f"false spikes in the first week  {young:8d}")
    for posts, hospitals in FIRST_DAYS.items():
        first = [len(called(random, rates_of(posts), DAY_ONE)) for _ in range(hospitals)]
        print(
            f"false spikes on the first day   {np.mean(first):8.2f}   with {posts:,} posts a day; at most {max(first)}"
        )
    at = ", ".join(str(needed(first_guess("digital", others), SETTINGS)) for others in OTHERS)
    print(f"the portal in the first hour, beside {OTHERS} other posts: called at post {at}")
    print("usual in 20 min   0.0  0.1  0.3    1    3    8   20")
    print("called at post  " + "".join(f"{needed(usual, SETTINGS):5d}" for usual in (0.0, 0.1, 0.3, 1, 3, 8, 20)))
    posts_at = [called_at(random, 0.3, 14) for _ in range(1000)]
    low, high = np.percentile(posts_at, (5, 95))
    print(f"14 posts in 20 min, usual 0.3: called at post {low:.0f} to {high:.0f}")


def rates_of(posts: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Posts a day about each topic, where there are so many in all."""
    return posts * ASKING * TOPICS_EACH * SHARES / SHARES.sum()


def called(random: np.random.Generator, rates: Sequence[float], span: timedelta) -> list[datetime]:
    """When spikes would be called in a span in which nothing is wrong."""
    topics = [times(random, rate, span) for rate in rates]
    everything = sorted(at for written in topics for at in written)
    alone = (1 - SHARES / SHARES.sum() * TOPICS_EACH) / TOPICS_EACH  # of what is said of others, without it
    spikes = zip(TOPICS, topics, alone, strict=True)
    return [at for name, written, part in spikes if written for at in false_spikes(name, written, everything, part)]


def times(random: np.random.Generator, a_day: float, span: timedelta) -> list[datetime]:
    """When posts about one topic are written, in order."""
    hours = int(span / HOUR)
    begins = [BEGIN + HOUR * number for number in range(hours)]
    local = [at.astimezone(ZONE) for at in begins]
    shape = np.array([DAY[at.hour] * (WEEKEND if at.weekday() > 4 else 1) for at in local]) / DAY.mean() / 24
    sway = np.repeat(gamma(random, DAYS_SWAY, hours // 24 + 1), 24)[:hours] * gamma(random, HOURS_SWAY, hours)
    counts = random.poisson(a_day / (1 + DRAWN) * shape * sway)
    written = [begins[n] + HOUR * float(part) for n, count in enumerate(counts) for part in random.random(count)]
    drawn = random.poisson(DRAWN, len(written))
    written += [
        at + NEAR * float(part) for at, count in zip(written, drawn, strict=True) for part in random.random(count)
    ]
    return sorted(written)


def gamma(random: np.random.Generator, deviation: float, count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Factors around one."""
    return random.gamma(deviation**-2, deviation**2, count)


def false_spikes(
    topic: str, written: Sequence[datetime], everything: Sequence[datetime], alone: float
) -> Iterator[datetime]:
    """When a spike would be called of a topic, beside all that is written, of which a part speaks of others `alone`.
    While one is on, no second one is."""
    hours = {BEGIN + HOUR * number: 0 for number in range(int((written[-1] - BEGIN) / HOUR) + 1)}
    window: deque[Told] = deque()
    counted, each, usual_of, on = 0.0, 0.0, None, False
    for number, at in enumerate(written):
        hour = at.replace(minute=0, second=0, microsecond=0)
        hours[hour] += 1
        window.append(Told(number, at, f"author{number}", number))
        while window[0].at <= at - SETTINGS.window:
            window.popleft()
        if len(window) < SETTINGS.posts and not on:
            continue
        if usual_of != hour:
            recent = {day: hours.get(day, 0) for day in (hour - HOUR * back for back in range(1345)) if day in hours}
            counted, beside = (usual_rate(recent, at, ZONE, SETTINGS.window, guess) for guess in (0.0, 1.0))
            each, usual_of = beside - counted, hour  # it grows evenly with the first guess
        told = bisect_right(everything, at) - bisect_right(everything, at - SETTINGS.window)
        usual = counted + each * first_guess(topic, round(alone * (told - len(window))))
        if on:
            on = 2 * len(window) >= needed(usual, SETTINGS)
        elif spiking(window, usual, SETTINGS):
            on = True
            yield at


def called_at(random: np.random.Generator, usual: float, posts: int) -> int:
    """At which of `posts` that come within one window a spike is called; those of an ordinary day are among them."""
    ordinary = [BEGIN + SETTINGS.window * float(part) for part in random.random(random.poisson(usual))]
    outage = [BEGIN + SETTINGS.window * float(part) for part in random.random(posts)]
    told = [Told(number, at, str(number), number) for number, at in enumerate(sorted(ordinary + outage))]
    return next(count for count in range(1, len(told) + 1) if spiking(told[:count], usual, SETTINGS))


if __name__ == "__main__":
    main()
