"""docs/faults.md: what every cell came to, from tests/faults/seen.json, which a run with --see writes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conftest import PROJECT

from faults.calls import Call
from faults.table import CALLS
from faults.troubles import TROUBLES

SEEN = Path(__file__).parent / "seen.json"
PAGE = PROJECT / "docs" / "faults.md"
Results = dict[str, dict[str, str]]  # call or machine -> fault -> what it came to


def seen() -> dict[str, Any]:
    """What the last run with --see saw: {"cells": Results, "machine": Results, "seconds": how long it took}."""
    return dict(json.loads(SEEN.read_text(encoding="utf-8"))) if SEEN.exists() else {"cells": {}, "machine": {}}


def save(cells: Results, machine: Results, seconds: float) -> None:
    """Take up what this run saw in place of what was seen before, and write the page."""
    known = seen()
    calls = [str(call) for call in CALLS]
    for kind, found in (("cells", cells), ("machine", machine)):
        there: Results = known[kind]
        for name, results in found.items():
            there.setdefault(name, {}).update(results)
    known["cells"] = {name: _in_order(known["cells"][name]) for name in calls if name in known["cells"]}
    known["seconds"] = round(seconds)
    SEEN.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(known), encoding="utf-8")


def _in_order(results: Mapping[str, str]) -> dict[str, str]:
    return {trouble.name: results[trouble.name] for trouble in TROUBLES if trouble.name in results}


def page(known: Mapping[str, Any]) -> str:
    """The whole page."""
    cells, machine = known["cells"], known["machine"]
    count, of_machine = (sum(map(len, kind.values())) for kind in (cells, machine))
    parts = [_HEAD.format(count=count, machine=of_machine, calls=len(cells), faults=len(TROUBLES))]
    parts += ["## The faults\n", *(f"* **{one.name}**: {one.what}" for one in TROUBLES), ""]
    parts += [_UNKNOWN, "## Calls to the outside\n"]
    door = ""
    for call in CALLS:
        results = cells.get(str(call), {})
        if not results:
            continue
        if call.door != door:
            door = call.door
            parts += [f"### {door}\n"]
        parts += [f"**{call.name}**\n", *_table(results), *_remarks(call), ""]
    parts += ["## The machine\n"]
    for name, results in machine.items():
        parts += [f"**{name}**\n", *_table(results), ""]
    return "\n".join(parts).rstrip() + "\n"


def _table(results: Mapping[str, str]) -> list[str]:
    """Faults that came to the same stand in one row."""
    rows: dict[str, list[str]] = {}
    for trouble, came_to in results.items():
        rows.setdefault(came_to, []).append(trouble)
    lines = ["| fault | what was seen | what people are told |", "|---|---|---|"]
    for came_to, troubles in rows.items():
        became, _, told = came_to.partition("; people are told: ")
        lines.append(f"| {_plain(', '.join(troubles))} | {_plain(became)} | {_plain(told) or 'nothing'} |")
    return lines


def _remarks(call: Call) -> list[str]:
    whys: dict[str, list[str]] = {}
    for trouble, why in call.cannot.items():
        whys.setdefault(why, []).append(trouble)
    sooner = [f"\nAsked sooner than a stated time: {call.sooner}."] if call.sooner else []
    return [f"\nNot played: {', '.join(troubles)} ({why})." for why, troubles in whys.items()] + sooner


def _plain(text: str) -> str:
    """As it may stand in a table."""
    return text.replace(" | ", "; ").replace("|", "\\|").replace("<", "&lt;")


_HEAD = """# What happens when something breaks

Every call that Call Light makes to the outside was played with the faults that networks, places and machines have. After
each the fault was over, a new process went on with the same database, and these were looked at: every post is kept exactly
once, the ledger adds up, every card is in Slack exactly once and says what is so, no log has a word of a post, a secret or
a traceback, nothing waited longer than the product's own limits, and no answer of any size was taken into memory. Who
asked for two minutes is not asked after one, except where the call says why.

{count} cells: {calls} calls with up to {faults} faults each; and {machine} of the machine itself. The fakes that play the
faults speak the real protocols on this machine alone. To see it for yourself:

    make faults

plays every cell, fails where a rule does not hold, and writes this page anew. `make test` plays
one cell of each call and `make deep` the others; either fails where one comes to something else than is written here.
"""
_UNKNOWN = """## What cannot be known

* **A public reply whose answer is lost** may be public or not. It is never sent again blindly: a person presses "Was it
  posted?", which looks at the place, and only when it is not there may it be sent again. A place that shows a reply only
  after minutes could still make two of one; the sentence says to look at the post oneself.
* **A page whose answer is lost** is sent again. Pagers do not tell what they delivered, and being paged twice is better
  than not at all.
* **A card whose answer is lost** is looked for in Slack by a number that it carries. It is sent again only when Slack says
  that it is not there.
* **An event for another system** may arrive twice, with the same number: its receiver drops what it knows, as Standard
  Webhooks asks.
"""
