"""What Slack refuses in the blocks of a message or in a view, said the way Slack says it.

Checked against: docs.slack.dev/reference/block-kit and /views, slack_sdk 3.47's model classes, slackapi/bolt-js issues
2509 (total), slackapi/python-slack-sdk issue 1521 (ids of files).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any


class SlackError(Exception):
    """An ok:false answer."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.body = {"ok": False, "error": error, **more}


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


BLOCKS_MAX = 50
VIEW_BLOCKS_MAX = 100
VIEW_BYTES_MAX = 250_000
TYPED_MAX = 3000
TOTAL_MAX = 13_000
MARKDOWN_MAX = 12_000
ID_MAX = 255
FILE_ID = re.compile("[F][A-Z0-9]{8,}")
URL_MAX = 3000

SELECTS = frozenset({"static_select", "external_select", "users_select", "conversations_select", "channels_select"})
MULTI_SELECTS = frozenset("multi_" + name for name in SELECTS)
PICKERS = frozenset({"datepicker", "timepicker", "datetimepicker", "checkboxes", "radio_buttons"})
TYPED = frozenset({"plain_text_input", "email_text_input", "url_text_input", "number_input"})
IN_ACTIONS = SELECTS | PICKERS | {"button", "overflow"}
IN_SECTION = IN_ACTIONS | MULTI_SELECTS | {"image"}
IN_INPUT = SELECTS | MULTI_SELECTS | PICKERS | TYPED

# keys an element may have besides type and action_id
ELEMENT_KEYS: dict[str, frozenset[str]] = {
    "button": _set("text url value style confirm accessibility_label"),
    "overflow": _set("options confirm"),
    "static_select": _set("placeholder options option_groups initial_option confirm focus_on_load"),
    "external_select": _set("placeholder initial_option min_query_length confirm focus_on_load"),
    "users_select": _set("placeholder initial_user confirm focus_on_load"),
    "conversations_select": _set(
        "placeholder initial_conversation default_to_current_conversation confirm response_url_enabled filter "
        "focus_on_load"
    ),
    "channels_select": _set("placeholder initial_channel confirm response_url_enabled focus_on_load"),
    "multi_static_select": _set(
        "placeholder options option_groups initial_options confirm max_selected_items focus_on_load"
    ),
    "multi_external_select": _set(
        "placeholder initial_options min_query_length confirm max_selected_items focus_on_load"
    ),
    "multi_users_select": _set("placeholder initial_users confirm max_selected_items focus_on_load"),
    "multi_conversations_select": _set(
        "placeholder initial_conversations default_to_current_conversation confirm max_selected_items filter "
        "focus_on_load"
    ),
    "multi_channels_select": _set("placeholder initial_channels confirm max_selected_items focus_on_load"),
    "datepicker": _set("placeholder initial_date confirm focus_on_load"),
    "timepicker": _set("placeholder initial_time timezone confirm focus_on_load"),
    "datetimepicker": _set("initial_date_time confirm focus_on_load"),
    "checkboxes": _set("options initial_options confirm focus_on_load"),
    "radio_buttons": _set("options initial_option confirm focus_on_load"),
    "plain_text_input": _set(
        "placeholder initial_value multiline min_length max_length dispatch_action_config focus_on_load"
    ),
    "email_text_input": _set("placeholder initial_value dispatch_action_config focus_on_load"),
    "url_text_input": _set("placeholder initial_value dispatch_action_config focus_on_load"),
    "number_input": _set("placeholder initial_value min_value max_value dispatch_action_config focus_on_load"),
}
NEEDS: dict[str, set[str]] = {
    "button": {"text"},
    "overflow": {"options"},
    "checkboxes": {"options"},
    "radio_buttons": {"options"},
    "number_input": {"is_decimal_allowed"},
}
# inside a rich_text_section: the keys required, and those allowed besides
RICH_ELEMENTS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "text": (frozenset({"text"}), frozenset({"style"})),
    "link": (frozenset({"url"}), frozenset({"text", "style", "unsafe"})),
    "emoji": (frozenset({"name"}), frozenset({"unicode", "skin_tone", "style"})),
    "user": (frozenset({"user_id"}), frozenset({"style"})),
    "usergroup": (frozenset({"usergroup_id"}), frozenset({"style"})),
    "channel": (frozenset({"channel_id"}), frozenset({"style"})),
    "broadcast": (frozenset({"range"}), frozenset({"style"})),
    "color": (frozenset({"value"}), frozenset({"style"})),
    "date": (frozenset({"timestamp", "format"}), frozenset({"url", "fallback", "style"})),
}
IN_MESSAGE = _set("section header divider actions context image rich_text markdown")
IN_VIEW = IN_MESSAGE - {"markdown"} | {"input"}
RICH_STYLES = _set("bold italic strike code underline highlight client_highlight unlink")


def problems(blocks: Any) -> list[str]:
    """Everything Slack would refuse in these blocks; empty when it would take them."""
    found = structure_problems(blocks)
    if text_length(blocks) > TOTAL_MAX:
        found.append(f"msg_blocks_too_long: {text_length(blocks)} characters of text, at most {TOTAL_MAX}")
    return found


def text_length(blocks: Any) -> int:
    """How much text the blocks carry in all."""
    if isinstance(blocks, list):
        return sum(text_length(one) for one in blocks)
    if isinstance(blocks, dict):
        return sum(
            len(value) if key in {"text", "alt_text"} and isinstance(value, str) else text_length(value)
            for key, value in blocks.items()
        )
    return 0


def structure_problems(blocks: Any) -> list[str]:
    """What is wrong with each block by itself, and with their ids."""
    check = _Check()
    blocks = check.blocks(blocks, "/blocks", BLOCKS_MAX, 0, IN_MESSAGE)
    markdown = [b["text"] for b in blocks if isinstance(b, dict) and b.get("type") == "markdown" and "text" in b]
    if sum(len(text) for text in markdown if isinstance(text, str)) > MARKDOWN_MAX:
        check.add(f"markdown blocks must be less than {MARKDOWN_MAX + 1} characters together", "/blocks")
    return check.found


def check_view(view: Any) -> dict[str, Any]:
    """The view, which may come as JSON in a string; SlackError says what Slack refuses in it."""
    if isinstance(view, str):
        try:
            view = json.loads(view)
        except ValueError:
            raise refused_view(["invalid `view`"]) from None
    if len(json.dumps(view)) > VIEW_BYTES_MAX:
        raise SlackError("view_too_large")
    found = view_problems(view)
    if found:
        raise refused_view(found)
    return dict(view)


def refused_view(problems: list[str]) -> SlackError:
    return SlackError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {one}" for one in problems]})


def view_problems(view: Any) -> list[str]:
    """Everything Slack would refuse in a modal, its size aside."""
    check = _Check()
    required, texts = {"type", "title", "blocks"}, {"close", "submit"}
    limits = {"private_metadata": 3000, "callback_id": ID_MAX, "external_id": ID_MAX}
    flags = {"clear_on_close", "notify_on_close", "submit_disabled"}
    if not check.object(view, "/view", required, texts | limits.keys() | flags):
        return check.found
    check.choice(view, "type", "/view", ("modal",))
    for name in ("title", "close", "submit"):
        if view.get(name) is not None:
            check.plain(view, name, "/view", 24)
    for name, most in limits.items():
        if name in view:
            check.string(view[name], f"/view/{name}", most, 0)
    check.booleans(view, "/view", *flags)
    blocks = check.blocks(view.get("blocks", []), "/view/blocks", VIEW_BLOCKS_MAX, 1, IN_VIEW)
    if view.get("submit") is None and any(isinstance(one, dict) and one.get("type") == "input" for one in blocks):
        check.add("must define `submit` to use an `input` block in modals", "/view")
    if json.dumps(view).count('"focus_on_load": true') > 1:
        check.add("only one element can have `focus_on_load`", "/view/blocks")
    return check.found


class _Check:
    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, what: str, where: str) -> None:
        self.found.append(f"{what} [json-pointer:{where}]")

    # the parts everything is made of

    def object(self, value: Any, where: str, required: Iterable[str], allowed: Iterable[str] = ()) -> bool:
        """Whether it is an object at all; its missing and its extra keys are noted."""
        if not isinstance(value, dict):
            self.add("must provide an object", where)
            return False
        required = set(required)
        for name in sorted(required - value.keys()):
            self.add(f"missing required field: {name}", where)
        for name in sorted(value.keys() - required - set(allowed)):
            self.add(f"invalid additional property: {name}", where)
        return True

    def string(self, value: Any, where: str, most: int, least: int = 1) -> None:
        if not isinstance(value, str):
            self.add("must provide a string", where)
        elif len(value) > most:
            self.add(f"must be less than {most + 1} characters", where)
        elif len(value) < least:
            self.add(f"must be more than {least - 1} characters", where)

    def strings(self, holder: dict[str, Any], where: str, **most: int) -> None:
        for name, limit in most.items():
            if name in holder:
                self.string(holder[name], f"{where}/{name}", limit)

    def booleans(self, holder: dict[str, Any], where: str, *names: str) -> None:
        for name in names:
            if name in holder and not isinstance(holder[name], bool):
                self.add("must provide a boolean", f"{where}/{name}")

    def array(self, value: Any, where: str, most: int, least: int = 1) -> list[Any]:
        if not isinstance(value, list):
            self.add("must provide an array", where)
            return []
        if len(value) > most:
            self.add(f"no more than {most} items allowed", where)
        if len(value) < least:
            self.add(f"no fewer than {least} items allowed", where)
        return value

    def choice(self, holder: dict[str, Any], name: str, where: str, allowed: Iterable[Any]) -> None:
        if name in holder and holder[name] not in list(allowed):
            self.add("must be a valid enum value", f"{where}/{name}")

    def text(self, value: Any, where: str, most: int, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")) -> None:
        if not isinstance(value, dict):
            self.add("must provide an object", where)
            return
        kind = value.get("type")
        if kind not in kinds:
            self.add(f"must be of type {' or '.join(kinds)}, not {kind}", where)
            return
        extra = "emoji" if kind == "plain_text" else "verbatim"
        self.object(value, where, {"type", "text"}, {extra})
        self.booleans(value, where, extra)
        if "text" in value:
            self.string(value["text"], f"{where}/text", most)

    def plain(self, holder: dict[str, Any], name: str, where: str, most: int) -> None:
        if name in holder:
            self.text(holder[name], f"{where}/{name}", most, ("plain_text",))

    def whole(self, holder: dict[str, Any], name: str, where: str, least: int, most: int) -> None:
        given = holder.get(name, least)
        if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= most:
            self.add(f"must be a number from {least} to {most}", f"{where}/{name}")

    # blocks

    def blocks(self, given: Any, where: str, most: int, least: int, kinds: frozenset[str]) -> list[Any]:
        """The blocks, looked at each by itself, and at how many they are and at their ids."""
        blocks = self.array(given, where, most, least)
        for number, block in enumerate(blocks):
            self.block(block, f"{where}/{number}", kinds)
        ids = [block.get("block_id") for block in blocks if isinstance(block, dict) and block.get("block_id")]
        for twice in sorted({str(one) for one in ids if ids.count(one) > 1}):
            self.add(f'`block_id` "{twice}" is used more than once', where)
        return blocks

    def block(self, block: Any, where: str, kinds: frozenset[str]) -> None:
        if not isinstance(block, dict):
            self.add("must provide an object", where)
            return
        checks: dict[str, Callable[[dict[str, Any], str], None]] = {
            "section": self.section,
            "header": self.header,
            "divider": self.divider,
            "actions": self.actions,
            "context": self.context,
            "image": self.image_block,
            "rich_text": self.rich_text,
            "markdown": self.markdown,
            "input": self.input,
        }
        kind = block.get("type")
        if not isinstance(kind, str) or kind not in kinds:
            self.add(f"unsupported type: {kind}", f"{where}/type")
            return
        self.strings(block, where, block_id=ID_MAX)
        checks[kind](block, where)

    def section(self, block: dict[str, Any], where: str) -> None:
        self.object(block, where, {"type"}, {"block_id", "text", "fields", "accessory", "expand"})
        self.booleans(block, where, "expand")
        if "text" not in block and "fields" not in block:
            self.add("missing required field: text or fields", where)
        if "text" in block:
            self.text(block["text"], f"{where}/text", 3000)
        if "fields" in block:
            for number, field in enumerate(self.array(block["fields"], f"{where}/fields", 10)):
                self.text(field, f"{where}/fields/{number}", 2000)
        if "accessory" in block:
            self.element(block["accessory"], f"{where}/accessory", IN_SECTION)

    def header(self, block: dict[str, Any], where: str) -> None:
        self.object(block, where, {"type", "text"}, {"block_id"})
        self.plain(block, "text", where, 150)

    def divider(self, block: dict[str, Any], where: str) -> None:
        self.object(block, where, {"type"}, {"block_id"})

    def actions(self, block: dict[str, Any], where: str) -> None:
        self.object(block, where, {"type", "elements"}, {"block_id"})
        elements = self.array(block.get("elements", []), f"{where}/elements", 25)
        for number, element in enumerate(elements):
            self.element(element, f"{where}/elements/{number}", IN_ACTIONS)
        ids = [e.get("action_id") for e in elements if isinstance(e, dict) and e.get("action_id")]
        for twice in sorted({str(one) for one in ids if ids.count(one) > 1}):
            self.add(f'`action_id` "{twice}" already exists', f"{where}/elements")

    def context(self, block: dict[str, Any], where: str) -> None:
        self.object(block, where, {"type", "elements"}, {"block_id"})
        for number, element in enumerate(self.array(block.get("elements", []), f"{where}/elements", 10)):
            place = f"{where}/elements/{number}"
            if isinstance(element, dict) and element.get("type") == "image":
                self.element(element, place, frozenset({"image"}))
            else:
                self.text(element, place, 3000)

    def image_block(self, block: dict[str, Any], where: str) -> None:
        self.object(block, where, {"type", "alt_text"}, {"block_id", "image_url", "slack_file", "title"})
        self.image(block, where)
        self.plain(block, "title", where, 2000)

    def input(self, block: dict[str, Any], where: str) -> None:
        self.object(block, where, {"type", "label", "element"}, {"block_id", "hint", "optional", "dispatch_action"})
        self.plain(block, "label", where, 2000)
        self.plain(block, "hint", where, 2000)
        self.booleans(block, where, "optional", "dispatch_action")
        if "element" in block:
            self.element(block["element"], f"{where}/element", IN_INPUT)

    def markdown(self, block: dict[str, Any], where: str) -> None:
        self.object(block, where, {"type", "text"}, {"block_id"})
        self.strings(block, where, text=MARKDOWN_MAX)

    # elements

    def image(self, holder: dict[str, Any], where: str) -> None:
        if ("image_url" in holder) == ("slack_file" in holder):
            self.add("must provide either image_url or slack_file", where)
        if "slack_file" in holder and self.object(
            file := holder["slack_file"], f"{where}/slack_file", (), {"id", "url"}
        ):
            if ("id" in file) == ("url" in file):
                self.add("must provide either id or url", f"{where}/slack_file")
            if "id" in file and not (isinstance(file["id"], str) and FILE_ID.fullmatch(file["id"])):
                self.add(f"input must match regex pattern: ^{FILE_ID.pattern}$", f"{where}/slack_file/id")
        self.strings(holder, where, image_url=URL_MAX, alt_text=2000)

    def element(self, element: Any, where: str, allowed: frozenset[str]) -> None:
        if not isinstance(element, dict):
            self.add("must provide an object", where)
            return
        kind = element.get("type")
        if not isinstance(kind, str) or kind not in allowed:
            self.add(f"unsupported type: {kind}", f"{where}/type")
            return
        if kind == "image":
            self.object(element, where, {"type", "alt_text"}, {"image_url", "slack_file"})
            self.image(element, where)
            return
        self.object(element, where, {"type", *NEEDS.get(kind, set())}, ELEMENT_KEYS[kind] | {"action_id"})
        self.strings(element, where, action_id=ID_MAX)
        self.booleans(element, where, "focus_on_load")
        self.plain(element, "placeholder", where, 150)
        if "confirm" in element:
            self.confirm(element["confirm"], f"{where}/confirm")
        if kind == "button":
            self.plain(element, "text", where, 75)
            self.strings(element, where, value=2000, url=URL_MAX, accessibility_label=75)
            self.choice(element, "style", where, ("primary", "danger"))
        elif kind == "overflow":
            self.options(element.get("options", []), f"{where}/options", 5, url=True)
        elif kind in {"checkboxes", "radio_buttons"}:
            self.options(element.get("options", []), f"{where}/options", 10, mrkdwn=True)
            self.initial(element, where)
        elif kind in {"static_select", "multi_static_select"}:
            self.menu(element, where)
        elif kind in TYPED:
            self.typed(element, where)

    def typed(self, element: dict[str, Any], where: str) -> None:
        if "initial_value" in element:
            self.string(element["initial_value"], f"{where}/initial_value", TYPED_MAX, 0)
        self.booleans(element, where, "multiline", "is_decimal_allowed")
        self.whole(element, "min_length", where, 0, TYPED_MAX)
        self.whole(element, "max_length", where, 1, TYPED_MAX)

    def menu(self, element: dict[str, Any], where: str) -> None:
        if ("options" in element) == ("option_groups" in element):
            self.add("must provide either options or option_groups", where)
        if "options" in element:
            self.options(element["options"], f"{where}/options", 100)
        if "option_groups" in element:
            for number, group in enumerate(self.array(element["option_groups"], f"{where}/option_groups", 100)):
                place = f"{where}/option_groups/{number}"
                if self.object(group, place, {"label", "options"}):
                    self.plain(group, "label", place, 75)
                    self.options(group.get("options", []), f"{place}/options", 100)
        self.initial(element, where)

    def initial(self, element: dict[str, Any], where: str) -> None:
        """A preselected option must be one of those offered."""
        offered = list(element.get("options") or [])
        for group in element.get("option_groups") or []:
            offered += group.get("options", []) if isinstance(group, dict) else []
        for name in ("initial_option", "initial_options"):
            chosen = element.get(name, [])
            for one in chosen if isinstance(chosen, list) else [chosen]:
                if one not in offered:
                    self.add("must match one of the options", f"{where}/{name}")

    def options(
        self, options: Any, where: str, most: int, least: int = 1, url: bool = False, mrkdwn: bool = False
    ) -> None:
        kinds = ("plain_text", "mrkdwn") if mrkdwn else ("plain_text",)
        for number, option in enumerate(self.array(options, where, most, least)):
            place = f"{where}/{number}"
            allowed = {"description", "url"} if url else {"description"}
            if not self.object(option, place, {"text", "value"}, allowed):
                continue
            for name in ("text", "description"):
                if name in option:
                    self.text(option[name], f"{place}/{name}", 75, kinds)
            self.strings(option, place, value=150, url=URL_MAX)

    def confirm(self, confirm: Any, where: str) -> None:
        if self.object(confirm, where, {"title", "text", "confirm", "deny"}, {"style"}):
            self.plain(confirm, "title", where, 100)
            if "text" in confirm:
                self.text(confirm["text"], f"{where}/text", 300)
            self.plain(confirm, "confirm", where, 30)
            self.plain(confirm, "deny", where, 30)
            self.choice(confirm, "style", where, ("primary", "danger"))

    # rich text

    def rich_text(self, block: dict[str, Any], where: str) -> None:
        self.object(block, where, {"type", "elements"}, {"block_id"})
        for number, part in enumerate(self.array(block.get("elements", []), f"{where}/elements", 1000)):
            place = f"{where}/elements/{number}"
            if not isinstance(part, dict):
                self.add("must provide an object", place)
                continue
            match part.get("type"):
                case "rich_text_section":
                    self.rich_section(part, place)
                case "rich_text_quote":
                    self.rich_section(part, place, {"border"})
                case "rich_text_preformatted":
                    self.rich_section(part, place, {"border", "language"}, frozenset({"text", "link"}))
                case "rich_text_list":
                    self.rich_list(part, place)
                case kind:
                    self.add(f"unsupported type: {kind}", f"{place}/type")

    def rich_list(self, part: dict[str, Any], where: str) -> None:
        self.object(part, where, {"type", "style", "elements"}, {"indent", "offset", "border"})
        self.choice(part, "style", where, ("bullet", "ordered"))
        self.choice(part, "indent", where, range(9))
        self.choice(part, "border", where, (0, 1))
        for number, item in enumerate(self.array(part.get("elements", []), f"{where}/elements", 1000)):
            place = f"{where}/elements/{number}"
            if isinstance(item, dict) and item.get("type") == "rich_text_section":
                self.rich_section(item, place)
            else:
                self.add("must be of type rich_text_section", place)

    def rich_section(
        self,
        part: dict[str, Any],
        where: str,
        more: Iterable[str] = (),
        kinds: frozenset[str] = frozenset(RICH_ELEMENTS),
    ) -> None:
        self.object(part, where, {"type", "elements"}, more)
        self.choice(part, "border", where, (0, 1))
        for number, element in enumerate(self.array(part.get("elements", []), f"{where}/elements", 1000, 0)):
            place = f"{where}/elements/{number}"
            kind = element.get("type") if isinstance(element, dict) else None
            if not isinstance(kind, str) or kind not in kinds:
                self.add(f"unsupported type: {kind}", f"{place}/type")
                continue
            required, allowed = RICH_ELEMENTS[kind]
            self.object(element, place, required | {"type"}, allowed)
            self.strings(element, place, text=TOTAL_MAX * 4, url=URL_MAX)
            self.choice(element, "range", place, ("here", "channel", "everyone"))
            style = element.get("style", {})
            if not isinstance(style, dict) or not style.keys() <= RICH_STYLES:
                self.add("invalid style", f"{place}/style")
            elif not all(isinstance(value, bool) for value in style.values()):
                self.add("must provide a boolean", f"{place}/style")
