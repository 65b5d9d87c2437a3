"""The model card: what the encoder is, what it learned from, how well it reads, and where it does not."""

import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nlp.encoder import FOLDER, Encoder
from nlp.evaluate import Found, Table
from nlp.labelled import posts

_ABOUT = """\
# The trained encoder

A small transformer that reads what the phrases of `keywords.toml` cannot know: who speaks, what they want, what of, how urgent
it is, and which words name a person. It runs on the processor, without a network. Posts never leave the machine.

* **What it is**: all-MiniLM-L6-v2 (22 million parameters, Apache-2.0) fine-tuned by `call-light train`, rounded to 8 bits
  word by word: a post reads the same alone and among others. Every answer is a mean of weights of single words, so that a
  reading can point at them. Capitals, which its vocabulary does not know, go in beside the words.
* **What it is for**: sorting public posts about a hospital for people who answer them. It decides nothing about a person: not
  who they are, not what ails them.
* **Where a miss costs more**: the threshold for danger is the one at which a missed danger counts as {miss} false alarms, when
  danger is ten times rarer than in the posts that it is chosen on.

## What it learned from

| what | licence |
|---|---|
| `nlp/labelled/`: posts written and labelled for this project by `docs/labels.md` (two thirds of the stories train, once as written and once with other names, misspelt or beside another post; the others tune and test) | MIT |
| NHS survey comments, themes and criticality (The-Strategy-Unit/pxtextmining) | MIT |
| CrisisLex T6 tweets (sajao/CrisisLex): a fifth of them, as what is not for us | MIT |
| GoEmotions (monologg/GoEmotions-pytorch): 2,000 comments with one clear feeling | Apache-2.0 |
| WNUT 2017 (leondz/emerging_entities_17) and Broad Twitter Corpus (GateNLP), training splits: persons | CC BY 4.0 |
| presidio-research, synthetic data (Microsoft): three quarters of its sentence patterns | MIT |

## Limits

* Our labelled posts were written by few people in one style of thinking, and labelled twice by the same rules (agreement in
  `docs/labels.md`). Real posts will be stranger. Figures on them, not these, say how good the reader is at your hospital:
  `call-light read --explain` shows why a post was read as it was.
* Survey comments come from England. There is little billing, privacy, safety or parking in them.
* The encoder's vocabulary is English. Spanish it learned from {spanish} posts; other languages it does not read, and such posts
  go to people.
* Words that it has not seen beside each other it takes apart: brand names, new slang, medicines.
* Of a very long post the first 4,000 words or so are read closely; phrases are looked for in 100,000 characters.
"""


def markdown(found: Found) -> str:
    """The figures as tables."""
    lines = ["## What was to be reached", "", "| what | measured on | reached | wanted | |", "|---|---|---|---|---|"]
    lines += [
        f"| {goal.what} | {goal.on} | {goal.reached} | {goal.wanted} | {'yes' if goal.is_reached else 'NO'} |"
        for goal in found.goals
    ]
    for table in found.tables:
        lines += ["", *_table(table)]
    if found.calibration:
        lines += [
            "",
            "## How likely, how often so",
            "",
            "| answer | said to be likely | was so | of |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| {name} | {likely:.2f} | {so:.2f} | {count} |"
            for name, bins in found.calibration.items()
            for likely, so, count in bins
        ]
    return "\n".join(lines) + "\n"


def _table(table: Table) -> Iterator[str]:
    recall_only = not any(row.false for row in table.rows) and table.name.startswith("redaction")
    if recall_only:
        yield from (f"## {table.name}", "", "| | recall | support |", "|---|---|---|")
        yield from (f"| {row.label} | {row.recall:.2f} | {row.support} |" for row in table.rows)
        return
    yield from (f"## {table.name}", "", "| | precision | recall | F1 | support |", "|---|---|---|---|---|")
    yield from (
        f"| {row.label} | {row.precision:.2f} | {row.recall:.2f} | {row.f1:.2f} | {row.support} |" for row in table.rows
    )
    yield f"| **macro F1** | | | **{table.macro:.3f}** | |"
    if len(table.rows) > 1:
        yield f"| micro F1 | | | {table.micro:.3f} | |"


def as_json(found: Found) -> dict[str, Any]:
    """The figures for programs."""
    return {
        "goals": [goal.__dict__ for goal in found.goals],
        "tables": [
            {
                "name": table.name,
                "macro_f1": round(table.macro, 4),
                "micro_f1": round(table.micro, 4),
                "labels": [
                    {
                        "label": row.label,
                        "precision": round(row.precision, 4),
                        "recall": round(row.recall, 4),
                        "f1": round(row.f1, 4),
                        "support": row.support,
                    }
                    for row in table.rows
                ],
            }
            for table in found.tables
        ],
        "calibration": found.calibration,
    }


def write(found: Found, folder: Path = FOLDER, miss_costs: int = 50) -> Path:
    """Write CARD.md beside the model; its path."""
    path = folder / "CARD.md"
    measured = f"Model {Encoder(folder).version}, measured {datetime.now(UTC):%Y-%m-%d} on {platform.machine()}, {platform.python_version()}."
    spanish = sum(post.language == "es" and post.part == "train" for post in posts())
    about = _ABOUT.format(miss=miss_costs, spanish=spanish)
    path.write_text(f"{about}\n{measured}\n\n{markdown(found)}", encoding="utf-8")
    return path
