"""Messages: Slack blocks, and the same in plain lines for the terminal; digests, notes and summaries. Pure.

The text of a post is a stranger's: it goes only into plain_text and rich_text, where Slack reads no markup.
A redacted excerpt is called a summary, as X's display rules ask.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from alerts.section import Cell, Section, is_number, shown

LINE = 180  # characters of a post in a digest
DIGEST_LINES = 25  # lines in one message: Slack refuses blocks of more than about 13,000 characters
TABLE_WIDTH = 76  # characters of a line of a table, so that no line is broken in two
HEADER, FIELD, TEXT = 150, 2000, 3000  # Slack's limits
_LINE_URL = 500  # characters; no real link is longer, and together they must fit a message
_SUMMARY = 6_000  # characters of a summary: what is read on one screen
_SECTIONS = 15  # of a summary: Slack takes 50 blocks
_SENTENCES = 2  # of each section but the first
_COLUMNS = 3  # of a wide table: the others are on the page, rather than all of them cut short
_ROWS = 5  # of a table of a summary
_ALT = 500  # characters of what a picture shows; Slack takes 1,000
# What moves the cursor of a terminal, and what makes the text around it run backwards.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_UNSAFE = re.compile('[\x00-\x20<>|"\x7f-\x9f\u202a-\u202e\u2066-\u2069]')

NAMES = {
    "danger": "DANGER",
    "here_now": "Here now",
    "serious": "Serious",
    "routine": "To answer",
    "low": "Remark",
    "none": "Remark",
}
SIGNS = {"danger": "🚨", "here_now": "🟠", "serious": "🟣", "routine": "🔵", "low": "⚪", "none": "⚪"}
PLACES = {
    "x": "X",
    "reddit": "Reddit",
    "google_reviews": "Google review",
    "bluesky": "Bluesky",
    "mastodon": "Mastodon",
    "rss": "Feed",
    "listening_post": "Listening post",
}


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a message; made only when a door takes files."""

    name: str  # "volume_by_day.png"
    title: str
    make: Callable[[], bytes]
    alt: str = ""  # of a picture: what it shows, in a sentence
    before: int = 0  # of a picture: the number of the block that it stands above


@dataclass(frozen=True)
class Uploaded:
    """A file that a door took: its name there, and where people open it."""

    id: str
    link: str


@dataclass(frozen=True)
class Message:
    """One message for people, ready for any door. Its blocks stand without images and files; attached() puts them in."""

    text: str  # the notification: no word of the post
    blocks: list[dict[str, Any]]
    metadata: dict[str, Any]
    title: str
    excerpt: str = ""
    lines: tuple[tuple[str, str], ...] = ()  # label, value
    urgency: str = "none"
    images: tuple[Attachment, ...] = ()
    files: tuple[Attachment, ...] = ()  # the last block says where they are when no door takes them
    file_ids: tuple[str, ...] = ()  # of the files that it shares with its readers
    trouble: str | None = None  # what a person has to mend, though it can be sent


@dataclass(frozen=True)
class DigestItem:
    """What a digest shows of a mention."""

    source: str
    written_at: datetime
    url: str | None
    redacted_text: str
    mood: float


def escape(text: str) -> str:
    """Text that is ours but carries a value, for mrkdwn: &, < and > in this order."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def visible(text: str) -> str:
    """Text without characters that are not shown but act."""
    return _UNSEEN.sub("", text)


def web_address(url: str | None) -> str | None:
    """An address that leads to a page of the web and nowhere else: no script, no file; None for any other."""
    try:
        parts = urlsplit(url or "")
        return url if parts.scheme in ("http", "https") and parts.hostname else None
    except ValueError:
        return None


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, cut between words, in one paragraph."""
    parts = (visible(line).strip() for line in text.splitlines())
    text = "\n".join(part for part in parts if part)
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    return (cut[: cut.rfind(" ")] if cut.rfind(" ") > limit * 0.7 else cut) + "…"


def digest(items: Sequence[DigestItem], title: str, key: str, zone: ZoneInfo) -> Message:
    """Up to DIGEST_LINES remarks in one message."""
    bullets, lines = [], []
    for item in items:
        moment = item.written_at.astimezone(zone).strftime("%a %H:%M")
        words = shorten(item.redacted_text, LINE).replace("\n", " ") or "(no words)"
        lines.append((f"{moment} {place(item.source)}", words))
        there = link(item.url, "open", _LINE_URL)
        said = {"type": "text", "text": f"{face(item.mood)} {moment} {place(item.source)}: {words}"}
        more = [{"type": "text", "text": "  "}, there] if there else []
        bullets.append({"type": "rich_text_section", "elements": [said, *more]})
    heading = shorten(f"{title} · {len(items)}", HEADER)
    body: dict[str, Any] = {"type": "section", "text": plain("All of these were deleted by their authors.")}
    if bullets:
        elements = [{"type": "rich_text_list", "style": "bullet", "elements": bullets}]
        body = {"type": "rich_text", "elements": elements}
    metadata = {"event_type": "call_light_digest", "event_payload": {"delivery": key}}
    return Message(escape(heading), [header(heading), body], metadata, heading, lines=tuple(lines))


def note(sentence: str, title: str, key: str) -> Message:
    """A sentence of the product itself: a gap, a quiet collector."""
    title, sentence = shorten(title, HEADER), shorten(sentence, TEXT)
    blocks = [header(title), {"type": "section", "text": plain(sentence)}]
    metadata = {"event_type": "call_light_note", "event_payload": {"delivery": key}}
    return Message(escape(title), blocks, metadata, title, excerpt=sentence)


def summary(
    sections: Sequence[Section],
    title: str,
    key: str,
    images: Sequence[Attachment] = (),
    files: Sequence[Attachment] = (),
    where: str = "",
    url: str | None = None,
) -> Message:
    """The weekly summary: the first section, the images, the other sections, and where the whole page is: at `url`, or
    as `where` says. A section gets its share of the room; rows that do not fit are counted."""
    title = shorten(title, HEADER)
    blocks, said, room = [header(title)], [], _SUMMARY
    told = sections[:_SECTIONS]
    for number, section in enumerate(told):
        block, words = _part(section, room // (len(told) - number), is_first=number == 0)
        blocks += [block] if block else []
        room -= len(words)
        said.append(words)
        if number == 0:
            above = len(blocks)
            said += [f"(chart: {shorten(image.alt, _ALT)})" for image in images]
            images = [replace(image, before=above) for image in images]
    if where or url:
        blocks.append(_page(where, url))
        said.append(url or where)
    metadata = {"event_type": "call_light_report", "event_payload": {"delivery": key}}
    excerpt = "\n\n".join(filter(None, said))
    return Message(escape(title), blocks, metadata, title, excerpt=excerpt, images=tuple(images), files=tuple(files))


def attached(message: Message, uploads: Mapping[str, Uploaded]) -> Message:
    """A message with those of its images and files that were uploaded, by their names."""
    blocks = list(message.blocks)
    for image in reversed(message.images):
        if there := uploads.get(image.name):
            shown = {
                "type": "image",
                "slack_file": {"id": there.id},
                "alt_text": shorten(image.alt, _ALT) or image.name,
            }
            title = shorten(image.title, HEADER)
            more = {"title": plain(title)} if title else {}
            blocks.insert(image.before, {**shown, **more})
    shared = [uploads[file.name] for file in message.files if file.name in uploads]
    if not shared:
        return replace(message, blocks=blocks)
    blocks[-1] = _page("", shared[-1].link)
    # Slack shares a file with the readers of a message by a link in its text: in the blocks alone it does not count.
    links = "".join(f" · <{_UNSAFE.sub(lambda found: quote(found[0]), one.link)}|the page>" for one in shared)
    ids = tuple(one.id for one in shared)
    return replace(message, text=message.text + links, blocks=blocks, file_ids=ids)


def _part(section: Section, share: int, is_first: bool) -> tuple[dict[str, Any] | None, str]:
    """A section as a block, and in lines. The first stands under the title of the message and needs none of its own."""
    name = "" if is_first else shorten(section.title, HEADER) or "·"
    sentences = section.sentences if is_first else section.sentences[:_SENTENCES]
    words = shorten("\n".join(sentences), min(TEXT, share // 2))
    first = next((table for table in section.tables if table.rows), None)
    table = _table(first.header, first.rows, share - len(words) - HEADER) if first else ""
    texts: list[dict[str, Any]] = []
    if name:
        texts.append({"type": "text", "text": name + ("\n" if words else ""), "style": {"bold": True}})
    if words:
        texts.append({"type": "text", "text": words})
    elements: list[dict[str, Any]] = [{"type": "rich_text_section", "elements": texts}] if texts else []
    if table:
        elements.append({"type": "rich_text_preformatted", "elements": [{"type": "text", "text": table}]})
    block = {"type": "rich_text", "elements": elements} if elements else None
    return block, "\n".join(filter(None, (name, words, table)))


def _page(where: str, url: str | None) -> dict[str, Any]:
    """Where the whole page is."""
    there = link(url, "open the page", _LINE_URL) or {"type": "text", "text": where}
    said = {"type": "text", "text": "The whole week, with every number: "}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [said, there]}]}


def _table(header: Sequence[str], rows: Sequence[Sequence[Cell]], room: int) -> str:
    """Rows under each other in columns, no line wider than TABLE_WIDTH, at most `room` characters."""
    cells = [[_cell(value) for value in row] for row in (header, *rows)]
    count = max(map(len, cells))
    cells = [row + [""] * (count - len(row)) for row in cells]
    widths = [max(len(row[column]) for row in cells) for column in range(count)]
    while sum(widths) + 2 * (len(widths) - 1) > TABLE_WIDTH and len(widths) > _COLUMNS:
        widths.pop()
    count = len(widths)
    while sum(widths) + 2 * (count - 1) > TABLE_WIDTH and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    numbers = [is_number(value) for value in rows[0]] + [False] * count
    lines = []
    for row in cells:
        parts = [shorten(cell, width) for cell, width in zip(row, widths, strict=False)]
        aligned = zip(parts, widths, numbers, strict=False)
        lines.append("  ".join(p.rjust(w) if number else p.ljust(w) for p, w, number in aligned).rstrip()[:TABLE_WIDTH])
    fits = max(1, min(_ROWS + 1, room // (TABLE_WIDTH + 1)))
    if len(lines) > fits:
        lines[fits:] = [f"… {len(lines) - fits} more"]
    return "\n".join(lines)


def _cell(value: Cell) -> str:
    text = shown(value)
    return " ".join(visible(text[: 10 * TABLE_WIDTH]).split())


def face(mood: float) -> str:
    """Green, white or red."""
    return "🟢" if mood > 0.2 else "🔴" if mood < -0.2 else "⚪"


def place(source: str) -> str:
    """A place as people call it."""
    return PLACES.get(source) or shorten(source, 40)


def ping(oncall: str) -> str:
    """Whom care.toml names, as Slack's markup."""
    return {"@here": "<!here>", "@channel": "<!channel>"}.get(oncall, oncall)


def plain(text: str, emoji: bool = False) -> dict[str, Any]:
    """Text that is read without any markup: the only one for a stranger's words."""
    return {"type": "plain_text", "text": text, "emoji": emoji}


def mrkdwn(text: str) -> dict[str, Any]:
    """A paragraph of ours with Slack's markup."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def header(text: str) -> dict[str, Any]:
    """A heading."""
    return {"type": "header", "text": plain(text, emoji=True)}


def link(url: str | None, label: str, longest: int) -> dict[str, Any] | None:
    """A link element of rich text: unlike <url|label> in mrkdwn, nothing in the address can end it early."""
    if not url:
        return None
    address = _UNSAFE.sub(lambda found: quote(found[0]), url)
    if len(address) > longest:
        return {"type": "text", "text": "(link too long)"}
    return {"type": "link", "url": address, "text": label}
