"""A form as a Slack modal, and what was filled in as answers. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from alerts.form import Choice, Field, Form
from alerts.message import mrkdwn, plain, shorten

_TITLE, _BUTTON, _LABEL, _OPTION, _HINT, _TEXT = 24, 24, 150, 75, 150, 3000  # Slack's limits, and what is readable
_OPTIONS = 100


def view(form: Form, action: str, about: str, channel: str, problem: str = "") -> dict[str, Any]:
    """The modal of an action. `about` is the number of the case; `problem` what was wrong with the last answers."""
    blocks: list[dict[str, Any]] = (
        [{"type": "section", "text": plain(f"⚠️ {shorten(problem, _TEXT - 5)}", True)}] if problem else []
    )
    blocks += [{"type": "section", "text": _words(said, _TEXT)} for said in form.says if said]
    if form.exact:
        quoted = {"type": "rich_text_quote", "elements": [{"type": "text", "text": form.exact}]}
        blocks.append({"type": "rich_text", "elements": [quoted]})
    if form.link:
        button = {"type": "button", "action_id": "open", "text": plain(form.link.label[:_OPTION]), "url": form.link.url}
        blocks.append({"type": "actions", "elements": [button]})
    blocks += [_input(field) for field in form.fields]
    return _modal(form.title, blocks or [_sentence("Please confirm.")]) | {
        "callback_id": f"do:{action}",
        "private_metadata": json.dumps({"about": about, "channel": channel, "seal": form.seal}),
        "submit": plain(form.submit[:_BUTTON]),
    }


def waiting(title: str = "One moment…") -> dict[str, Any]:
    """Opened at once, while the database is asked: Slack's permission to open a modal ends after three seconds."""
    return _modal(title, [_sentence("One moment…")])


def told(sentence: str, title: str = "Call Light") -> dict[str, Any]:
    """A sentence in place of a form."""
    return _modal(title, [_sentence(sentence)])


def chooser(entries: Sequence[tuple[str, str]], about: str, channel: str) -> dict[str, Any]:
    """The modal behind "More…": which action."""
    choices = tuple(Choice(name, label) for name, label in entries)
    form = Form("What to do?", "Go on", (Field("action", "With this case", "choice", choices),))
    return view(form, "more", about, channel)


def listing(title: str, lines: Sequence[tuple[str, int | None]], more: str | None) -> dict[str, Any]:
    """Lines with a Claim button where a case may be claimed; `more` is the value of the button for the next page."""
    blocks = []
    for text, case_id in lines:
        button = {"type": "button", "action_id": "do:claim", "text": plain("Claim"), "value": str(case_id)}
        blocks.append(mrkdwn(text) | ({"accessory": button} if case_id is not None else {}))
    if more is not None:
        button = {"type": "button", "action_id": "fold:page", "text": plain("The next ones"), "value": more}
        blocks.append({"type": "actions", "elements": [button]})
    return _modal(title, blocks or [_sentence("Nothing waits here.")])


def answers(state: Mapping[str, Any]) -> dict[str, Any]:
    """What was filled in, by the name of the field: str, or a list of str."""
    return {name: _answer(next(iter(elements.values()), {})) for name, elements in state.items()}


def private(view: Mapping[str, Any]) -> tuple[str, str]:
    """What the modal is about, and the channel from which it was opened; "" where it does not say."""
    try:
        kept = json.loads(view.get("private_metadata") or "{}")
        return str(kept.get("about", "")), str(kept.get("channel", ""))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return "", ""


def seal(view: Mapping[str, Any]) -> str | None:
    """Of the exact words that the modal shows; None where it does not say."""
    try:
        kept = json.loads(view.get("private_metadata") or "{}").get("seal")
        return None if kept is None else str(kept)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _modal(title: str, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "modal", "title": _words(title, _TITLE), "close": plain("Close"), "blocks": blocks}


def _words(text: str, limit: int) -> dict[str, Any]:
    """Slack takes no text without a character that is seen."""
    return plain(shorten(text, limit) or "·")


def _sentence(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _words(text, _TEXT)}


def _input(field: Field) -> dict[str, Any]:
    block = {
        "type": "input",
        "block_id": field.name,
        "label": _words(field.label, _LABEL),
        "element": {"action_id": "answer", **_element(field)},
        "optional": not field.required,
    }
    return block | ({"hint": _words(field.hint, _HINT)} if field.hint else {})


def _element(field: Field) -> dict[str, Any]:
    options = [_option(choice) for choice in field.choices[:_OPTIONS]]
    if field.kind == "choice":
        first = [option for option in options if option["value"] == field.initial]
        return {"type": "static_select", "options": options, **({"initial_option": first[0]} if first else {})}
    if field.kind == "choices":
        first = [option for option in options if option["value"] in field.initial]
        return {"type": "multi_static_select", "options": options, **({"initial_options": first} if first else {})}
    if field.kind == "person":
        return {"type": "users_select"}
    if field.kind == "tick":
        return {"type": "checkboxes", "options": [_option(Choice("yes", field.label))]}
    if field.kind == "number":
        return {"type": "number_input", "is_decimal_allowed": False, "min_value": "1"}
    longest = min(field.longest, _TEXT)
    text = {"type": "plain_text_input", "multiline": field.kind == "words", "max_length": longest}
    return text | ({"initial_value": str(field.initial)[:longest]} if field.initial else {})


def _option(choice: Choice) -> dict[str, Any]:
    return {"text": _words(choice.label, _OPTION), "value": choice.value[:_OPTION]}


def _answer(element: Mapping[str, Any]) -> Any:
    """The value of a filled-in element, whatever its kind."""
    if "selected_options" in element:
        return [str(option.get("value", "")) for option in element["selected_options"] or ()]
    if "selected_option" in element:
        return str((element["selected_option"] or {}).get("value", ""))
    return str(element.get("selected_user") or element.get("value") or "")
