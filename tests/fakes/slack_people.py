"""People in Slack: they press, choose, fill in, submit and type commands, and the app gets what Slack would send it.

Checked against: docs.slack.dev on interaction payloads and slash commands; slack_bolt 1.30, executed.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .slack import FakeSlack
from .slack_limits import SlackError
from .slack_lines import Delivery
from .slack_views import APP, HOLDS, TEAM, View, chosen, elements, option, state_of

TEAM_OF = {"id": TEAM, "domain": "example"}
OLD_TOKEN = "verification"  # which nobody should look at any more


class Person:
    """Somebody in the workspace. What they do waits for the app's acknowledgement, at most as long as Slack does."""

    def __init__(self, fake: FakeSlack, id: str, name: str | None = None, tz: str = "America/Chicago") -> None:
        self.fake, self.id, self.name = fake, id, name or id.lower()
        self._last: tuple[str, dict[str, Any]] | None = None
        fake.add_user(id, self.name, tz)

    # what they see

    def ephemerals(self) -> list[dict[str, Any]]:
        """What only they see, oldest first."""
        return self.fake.ephemerals(self.id)

    def direct_messages(self) -> list[dict[str, Any]]:
        """What the app wrote to them alone, oldest first."""
        return self.fake.direct_messages(self.id)

    def view(self, within: float = 5.0) -> dict[str, Any]:
        """The modal before them, once there is one; LookupError when none comes."""
        return self._top(within).shown()

    def sees_view(self) -> bool:
        """Whether a modal is open before them now."""
        return self.fake.views.top(self.id) is not None

    def _top(self, within: float = 5.0) -> View:
        self.fake.wait_until(self.sees_view, within)
        view = self.fake.views.top(self.id)
        if view is None:
            raise LookupError(f"no modal is open before {self.name}")
        return view

    # in a message

    def press(self, channel: str, ts: str, action_id: str, value: str | None = None, **change: Any) -> Delivery:
        """Press a button of a message, also of one deleted meanwhile; `value` tells buttons of one action_id apart.

        `change` takes the place of the payload's fields. LookupError names what the message has."""
        return self.send(self.pressing(channel, ts, action_id, value) | change)

    def choose(self, channel: str, ts: str, action_id: str, choice: Any, **change: Any) -> Delivery:
        """Choose from an overflow, a select or a picker of a message, by the option's value."""
        return self.send(self.pressing(channel, ts, action_id, choice) | change)

    def pressing(self, channel: str, ts: str, action_id: str, value: Any = None) -> dict[str, Any]:
        """The payload that press() or choose() sends."""
        message, ephemeral = self.fake.on_screen(channel, ts, self.id)
        blocks = message.get("blocks", [])
        block, element = _usable(blocks, action_id, value)
        where = self.fake.channel_named(channel)
        state = state_of(blocks)
        if element["type"] in HOLDS:
            state[block["block_id"]][action_id] = chosen(element, value)
        payload: dict[str, Any] = {
            **self._common("block_actions"),
            "container": {
                "type": "message",
                "message_ts": ts,
                "channel_id": where["id"],
                "is_ephemeral": ephemeral,
                **({"thread_ts": message["thread_ts"]} if "thread_ts" in message else {}),
            },
            "trigger_id": self.fake.new_trigger(self.id),
            "channel": where,
            "state": {"values": state},
            "response_url": self.fake.new_hook("actions", self.id, channel, ts).url,
            "actions": [self._action(block, element, value)],
        }
        if not ephemeral:
            payload["message"] = {name: part for name, part in message.items() if name != "metadata"} | {"app_id": APP}
        return payload

    def send(self, payload: Any) -> Delivery:
        """Any payload of an interaction; garbage too."""
        self._last = "interactive", payload
        return self.fake.line.send("interactive", payload)

    def again(self) -> Delivery:
        """The last payload once more, as it was."""
        assert self._last is not None, f"{self.name} did nothing yet"
        return self.fake.line.send(*self._last)

    # in a modal

    def fill(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Type and choose in the modal, by block_id or action_id; options by their value, several as a list."""
        view = self._top()
        with self.fake.news:
            for name, choice in {**(values or {}), **more}.items():
                view.hold(name, choice)

    def submit(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> Delivery:
        """Fill in what is given and submit the modal; then it shows errors, changes or goes, as the app answers.

        ValueError when Slack's client would not let them."""
        self.fill(values, **more)
        view = self._top()
        if view.given["submit"] is None:
            raise ValueError("this modal has nothing to submit")
        if unfit := view.unfit():
            raise ValueError(f"Slack's client does not send this: {'; '.join(unfit)}")
        delivery = self.send(
            {
                **self._common("view_submission"),
                "trigger_id": self.fake.new_trigger(self.id, in_view=True),
                "view": view.shown(),
                "response_urls": [],
            }
        )
        if not delivery.acked:
            return replace(delivery, trouble="no answer in time")
        with self.fake.news:
            return replace(delivery, trouble=self.fake.views.answered(self.id, view, delivery.answer))

    def press_in_view(self, action_id: str, value: Any = None, **change: Any) -> Delivery:
        """Press a button of the modal, or choose in an element that tells the app at once."""
        view = self._top()
        block, element = _usable(view.given["blocks"], action_id, value)
        if block["type"] == "input" and not block.get("dispatch_action"):
            raise LookupError(f"{action_id!r} is an input that tells nobody before it is submitted")
        if element["type"] in HOLDS:
            self.fill({action_id: value})
        payload = {
            **self._common("block_actions"),
            "container": {"type": "view", "view_id": view.id},
            "trigger_id": self.fake.new_trigger(self.id, in_view=True),
            "view": view.shown(),
            "actions": [self._action(block, element, value)],
        }
        return self.send(payload | change)

    def close_view(self, everything: bool = False) -> Delivery | None:
        """Close the modal, or all of them; what came of telling the app, if it asked to be told."""
        view = self._top()
        payload = {
            **self._common("view_closed"),
            "view": view.shown(),
            "is_cleared": everything,
        }
        with self.fake.news:
            self.fake.views.close(self.id, everything)
        return self.send(payload) if view.given["notify_on_close"] else None

    # commands

    def command(self, command: str, text: str = "", channel: str = "", **change: Any) -> Delivery:
        """Type a slash command in a channel (in their conversation with the app when none is named).

        The answer is what comes with the acknowledgement, else what comes first to the response_url; None when a modal
        opens instead, or nothing comes in time."""
        where = self.fake.channel_named(channel or self.id)
        hook = self.fake.new_hook("commands", self.id, where["id"])
        before = self.fake.views.top(self.id)
        form = {
            "token": OLD_TOKEN,
            "team_id": TEAM,
            "team_domain": TEAM_OF["domain"],
            "channel_id": where["id"],
            "channel_name": where["name"],
            "user_id": self.id,
            "user_name": self.name,
            "command": command,
            "text": text,
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": hook.url,
            "trigger_id": self.fake.new_trigger(self.id),
            **change,
        }
        self._last = "slash_commands", form
        delivery = self.fake.line.send("slash_commands", form)
        if not delivery.acked:
            return replace(delivery, trouble=f"{command} failed with the error: operation_timeout")
        if delivery.answer:
            return replace(delivery, trouble=self._said_back(hook, delivery.answer))
        self.fake.wait_until(lambda: hook.said or self.fake.views.top(self.id) is not before, within=3.0)
        return replace(delivery, answer=copy.deepcopy(hook.said[0]) if hook.said else None)

    def _said_back(self, hook: Any, answer: dict[str, Any]) -> str:
        try:
            with self.fake.news:
                self.fake.say_back(hook, answer)
        except SlackError as error:
            return json.dumps(error.body)
        return ""

    # what payloads are made of

    def _common(self, kind: str) -> dict[str, Any]:
        return {
            "type": kind,
            "user": {"id": self.id, "username": self.name, "name": self.name, "team_id": TEAM},
            "api_app_id": APP,
            "token": OLD_TOKEN,
            "team": TEAM_OF,
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _action(self, block: dict[str, Any], element: dict[str, Any], value: Any) -> dict[str, Any]:
        action: dict[str, Any] = {
            "type": element["type"],
            "action_id": element["action_id"],
            "block_id": block["block_id"],
            "action_ts": f"{self.fake.now():.6f}",
        }
        if element["type"] == "button":
            return action | {name: element[name] for name in ("text", "value", "style", "url") if name in element}
        if element["type"] == "overflow":
            return {**action, "selected_option": option(element, value)}
        return {**action, **chosen(element, value)}


def _usable(blocks: list[dict[str, Any]], action_id: str, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The block and the element of that action_id; buttons of one action_id are told apart by their value."""
    there = list(elements(blocks))
    found = [
        (block, element)
        for block, element in there
        if element["action_id"] == action_id and (element["type"] != "button" or value in (None, element.get("value")))
    ]
    if len(found) != 1:
        names = [(element["action_id"], element.get("value")) for _, element in there]
        raise LookupError(f"{action_id!r} ({value!r}) is {len(found)} times in {names}")
    return found[0]
