"""Draws the pictures of the README from the product itself: make pictures. Needs Chromium and a font with emoji."""

import io
import re
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

from rich.console import Console as Terminal
from sqlmodel import Session

from alerts.console import Console
from alerts.door import Sent
from alerts.figures import figures
from alerts.message import Message
from alerts.report import html, report
from config.load import load
from config.schema import Hospital
from listener import week
from listener.collect import settings_of_all
from listener.collectors import listening_post
from listener.database import open_database
from listener.service import Service, replay
from nlp.explain import drawn
from nlp.pipeline import Reader, Text

_HERE = Path(__file__).parent
_OUT = _HERE / "pictures"
_TODAY = datetime(2026, 11, 16, 15, 0, tzinfo=UTC)
_EXPLAINED = (
    "Lovely soup in your cafeteria, and Nurse Ngozi is a gem. But his lips look grey to me and the lady at the desk said take a number.",
    "That bill from St. Brigid's gave me a heart attack, $4,300 for a band-aid",
)
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class Gallery:
    """A door that keeps every message."""

    name = "gallery"

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def post(self, channel: str, message: Message, key: str) -> Sent:
        self.messages.append(message)
        return Sent(channel, key)

    def update(self, sent: Sent, message: Message) -> None:
        pass

    def find(self, channel: str, key: str, since: datetime, place: str | None) -> Sent | None:
        return None


def main() -> None:
    """Write terminal.png, explain.png, card.png, summary.png, listening_post.png and poster.png."""
    _OUT.mkdir(exist_ok=True)
    config = load(_HERE.parent / "config", settings_of_all())
    moment = [_TODAY]
    gallery = Gallery()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(Path(folder))
        service = Service(config, engine, gallery, {}, lambda: moment[0])
        posts = week.posts(config.hospital.zone, _TODAY)
        for _ in replay(service, posts, timedelta(hours=1), lambda at: moment.__setitem__(0, at.astimezone(UTC))):
            pass
        midnight = _TODAY.astimezone(config.hospital.zone).replace(hour=0)
        with Session(engine) as session:
            numbers = figures(session, config, midnight - timedelta(days=7), midnight, _TODAY)
        page = html(report(numbers, config.report.sections), numbers)
        engine.dispose()
    danger = next(m for m in gallery.messages if m.urgency == "danger" and "<!here>" in m.text)
    others = [m for m in gallery.messages if m.lines and m.urgency in ("here_now", "routine")][:2]
    _terminal_picture([danger, *others], config.care.slack.channels)
    _explain_picture(Reader(config))
    _screenshot(_slack_page(danger), _OUT / "card.png", 640, 560)
    _screenshot(page, _OUT / "summary.png", 820, 1500)
    _listening_post_pictures(config.hospital)


def _listening_post_pictures(hospital: Hospital) -> None:
    settings = listening_post.Settings(
        contact="Patient Relations 555-0100", public_url="https://listen.stbrigid.example/"
    )
    desk = listening_post._Desk(settings, hospital, lambda: _TODAY)
    draft = desk.draft({"at": "Emergency", "lang": "en"}, {})
    _screenshot(desk.page("form", draft), _OUT / "listening_post.png", 500, 860)
    _screenshot(desk.page("poster", draft), _OUT / "poster.png", 816, 1190)


def _terminal_picture(messages: list[Message], channels: dict[str, str]) -> None:
    terminal = _terminal()
    door = Console(channels, terminal)
    for message in messages:
        door.post("danger" if message.urgency == "danger" else "care", message, "")
    _drawn_terminal(terminal, "call-light demo", "terminal.png")


def _explain_picture(reader: Reader) -> None:
    terminal = _terminal()
    for post in _EXPLAINED:
        terminal.print(drawn(reader.doc(Text(post, about_us=True))))
    _drawn_terminal(terminal, "call-light read --explain", "explain.png")


def _terminal() -> Terminal:
    return Terminal(record=True, width=92, file=io.StringIO(), force_terminal=True)


def _drawn_terminal(terminal: Terminal, title: str, name: str) -> None:
    svg = re.sub(r"@font-face \{.*?\}", "", terminal.export_svg(title=title), flags=re.DOTALL)
    width, height = (round(float(number)) for number in re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)[0])
    _screenshot(f"<body style='margin:0'>{svg}</body>", _OUT / name, width, height + 10)


def _screenshot(page: str, target: Path, width: int, height: int) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        raise SystemExit("no Chromium found: install it for the PNG pictures")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.html"
        source.write_text(page, encoding="utf-8")
        command = [
            chromium,
            *_FLAGS,
            f"--user-data-dir={folder}/profile",
            f"--window-size={width},{height}",
            f"--screenshot={target}",
            source.as_uri(),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


def _slack_page(message: Message) -> str:
    """The blocks of a message drawn as Slack draws them, near enough to be recognised."""
    blocks = "".join(_drawn(block) for block in message.blocks)
    style = (
        "body{font:15px/1.46 Lato,system-ui,sans-serif;color:#1d1c1d;background:#fff;margin:20px}.who{font-weight:900}.app{font-size:10px;background:#e8e8e8;padding:1px 3px;margin:0 6px;border-radius:2px}"
        ".time{color:#616061;font-size:12px}h3{font-size:18px;margin:6px 0}.context{color:#616061;font-size:13px;margin:6px 0}.fields{display:grid;grid-template-columns:1fr 1fr;gap:8px;margin:8px 0}"
        ".ping{background:#fff3cd;color:#1264a3;padding:0 2px;border-radius:3px}p{margin:6px 0;white-space:pre-wrap}a{color:#1264a3}"
    )
    return f"<!doctype html><meta charset=utf-8><style>{style}</style><span class=who>Call Light</span><span class=app>APP</span><span class=time>2:32 PM</span>{blocks}"


def _drawn(block: dict[str, Any]) -> str:
    if block["type"] == "header":
        return f"<h3>{escape(block['text']['text'])}</h3>"
    if block["type"] == "context":
        return f"<div class=context>{_text(block['elements'][0])}</div>"
    if "fields" in block:
        return f"<div class=fields>{''.join(f'<div>{_text(field)}</div>' for field in block['fields'])}</div>"
    if block["type"] == "rich_text":
        (link,) = block["elements"][0]["elements"]
        return f"<p><a>{escape(link['text'])}</a></p>"
    return f"<p>{_text(block['text'])}</p>"


def _text(text: dict[str, Any]) -> str:
    if text["type"] == "plain_text":
        first, _, rest = text["text"].partition("\n")
        return f"<b>{escape(first)}</b><br>{escape(rest)}" if rest and len(first) < 20 else escape(text["text"])
    shown = text["text"].replace("<!here>", "\0@here\1")
    shown = re.sub(r"<!date\^[^|]*\|([^>]*)>", r"\1", shown)
    shown = re.sub(r"<(https?:[^|]*)\|([^>]*)>", r"<a>\2</a>", shown)
    shown = re.sub(r"\*([^*]+)\*", r"<b>\1</b>", shown).replace("\n", "<br>")
    return shown.replace("\0", "<span class=ping>").replace("\1", "</span>")


if __name__ == "__main__":
    main()
