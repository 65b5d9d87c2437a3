"""Every outside call x every fault: the rules hold, and it comes to what docs/faults.md says."""

import ast
import re
from collections import Counter
from functools import cache
from typing import Any

import pytest
from conftest import PROJECT

from faults.calls import Call
from faults.cell import impossible, patience, play, requests_before
from faults.page import PAGE, page, seen
from faults.table import CALLS, NOBODY_IS_ASKED
from faults.troubles import TROUBLES, Trouble
from listener.collect import known_collectors

KNOWN = {name: {**results} for name, results in seen()["cells"].items()}
BEFORE: dict[str, int] = {}  # what the first cell of a call learned for the others


def cells() -> list[Any]:
    """Those that make sense; that a connection cannot fail which is there already is found out while playing.

    `make test` plays one of each call, of the trouble that it has played least; `make deep` plays the others.
    """
    params, played = [], Counter[str]()
    for call in CALLS:
        troubles = [trouble for trouble in TROUBLES if impossible(call, trouble, 0) is None]
        shallow = sorted(troubles, key=lambda trouble: played[trouble.name])[:1]
        played.update(trouble.name for trouble in shallow)
        for trouble in troubles:
            marks = [] if trouble in shallow else [pytest.mark.deep]
            params.append(pytest.param(call, trouble, id=f"{call}: {trouble.name}", marks=marks))
    return params


@pytest.mark.parametrize(("call", "trouble"), cells())
def test_a_cell(call: Call, trouble: Trouble, worlds: Any, see: Any) -> None:
    if str(call) not in BEFORE:
        with worlds() as world, patience(call):
            BEFORE[str(call)] = requests_before(call, world)
    if why := impossible(call, trouble, BEFORE[str(call)]):
        pytest.skip(why)
    with worlds() as world, patience(call):
        came_to = str(play(call, trouble, world, BEFORE[str(call)]))
    if not see("cells", str(call), trouble.name, came_to):
        assert came_to == KNOWN[str(call)][trouble.name], (
            "docs/faults.md says something else; make faults writes it anew"
        )


# ---------------------------------------------------------------- whether anything is missing


def test_each_call_and_each_trouble_is_played_by_make_test() -> None:
    played = [param.values for param in cells() if not param.marks]
    assert {str(call) for call, _ in played} == set(map(str, CALLS))
    assert {trouble.name for _, trouble in played} == {trouble.name for trouble in TROUBLES}


def test_the_page_is_what_was_seen() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(seen())


def test_every_function_of_every_collector_is_in_the_table() -> None:
    """A new collector, or a new function of one, needs its row; or a word that it asks nobody."""
    ours = {
        f"{name}.{what}"
        for name, collector in known_collectors().items()
        for what in ("fetch", "own_replies", "lookup", "reply", "find_reply")
        if hasattr(collector, what) and name not in NOBODY_IS_ASKED
    }
    assert ours == {does for call in CALLS for does in call.does if does.partition(".")[0] in known_collectors()}


def test_every_method_of_slack_is_in_the_table() -> None:
    """What of slack-sdk's client the product calls, by its name in Slack."""
    called = {
        node.attr.replace("_", ".", -1 if node.attr.startswith(("usergroups", "apps")) else 1)
        for path in (PROJECT / "alerts").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "client"
        and re.match("(chat|conversations|files|views|users|usergroups|auth|apps|reactions|pins)_", node.attr)
    }  # fmt: skip
    assert called <= {does for call in CALLS for does in call.does}
    assert len(called) > 10


@cache
def _doors() -> frozenset[str]:
    """Files of the product that open a way to the outside."""
    opens = (
        r"requests\.(get|post|request|Session)\(|urlopen|build_opener|httpx\.|WebClient\(|create_connection|websockets"
    )
    return frozenset(
        path.relative_to(PROJECT).as_posix()
        for package in ("config", "listener", "nlp", "alerts")
        for path in (PROJECT / package).rglob("*.py")
        if re.search(opens, path.read_text(encoding="utf-8"))
    )


def test_every_door_is_known() -> None:
    """A new file that speaks to the outside has to come into the table."""
    of_collectors = {f"listener/collectors/{name}.py" for name in known_collectors()}
    others = {"listener/web.py", "listener/x_door.py", "alerts/slack.py", "alerts/slack_link.py", "alerts/hooks.py"}
    ourselves = {"alerts/machine.py"}  # whether our own port answers
    assert _doors() <= of_collectors | others | ourselves
