"""Messages and modals drawn as Slack draws them, near enough to be recognised."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from alerts.message import Message, Uploaded, attached

_STYLE = (
    "body{font:15px/1.46 Lato,system-ui,sans-serif;color:#1d1c1d;background:#fff;margin:20px}.who{font-weight:900}"
    ".app{font-size:10px;background:#e8e8e8;padding:1px 3px;margin:0 6px;border-radius:2px}.time{color:#616061;font-size:12px}"
    "h3{font-size:18px;margin:6px 0}.context{color:#616061;font-size:13px;margin:6px 0;white-space:pre-wrap}"
    ".fields{display:grid;grid-template-columns:1fr 1fr;gap:8px;margin:8px 0}.ping{background:#fff3cd;color:#1264a3;padding:0 2px;"
    "border-radius:3px}p{margin:6px 0;white-space:pre-wrap}a{color:#1264a3}.message{margin-bottom:26px}.row{display:flex;gap:8px;"
    "margin:8px 0}.with{display:flex;justify-content:space-between;align-items:flex-start;gap:12px}.button{border:1px solid #bbb;"
    "border-radius:4px;padding:3px 12px;font-size:14px;font-weight:700;white-space:nowrap}.primary{background:#007a5a;color:#fff;"
    "border-color:#007a5a}.modal{border:1px solid #ddd;border-radius:8px;padding:16px 20px;box-shadow:0 4px 14px #0002}"
    ".label{font-weight:700;margin:12px 0 4px}.input{border:1px solid #868686;border-radius:4px;padding:8px;min-height:70px}"
    ".wrong .input{border-color:#e01e5a}.error{color:#e01e5a;font-size:13px;margin-top:4px}.hint{color:#616061;font-size:13px}"
    ".foot{display:flex;justify-content:flex-end;gap:8px;margin-top:14px}.quote{border-left:4px solid #ddd;padding-left:10px}"
    "img{max-width:360px;border:1px solid #ddd;border-radius:8px;display:block}pre{font:12px/1.5 Monaco,Menlo,monospace;background:#f8f8f8;"
    "border:1px solid #ddd;border-radius:4px;padding:8px;overflow-x:auto}"
)


def slack_page(messages: Sequence[Message]) -> str:
    """Messages of a channel, one under the other."""
    return _page("".join(map(_message, messages)))


def _message(message: Message) -> str:
    """A message with its images, as if Slack had taken them."""
    pictures = {image.name: image.make() for image in message.images}
    blocks = attached(
        message, {name: Uploaded(name, "https://example.slack.com/files/page") for name in _names(message)}
    ).blocks
    drawn = "".join(_drawn(block, pictures) for block in blocks)
    return f"<div class=message><span class=who>Call Light</span><span class=app>APP</span>{drawn}</div>"


def _names(message: Message) -> list[str]:
    return [one.name for one in (*message.images, *message.files)]


def _image(block: Mapping[str, Any], pictures: Mapping[str, bytes]) -> str:
    data = b64encode(pictures[block["slack_file"]["id"]]).decode()
    title = f"<div class=context>{escape(block['title']['text'])}</div>" if "title" in block else ""
    return f"{title}<img alt='{escape(block['alt_text'])}' src='data:image/png;base64,{data}'>"


def modal_page(view: Mapping[str, Any], errors: Mapping[str, str]) -> str:
    """A modal, with what Slack writes under fields that will not do."""
    body = "".join(_input(block, errors) if block["type"] == "input" else _drawn(block) for block in view["blocks"])
    submit = f"<span class='button primary'>{escape(view['submit']['text'])}</span>" if "submit" in view else ""
    foot = f"<div class=foot><span class=button>{escape(view['close']['text'])}</span>{submit}</div>"
    return _page(f"<div class=modal><h3>{escape(view['title']['text'])}</h3>{body}{foot}</div>")


def _page(body: str) -> str:
    return f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style>{body}"


def _input(block: Mapping[str, Any], errors: Mapping[str, str]) -> str:
    wrong = errors.get(block["block_id"], "")
    value = escape(str(block["element"].get("initial_value", "")))
    hint = f"<div class=hint>{escape(block['hint']['text'])}</div>" if "hint" in block else ""
    error = f"<div class=error>{escape(wrong)}</div>" if wrong else ""
    label = escape(block["label"]["text"])
    return f"<div class={'wrong' if wrong else 'right'}><div class=label>{label}</div><div class=input>{value}</div>{error}{hint}</div>"


def _drawn(block: Mapping[str, Any], pictures: Mapping[str, bytes] | None = None) -> str:
    if block["type"] == "header":
        return f"<h3>{escape(block['text']['text'])}</h3>"
    if block["type"] == "context":
        return f"<div class=context>{_text(block['elements'][0])}</div>"
    if block["type"] == "actions":
        return f"<div class=row>{''.join(map(_element, block['elements']))}</div>"
    if "fields" in block:
        return f"<div class=fields>{''.join(f'<div>{_text(field)}</div>' for field in block['fields'])}</div>"
    if block["type"] == "image":
        return _image(block, pictures or {})
    if block["type"] == "rich_text":
        return "".join(_rich(part) for part in block["elements"])
    words = f"<p>{_text(block['text'])}</p>"
    return f"<div class=with>{words}{_element(block['accessory'])}</div>" if "accessory" in block else words


def _rich(part: Mapping[str, Any]) -> str:
    if part["type"] == "rich_text_list":
        return f"<ul>{''.join(f'<li>{_rich(item)}</li>' for item in part['elements'])}</ul>"
    words = "".join(map(_rich_word, part["elements"]))
    if part["type"] == "rich_text_preformatted":
        return f"<pre>{words}</pre>"
    return f"<p class={'quote' if part['type'] == 'rich_text_quote' else 'plain'}>{words}</p>"


def _rich_word(one: Mapping[str, Any]) -> str:
    words = escape(one["text"])
    if one["type"] == "link":
        return f"<a>{words}</a>"
    return f"<b>{words}</b>" if one.get("style", {}).get("bold") else words


def _element(element: Mapping[str, Any]) -> str:
    if element["type"] == "overflow":
        return "<span class=button>···</span>"
    primary = " primary" if element.get("style") == "primary" else ""
    return f"<span class='button{primary}'>{escape(element['text']['text'])}</span>"


def _text(text: Mapping[str, Any]) -> str:
    if text["type"] == "plain_text":
        first, _, rest = text["text"].partition("\n")
        return f"<b>{escape(first)}</b><br>{escape(rest)}" if rest and len(first) < 20 else escape(text["text"])
    shown = text["text"].replace("<!here>", "\0@here\1")
    shown = re.sub(r"<@(\w+)>", "\0@\\1\1", shown)
    shown = re.sub(r"<!date\^[^|]*\|([^>]*)>", r"\1", shown)
    shown = re.sub(r"<(https?:[^|]*)\|([^>]*)>", r"<a>\2</a>", shown)
    shown = re.sub(r"\*([^*]+)\*", r"<b>\1</b>", shown).replace("\n", "<br>")
    return shown.replace("\0", "<span class=ping>").replace("\1", "</span>")
