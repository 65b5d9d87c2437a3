"""The care team of the simulation: they press what the cards offer, fill in forms, and remember what they were shown.

Presses go by Slack's payloads through slack-bolt into the product, or by the path that the Listening Center takes. What a
person confirmed before a reply became public is written down word by word: no other word may appear on a site.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fakes.slack import CARE_CHANNELS, FakeSlack
from fakes.slack_people import Person
from fakes.slack_views import elements

from alerts.press import Press, allow, press
from benchmarks.simulation.machine import Copy, Machine
from listener.errors import CallLightError

_BY_PAGE = ("claim", "answered", "close", "snooze", "reopen", "not_for_us", "assign")
_TO_ANSWER = 12  # times as likely: a reply takes three presses on one card, and is what must not go wrong
_WORDS = "Thank you for telling us. We would like to listen: Patient Relations at 555-0100."


@dataclass
class Team:
    """Who is there, and what they did."""

    chance: random.Random
    machine: Machine
    slack: FakeSlack
    people: list[Person] = field(default_factory=list)
    pressed: list[tuple[str, str]] = field(default_factory=list)  # who, what
    confirmed: list[str] = field(default_factory=list)  # the exact words that somebody let go out
    drops_next: Callable[[], None] = lambda: None  # what a site says to the next reply does not arrive
    _keys: int = 0

    def __post_init__(self) -> None:
        """They join the workspace; what they do arrives at any copy that runs."""
        named = (("U0ANA11", "ana"), ("U0BEN11", "ben"), ("U0CLEO1", "cleo"))
        self.people = [Person(self.slack, id_, name) for id_, name in named]
        self.slack.line = _Line(self)  # type: ignore[assignment]

    def acts(self) -> str:
        """Somebody does something with a card; what it was."""
        if not self.machine.copies:
            return "nobody can press: nothing runs"
        return self._by_page() if self.chance.random() < 0.3 else self._by_slack()

    # ------------------------------------------------------------ in Slack

    def _by_slack(self) -> str:
        person, found = self.chance.choice(self.people), self._buttons()
        if not found:
            return "nothing to press"
        channel, ts, action, value = self.chance.choice(found)
        presses = [person]
        if self.chance.random() < 0.3:  # somebody else sees the same card, and presses at the same time
            presses.append(self.chance.choice([one for one in self.people if one is not person]))
        for one in presses:
            self._close(one)
        payloads = [one.pressing(channel, ts, action, value) for one in presses]
        for one, payload in zip(presses, payloads, strict=True):
            self.pressed.append((one.id, f"{action} {value}"))
            one.send(payload)
            self._fills(one)
            if self.chance.random() < 0.1:  # once more, as Slack repeats what it takes for lost
                one.again()
        return f"{person.name} {action} {value}"

    def _buttons(self) -> list[tuple[str, str, str, str]]:
        """Everything on the newest messages that can be pressed: channel, message, action, value."""
        found = []
        for name in CARE_CHANNELS:
            for message in self.slack._channel(name).messages[-8:]:
                for _, element in elements(message.get("blocks", [])):
                    action = element["action_id"]
                    if action == "menu":
                        for one in element["options"]:
                            often = _TO_ANSWER if one["value"].startswith("draft") else 1
                            found += [(name, message["ts"], action, one["value"])] * often
                    elif action.startswith("do:") or action == "fold:next":
                        often = _TO_ANSWER if action in ("do:draft", "do:approve", "do:send") else 2
                        found += [(name, message["ts"], action, element["value"])] * often
        return found

    def _close(self, person: Person) -> None:
        while person.sees_view():
            person.close_view(everything=True)

    def _fills(self, person: Person) -> None:
        """Whatever form is open before them is filled in and sent, and the next one that it leads to."""
        for _ in range(4):
            view = self.slack.views.top(person.id)
            if view is None or view.given.get("submit") is None:
                return
            given = {}
            for block in view.given["blocks"]:
                if block["type"] == "input":
                    given[block["block_id"]] = self._answer(block["block_id"], block["element"], view.given)
            if str(view.given.get("callback_id")) == "do:send":
                self.confirmed.append(_exact(view.given))
                if self.chance.random() < 0.3:  # the answer of the site is lost in this moment
                    self.drops_next()
            self.pressed.append((person.id, str(view.given.get("callback_id"))))
            if not person.submit(given).acked:
                return

    def _answer(self, name: str, element: dict[str, Any], view: dict[str, Any]) -> Any:
        draw = self.chance
        if options := element.get("options"):
            if element["type"] == "multi_static_select":
                return [draw.choice(options)["value"]]
            return [options[0]["value"]] if element["type"] == "checkboxes" else draw.choice(options)["value"]
        if element["type"] == "users_select":
            return draw.choice(self.people).id
        if element["type"] == "number_input":
            return str(draw.randrange(1, 9))
        if name == "reply":
            # What the template proposes, or words of one's own, each time others: X takes no words twice.
            proposed = element.get("initial_value") or _WORDS
            return f"{proposed} (desk {draw.randrange(10**6)})"
        return "we wait for the ward"

    # ------------------------------------------------------------ on the page

    def _by_page(self) -> str:
        draw = self.chance
        copy, who = draw.choice(self.machine.copies), draw.choice(("ana@page", "ben@page"))
        action, case_id = draw.choice(_BY_PAGE), draw.randrange(1, max(2, self._cases() + 1))
        self._keys += 1
        key = f"web:{who}:{self._keys}:{case_id}:{action}"
        self.pressed.append((who, f"do:{action}"))
        for _ in range(2 if draw.random() < 0.2 else 1):
            self._press(copy, Press(action, case_id, who, who.partition("@")[0], key, self._given(action)))
        return f"{who} {action} {case_id}"

    def _press(self, copy: Copy, wanted: Press) -> None:
        service = copy.service
        with self.machine.runs(copy, f"page {wanted.action}"):
            try:
                allow(service.config.care, wanted.action, wanted.who, lambda groups: groups)
                press(
                    *(copy.engine, service.config, service.door, wanted, self.machine.now(), self.machine.secrets),
                    *(service._press_was_done, 5.0),
                )
            except CallLightError:
                pass  # the sentence is shown

    def _given(self, action: str) -> dict[str, Any]:
        return {
            "close": {"outcome": "explained"},
            "snooze": {"span": self.chance.choice(("15m", "4h")), "why": "the ward calls back"},
            "not_for_us": {"reason": "joke", "sure": ["yes"]},
            "assign": {"to": "U0BEN11"},
        }.get(action, {})

    def _cases(self) -> int:
        ids = [
            int(message["metadata"]["event_payload"].get("case_id", 0))
            for name in CARE_CHANNELS
            for message in self.slack._channel(name).messages[-10:]
            if "metadata" in message
        ]
        return max(ids, default=1)


class _Line:
    """What people do in Slack reaches one of the copies that run; nobody answers where none does."""

    patience = 3.0

    def __init__(self, team: Team) -> None:
        self._team = team

    def send(self, kind: str, payload: Any, **more: Any) -> Any:
        """To any of them."""
        from fakes.slack_lines import Delivery

        machine = self._team.machine
        if not machine.copies:
            return Delivery(False, 0.0)
        copy = self._team.chance.choice(machine.copies)
        answered: list[Any] = []
        with machine.runs(copy, f"slack {kind}"):
            answered.append(copy.send(kind, payload))
        return answered[0] if answered else Delivery(False, 0.0)


def _exact(view: dict[str, Any]) -> str:
    """The words that a form shows as those that become public."""
    return "".join(
        part["text"]
        for block in view["blocks"]
        if block["type"] == "rich_text"
        for quote in block["elements"]
        for part in quote["elements"]
    )
