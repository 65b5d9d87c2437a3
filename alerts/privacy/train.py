"""Trains the look of learned.py from labelled replies and writes its model. Needs the extra "train"; checking does not."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from alerts.privacy.labelled import Labelled, labelled
from alerts.privacy.learned import RULES, UNLAWFUL, WRONG
from nlp.components.sentences import sentence_starts
from nlp.corpora import Example
from nlp.tokenizer import visible
from nlp.train import Plan, Progress, fit, save

_COMPOSED = 0.3  # of all replies, how many are put together anew in each epoch
_LONGEST = 4  # sentences that are taken from a reply
_IN_SMALL, _IN_CAPITALS = 0.1, 0.03  # how many are told in other letters: how loud it is said makes nothing lawful
BATCH = 16


def train(folder: Path, plan: Plan, progress: Progress = lambda *_: None) -> None:
    """Fit it on every labelled reply but those that are kept back, and write it to `folder`."""
    rows = labelled()
    shuffle = random.Random(plan.seed)
    examples: list[Example] = []
    for _ in range(round(plan.epochs)):
        told = [*rows, *_composed(rows, int(len(rows) * _COMPOSED), shuffle)]
        examples += [_example(row, shuffle.random()) for row in told]
    network = fit(examples, (WRONG,), replace(plan, epochs=1, batch=BATCH), progress)
    about = {"seed": plan.seed, "epochs": plan.epochs, "examples": len(rows)}
    save(network, folder, {WRONG.name: {UNLAWFUL: 0.5}}, about)


def _example(row: Labelled, chance: float) -> Example:
    """Of an unlawful reply whose label names no rule it is not known which it breaks. `chance`: 0 to 1."""
    answers = {UNLAWFUL: not row.ok}
    if row.ok or row.rule in RULES:
        answers |= {rule: rule == row.rule for rule in RULES}
    text = visible(row.reply)
    if chance < _IN_SMALL:
        text = text.lower()
    elif chance > 1 - _IN_CAPITALS:
        text = text.upper()
    return Example(text, {WRONG.name: answers})


def _composed(rows: Sequence[Labelled], count: int, shuffle: random.Random) -> Iterator[Labelled]:
    """Replies made of the sentences of others, so that one wrong sentence is found in a letter of right ones."""
    lawful = [said for row in rows if row.ok and (said := _sentences(row.reply))]
    wrong = [(row, said) for row in rows if not row.ok and len(said := _sentences(row.reply)) == 1]
    for number in range(count):
        said = shuffle.choice(lawful)[:_LONGEST]
        at = shuffle.randint(0, len(said))
        row, other = shuffle.choice(wrong) if number % 2 else (None, shuffle.choice(lawful)[:_LONGEST])
        reply = " ".join([*said[:at], *other, *said[at:]])
        yield Labelled(id=f"composed-{number}", reply=reply, ok=row is None, rule=row.rule if row else None)


def _sentences(reply: str) -> list[str]:
    text = visible(reply)
    (starts,) = sentence_starts([text])
    places = [0, *(start for start in starts if start), len(text)]
    return [said for start, end in pairwise(places) if (said := text[start:end].strip())]
