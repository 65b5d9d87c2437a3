"""What stands before people in Slack: elements and what they hold, and the modals opened for someone.

Checked against: docs.slack.dev on modals, views.* methods and interaction payloads; slackapi/bolt-js issue 290 (an input
with the same ids keeps what was typed when its view is updated).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .slack_limits import TYPED_MAX, SlackError, check_view, refused_view

TEAM = "T0TEAM0001"
APP = "A0APP00001"
BOT_ID = "B0BOT00001"
TRIGGER_SECONDS = 3.0
STACK_MAX = 3
VIEW_DEFAULTS: dict[str, Any] = {
    "private_metadata": "",
    "callback_id": "",
    "external_id": "",
    "close": None,
    "submit": None,
    "clear_on_close": False,
    "notify_on_close": False,
}
_OPTION, _OPTIONS = ("selected_option", "initial_option"), ("selected_options", "initial_options")
_TYPED = ("value", "initial_value")
# kind of element -> where its state says what it holds, and where the app says what it holds at first
HOLDS: dict[str, tuple[str, str]] = {
    "plain_text_input": _TYPED,
    "email_text_input": _TYPED,
    "url_text_input": _TYPED,
    "number_input": _TYPED,
    "static_select": _OPTION,
    "external_select": _OPTION,
    "radio_buttons": _OPTION,
    "multi_static_select": _OPTIONS,
    "multi_external_select": _OPTIONS,
    "checkboxes": _OPTIONS,
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}
SEVERAL = frozenset(state for state, _ in HOLDS.values() if state.endswith("s"))
USED = frozenset({"button", "overflow"})  # they act and hold nothing
Values = dict[str, dict[str, Any]]  # block_id -> action_id -> what the element holds


# --- elements -----------------------------------------------------------------------------------------------------


def elements(blocks: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every element somebody can use, with its block."""
    for block in blocks:
        for element in (*block.get("elements", ()), block.get("accessory"), block.get("element")):
            if isinstance(element, dict) and "action_id" in element:
                yield block, element


def with_ids(blocks: list[dict[str, Any]], name: Callable[[], str]) -> list[dict[str, Any]]:
    """A copy in which every block has a block_id and every element of a block an action_id."""
    blocks = copy.deepcopy(blocks)
    for block in blocks:
        block["block_id"] = block.get("block_id") or name()
        for element in (*block.get("elements", ()), block.get("accessory"), block.get("element")):
            if isinstance(element, dict) and (element.get("type") in HOLDS or element.get("type") in USED):
                element["action_id"] = element.get("action_id") or name()
    return blocks


def at_first(element: dict[str, Any]) -> dict[str, Any]:
    """The state of an element nobody has touched."""
    state, first = HOLDS[element["type"]]
    return {"type": element["type"], state: element.get(first, [] if state in SEVERAL else None)}


def chosen(element: dict[str, Any], choice: Any) -> dict[str, Any]:
    """The state of an element in which somebody typed or chose something, said by its value; nothing empties it."""
    state = HOLDS[element["type"]][0]
    holds = choice or ([] if state in SEVERAL else None)
    if holds and state == "selected_option":
        holds = option(element, choice)
    elif state == "selected_options":
        holds = [option(element, one) for one in holds]
    return {"type": element["type"], state: holds}


def option(element: dict[str, Any], value: str) -> dict[str, Any]:
    """The option with that value; LookupError names those offered."""
    offered = list(element.get("options", []))
    for group in element.get("option_groups", []):
        offered += group["options"]
    for one in offered:
        if one["value"] == value:
            return dict(one)
    if "external" in element["type"]:
        return {"text": {"type": "plain_text", "text": value}, "value": value}
    raise LookupError(f"{value!r} is not offered: {[one['value'] for one in offered]}")


def state_of(blocks: list[dict[str, Any]], before: Values | None = None) -> Values:
    """What every element holds at first, or held before in an element of the same ids and kind."""
    values: Values = {}
    for block, element in elements(blocks):
        if element["type"] in HOLDS:
            kept = (before or {}).get(block["block_id"], {}).get(element["action_id"])
            same = kept is not None and kept["type"] == element["type"]
            values.setdefault(block["block_id"], {})[element["action_id"]] = kept if same else at_first(element)
    return values


# --- modals -------------------------------------------------------------------------------------------------------


@dataclass
class View:
    """A modal before somebody: as the app gave it, and what its inputs hold."""

    given: dict[str, Any]
    values: Values

    @property
    def id(self) -> str:
        return str(self.given["id"])

    def shown(self) -> dict[str, Any]:
        """As Slack sends it."""
        return copy.deepcopy({**self.given, "state": {"values": self.values}})

    def place(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The block and the element of that block_id or action_id; LookupError names what is there."""
        there = list(elements(self.given["blocks"]))
        found = [(block, element) for block, element in there if name in (block["block_id"], element["action_id"])]
        if len(found) != 1:
            raise LookupError(
                f"{name!r} is {len(found)} times in {[(b['block_id'], e['action_id']) for b, e in there]}"
            )
        return found[0]

    def hold(self, name: str, choice: Any) -> None:
        """Type into an input or choose from it, by its block_id or action_id; an empty text empties it."""
        block, element = self.place(name)
        self.values[block["block_id"]][element["action_id"]] = chosen(element, choice)

    def unfit(self) -> list[str]:
        """Why Slack's client would not send it: what is required and empty, or too short or too long."""
        found = []
        for block in self.given["blocks"]:
            if block["type"] != "input":
                continue
            element = block["element"]
            holds = self.values[block["block_id"]][element["action_id"]][HOLDS[element["type"]][0]]
            if holds in (None, "", []) and not block.get("optional"):
                found.append(f"{block['block_id']} is required")
            least, most = element.get("min_length", 0), element.get("max_length", TYPED_MAX)
            if element["type"] == "plain_text_input" and holds and not least <= len(holds) <= most:
                found.append(f"{block['block_id']} holds {len(holds)} characters")
        return found


@dataclass
class _Trigger:
    user: str
    at: float
    in_view: bool
    used: bool = False


@dataclass
class Views:
    """The modals of everybody, and the triggers that may open more."""

    now: Callable[[], float]
    stacks: dict[str, list[View]] = field(default_factory=dict)
    _triggers: dict[str, _Trigger] = field(default_factory=dict)
    _made: int = 0

    def new_trigger(self, user: str, in_view: bool = False) -> str:
        """What an interaction gives the app: good once, for three seconds."""
        made = f"{self._next()}.{TEAM[1:]}.{self._next():08x}"
        self._triggers[made] = _Trigger(user, self.now(), in_view)
        return made

    def top(self, user: str) -> View | None:
        """The modal before somebody."""
        return (self.stacks.get(user) or [None])[-1]

    # the app's methods

    def open(self, args: dict[str, Any]) -> dict[str, Any]:
        view = check_view(args.get("view"))
        user = self._exchange(args).user
        self.stacks[user] = [self._new(view, [])]
        return {"ok": True, "view": self.stacks[user][0].shown()}

    def push(self, args: dict[str, Any]) -> dict[str, Any]:
        view = check_view(args.get("view"))
        trigger = self._exchange(args)
        stack = self.stacks.get(trigger.user)
        if not stack or not trigger.in_view:
            raise refused_view(["no modal to push upon"])
        return {"ok": True, "view": self._pushed(stack, view).shown()}

    def update(self, args: dict[str, Any]) -> dict[str, Any]:
        view = check_view(args.get("view"))
        found = self._find(args)
        if args.get("hash") and args["hash"] != found.given["hash"]:
            raise SlackError("hash_conflict")
        self._replace(found, view)
        return {"ok": True, "view": found.shown()}

    # what a person does

    def close(self, user: str, everything: bool = False) -> None:
        """The topmost modal goes, or all of them."""
        stack = self.stacks.get(user, [])
        if everything or (stack and stack[-1].given["clear_on_close"]):
            stack.clear()
        elif stack:
            stack.pop()

    def answered(self, user: str, view: View, answer: Any) -> str:
        """Do what the answer to a submission asks for; what the person is shown when Slack cannot."""
        try:
            match answer or None:
                case None:
                    self.stacks[user] = [one for one in self.stacks[user] if one is not view]
                case {"response_action": "errors", "errors": {} as errors} if errors:
                    inputs = {block["block_id"] for block in view.given["blocks"] if block["type"] == "input"}
                    if not errors.keys() <= inputs:
                        return f"errors for {sorted(errors.keys() - inputs)}, which are no inputs"
                case {"response_action": "update", "view": given}:
                    self._replace(view, check_view(given))
                case {"response_action": "push", "view": given}:
                    self._pushed(self.stacks[user], check_view(given))
                case {"response_action": "clear"}:
                    self.stacks[user].clear()
                case _:
                    return "an answer that Slack does not know"
        except SlackError as error:
            return str(error.body.get("response_metadata", error.body["error"]))
        return ""

    # how it is done

    def _exchange(self, args: dict[str, Any]) -> _Trigger:
        trigger = self._triggers.get(str(args.get("trigger_id")))
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self.now() - trigger.at > TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger

    def _find(self, args: dict[str, Any]) -> View:
        for stack in self.stacks.values():
            for view in stack:
                if args.get("view_id") == view.id or (
                    args.get("external_id") and args["external_id"] == view.given["external_id"]
                ):
                    return view
        raise SlackError("not_found")

    def _pushed(self, stack: list[View], view: dict[str, Any]) -> View:
        if len(stack) >= STACK_MAX:
            raise SlackError("push_limit_reached")
        stack.append(self._new(view, stack))
        return stack[-1]

    def _new(self, view: dict[str, Any], below: list[View]) -> View:
        taken = {one.given["external_id"] for stack in self.stacks.values() for one in stack} - {""}
        if view.get("external_id") in taken:
            raise SlackError("duplicate_external_id")
        view_id = f"V{self._next():010d}"
        made = View({"id": view_id}, {})
        made.given["root_view_id"] = below[0].id if below else view_id
        made.given["previous_view_id"] = below[-1].id if below else None
        self._replace(made, view)
        return made

    def _replace(self, found: View, view: dict[str, Any]) -> None:
        blocks = with_ids(view["blocks"], lambda: f"id{self._next()}")
        about = {"app_id": APP, "app_installed_team_id": TEAM, "bot_id": BOT_ID, "team_id": TEAM}
        kept = {name: found.given[name] for name in ("id", "root_view_id", "previous_view_id")}
        stamp = f"{int(self.now())}.{self._next():08x}"
        found.given = {**VIEW_DEFAULTS, **view, **about, **kept, "blocks": blocks, "hash": stamp}
        found.values = state_of(blocks, found.values)

    def _next(self) -> int:
        self._made += 1
        return self._made
