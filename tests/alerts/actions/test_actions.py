"""Every button: what it says, where it leads, what it writes."""

from typing import Any

import pytest
from conftest import NOW

from alerts.act import act, known_actions
from alerts.case import MOVES

BUTTONS = [
    # name, label, leads to, written down
    ("answered", "Answered", "answered", "answered in public"),
    ("claim", "Claim", "claimed", "claimed it"),
    ("close", "Close", "closed", "closed it"),
    ("not_for_us", "Not for us", "dismissed", "said it is not for us"),
    ("reopen", "Reopen", "open", "reopened it"),
]


def test_each_file_is_a_button() -> None:
    assert list(known_actions()) == [name for name, *_ in BUTTONS]


@pytest.mark.parametrize(("name", "label", "state", "what"), BUTTONS)
def test_button(desk: Any, name: str, label: str, state: str, what: str) -> None:
    action = known_actions()[name]
    found = action.LABEL, action.TO, action.WHAT
    assert found == (label, state, what)
    assert len(label) <= 75, "Slack takes no longer one"
    desk.alert()
    case = desk.case()
    case.state = MOVES[state][0]
    desk.session.add(case)
    desk.session.commit()
    assert act(desk.session, name, 1, "ana", NOW).state == state
    assert desk.events()[-1] == what
