"""The encoder's architecture, trained on one CSV file and tested on another: to be put beside published results.

    python -m benchmarks.nhs_themes --train TRAIN.csv --test TEST.csv
    python -m benchmarks.nhs_themes --cv ALL.csv [--folds 5] [--label criticality --sign]

The files have the columns "text" and "label" (or another, by --label); --sign keeps only the sign of a number. Cross-validation
keeps texts that repeat in one fold. Needs the extra "train". The same seed gives the same figures on the same machine.
"""

import argparse
import csv
import hashlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from nlp.corpora import Example, one
from nlp.evaluate import tally
from nlp.heads import Head
from nlp.train import Plan, answers, fit

Rows = list[tuple[str, str]]  # text, label


def main() -> None:
    """Train, test and print."""
    given = _arguments().parse_args()
    plan = Plan(seed=given.seed, epochs=given.epochs, smoothing=given.smoothing, balance=given.balance, rate=given.rate)
    right: list[str] = []
    said: list[str] = []
    for number, (train, test) in enumerate(_parts(given), 1):
        found = _answers(train, [text for text, _ in test], plan, number)
        labels = [label for _, label in test]
        right, said = right + labels, said + found
        if given.cv:
            _print(f"fold {number}: ", labels, found)
    _print("", right, said)


def _arguments() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--train", type=Path)
    arguments.add_argument("--test", type=Path)
    arguments.add_argument("--cv", type=Path)
    arguments.add_argument("--folds", type=int, default=5)
    arguments.add_argument("--only", type=int, help="only so many of the folds")
    arguments.add_argument("--label", default="label")
    arguments.add_argument("--sign", action="store_true")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--epochs", type=float, default=5)
    arguments.add_argument("--smoothing", type=float, default=0.1)
    arguments.add_argument("--balance", type=float, default=0.25)
    arguments.add_argument("--rate", type=float, default=Plan.rate)
    return arguments


def _parts(given: argparse.Namespace) -> Iterator[tuple[Rows, Rows]]:
    if given.cv:
        rows = _rows(given.cv, given)
        folds = [_fold(text, given.folds) for text, _ in rows]
        for fold in range(given.only or given.folds):
            yield (
                [row for row, own in zip(rows, folds, strict=True) if own != fold],
                [row for row, own in zip(rows, folds, strict=True) if own == fold],
            )
    elif given.train and given.test:
        yield _rows(given.train, given), _rows(given.test, given)
    else:
        sys.exit("give --train and --test, or --cv")


def _fold(text: str, folds: int) -> int:
    """By the text's words, so that repeated texts never stand on both sides."""
    return int(hashlib.sha256(" ".join(text.lower().split()).encode()).hexdigest(), 16) % folds


def _rows(path: Path, given: argparse.Namespace) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row[given.label]) for row in csv.DictReader(file) if row[given.label]]
    if given.sign:
        rows = [(text, str((float(label) > 0) - (float(label) < 0))) for text, label in rows]
    return rows


def _answers(train: Rows, texts: Sequence[str], plan: Plan, number: int) -> list[str]:
    head = Head("label", tuple(sorted({label for _, label in train})), "one")
    examples = [Example(text, {"label": one(head, label)}) for text, label in train]

    def show(step: int, steps: int, loss: float) -> None:
        if step % 10 == 0 or step == steps:
            print(f"\r{number}: step {step} of {steps}, loss {loss:.3f} ", end="", file=sys.stderr, flush=True)

    return answers(fit(examples, (head,), plan, show), texts, head)


def _print(before: str, right: Sequence[str], said: Sequence[str]) -> None:
    table = tally("label", sorted(set(right)), [({a}, {b}) for a, b in zip(right, said, strict=True)])
    accuracy = sum(a == b for a, b in zip(right, said, strict=True)) / len(right)
    print(f"{before}accuracy {accuracy:.3f}", flush=True)
    print(f"{before}macro F1 {table.macro:.3f}", flush=True)


if __name__ == "__main__":
    main()
