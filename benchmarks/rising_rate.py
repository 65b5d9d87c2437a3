"""How many phrases are called risen in weeks that are shuffled, how soon one that is new is found, and how long it takes.

    python -m benchmarks.rising_rate [--rounds 10] [--seed 1]

The texts are the labelled ones of patients (nlp/labelled), of each story one post, or up to three in the same week, as news
spreads; where more posts are wanted than there are stories, every post by itself. Something is new: a sentence with words
that stand nowhere else is put behind some posts of this week.
"""

import argparse
import re
import time
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from alerts.rising import different, risen
from nlp.labelled import posts

WEEKS = 8
PUT_IN = (3, 4, 5, 6, 8, 10, 15)
NEW = " The xylo barrier again."
Posts = Sequence[tuple[int, str]]


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=10)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    random = np.random.default_rng(given.seed)
    told = [(post.id.rpartition("-")[0], post.text) for post in posts() if post.voice == "patient"]
    stories = [[text for _, text in story] for _, story in groupby(sorted(told), key=lambda one: one[0])]
    single = [[text] for _, text in told]
    print(f"{len(told):,} posts, {len(stories):,} stories; new words in {PUT_IN} posts of the week")
    plays = (
        (100, stories, 1),
        (500, stories, 1),
        (100, stories, 3),
        (500, stories, 3),
        (1000, single, 1),
        (2800, single, 1),
    )
    for week, corpus, each in plays:
        false, seen = [], np.zeros(len(PUT_IN))
        for _ in range(given.rounds):
            now, before = weeks(random, corpus, each, week)
            false.append(len(rising(now, before)))
            seen += [any("xylo" in phrase for phrase in rising(put_in(now, count), before)) for count in PUT_IN]
        found = "".join(f"{share:6.0%}" for share in seen / given.rounds)
        print(
            f"{week:5,} posts a week, up to {each} of a story: {np.mean(false):5.2f} risen of nothing; new found {found}"
        )
    texts = [(number, text) for number, (_, text) in enumerate(told[:12_000])]
    began = time.process_time()
    rising(texts[:4_000], texts[4_000:])
    print(f"4,000 beside 8,000 texts: {time.process_time() - began:.2f} s of one core")


def weeks(random: np.random.Generator, stories: Sequence[Sequence[str]], each: int, week: int) -> tuple[Posts, Posts]:
    """One week, and eight before it, of stories in any order."""
    texts: list[str] = []
    for number in random.permutation(len(stories)):
        texts += stories[number][:each]
    numbered = list(enumerate(texts[: week * (WEEKS + 1)]))
    return numbered[:week], numbered[week:][-8_000:]


def put_in(now: Posts, count: int) -> Posts:
    """The week with something new in so many posts."""
    return [(number, text + NEW if place < count else text) for place, (number, text) in enumerate(now)]


def rising(now: Posts, before: Posts) -> list[str]:
    """What is called risen; marks of personal details are taken out as redaction does."""
    both = (
        different([(id_, re.sub(r"\[\[.*?\]\]", "[name]", text)) for id_, text in said], ()) for said in (now, before)
    )
    return [one.phrase for one in risen(*both)]


if __name__ == "__main__":
    main()
