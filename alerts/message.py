"""Cases, digests and notes as messages: Slack blocks, and the same in plain lines for the terminal. Pure.

The text of a post is a stranger's: it goes only into plain_text and rich_text, where Slack reads no markup.
A redacted excerpt is called a summary, as X's display rules ask.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from alerts.clockface import in_words

if TYPE_CHECKING:
    from alerts.report import Section

EXCERPT = 700  # characters of a post on a card
LINE = 180  # characters of a post in a digest
DIGEST_LINES = 25  # lines in one message: Slack refuses blocks of more than about 13,000 characters
TABLE_WIDTH = 76  # characters of a line of a table, so that no line is broken in two
_HEADER, _FIELD, _TEXT = 150, 2000, 3000  # Slack's limits
_CARD_URL, _LINE_URL = 2000, 500  # characters; no real link is longer, and together they must fit a message
_SUMMARY = 11_000  # characters of a summary
_SECTIONS = 15  # of a summary: Slack takes 50 blocks
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
class Message:
    """One message for people, ready for any door."""

    text: str  # the notification: no word of the post
    blocks: list[dict[str, Any]]
    metadata: dict[str, Any]
    title: str
    excerpt: str = ""
    lines: tuple[tuple[str, str], ...] = ()  # label, value
    urgency: str = "none"


@dataclass(frozen=True)
class CaseView:
    """What a card shows of a case."""

    case_id: int
    delivery_key: str
    state: str
    urgency: str
    owner: str | None
    posts: int
    people: int  # who wrote them, as far as is known
    also: Sequence[str]  # what else was said, redacted, the newest last
    clock_from: datetime
    due_at: datetime
    answered_at: datetime | None
    source: str
    url: str | None
    reach: int | None
    rating: float | None
    redacted_text: str
    language: str
    readable: bool
    mood: float
    kind: str | None
    categories: Sequence[Mapping[str, Any]]
    titles: Mapping[str, str]
    site: str | None
    departments: Sequence[str]
    reasons: Sequence[str]
    gone: str | None  # why the words are not here any more
    contact: bool  # there is no place to open, but its author can be reached: call-light contact
    zone: ZoneInfo


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


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, cut between words, in one paragraph."""
    parts = (visible(line).strip() for line in text.splitlines())
    text = "\n".join(part for part in parts if part)
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    return (cut[: cut.rfind(" ")] if cut.rfind(" ") > limit * 0.7 else cut) + "…"


def card(view: CaseView, oncall: str) -> Message:
    """The card of a case. Danger pages `oncall`, while nobody has claimed it."""
    title = shorten(_title(view), _HEADER)
    excerpt = f"({view.gone})" if view.gone else shorten(view.redacted_text, EXCERPT) or "(no words)"
    if not view.readable and not view.gone:
        excerpt = f"[language {view.language}: not read by the program, please read it at its place]\n{excerpt}"
    excerpt = "\n\n".join([excerpt, *(f"Also: {shorten(words, LINE)}" for words in view.also if words)])
    lines = _lines(view)
    pages = view.urgency == "danger" and view.state == "open"
    blocks: list[dict[str, Any]] = [_header(title)]
    if pages:
        blocks.append(_section(f"{_ping(oncall)} someone may come to harm now. Please look at once."))
    label = "Gone" if view.gone else "In short, without personal details:"
    blocks.append({"type": "context", "elements": [_plain(label)]})
    blocks.append({"type": "section", "text": _plain(excerpt)})
    fields = [_field(name, value, view) for name, value in lines if name not in ("Why", "Link")]
    blocks.append({"type": "section", "fields": fields[:10]})
    if link := _link(dict(lines).get("Link"), f"Open on {_place(view.source)}", _CARD_URL):
        blocks.append({"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [link]}]})
    if why := dict(lines).get("Why"):
        blocks.append({"type": "context", "elements": [_plain(shorten(f"Why: {why}", _FIELD))]})
    payload = {"case_id": view.case_id, "delivery": view.delivery_key}
    metadata = {"event_type": "call_light_card", "event_payload": payload}
    state = shorten(_state_words(view), _HEADER)
    text = f"{_ping(oncall) + ' ' if pages else ''}{escape(title)}: case {view.case_id}, {escape(state)}"
    return Message(text, blocks, metadata, title, excerpt, lines, view.urgency)


def digest(items: Sequence[DigestItem], title: str, key: str, zone: ZoneInfo) -> Message:
    """Up to DIGEST_LINES remarks in one message."""
    bullets, lines = [], []
    for item in items:
        moment = item.written_at.astimezone(zone).strftime("%a %H:%M")
        words = shorten(item.redacted_text, LINE).replace("\n", " ") or "(no words)"
        lines.append((f"{moment} {_place(item.source)}", words))
        link = _link(item.url, "open", _LINE_URL)
        said = {"type": "text", "text": f"{face(item.mood)} {moment} {_place(item.source)}: {words}"}
        more = [{"type": "text", "text": "  "}, link] if link else []
        bullets.append({"type": "rich_text_section", "elements": [said, *more]})
    heading = shorten(f"{title} · {len(items)}", _HEADER)
    body: dict[str, Any] = {"type": "section", "text": _plain("All of these were deleted by their authors.")}
    if bullets:
        elements = [{"type": "rich_text_list", "style": "bullet", "elements": bullets}]
        body = {"type": "rich_text", "elements": elements}
    metadata = {"event_type": "call_light_digest", "event_payload": {"delivery": key}}
    return Message(escape(heading), [_header(heading), body], metadata, heading, lines=tuple(lines))


def note(sentence: str, title: str, key: str) -> Message:
    """A sentence of the product itself: a gap, a quiet collector."""
    title, sentence = shorten(title, _HEADER), shorten(sentence, _TEXT)
    blocks = [_header(title), {"type": "section", "text": _plain(sentence)}]
    metadata = {"event_type": "call_light_note", "event_payload": {"delivery": key}}
    return Message(escape(title), blocks, metadata, title, excerpt=sentence)


def summary(sections: "Sequence[Section]", title: str, key: str) -> Message:
    """The weekly summary. A section gets its share of the room; rows that do not fit are counted."""
    title = shorten(title, _HEADER)
    blocks, said, room = [_header(title)], [], _SUMMARY
    shown = sections[:_SECTIONS]
    for number, section in enumerate(shown):
        share = room // (len(shown) - number)
        name = shorten(section.title, _HEADER) or "·"
        words = shorten("\n".join(section.sentences), min(_TEXT, share // 2))
        table = _table(section.header, section.rows, share - len(words) - _HEADER) if section.rows else ""
        blocks.append(_header(name))
        if words:
            blocks.append({"type": "section", "text": _plain(words)})
        if table:
            lines = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": table}]}
            blocks.append({"type": "rich_text", "elements": [lines]})
        said.append("\n".join(filter(None, (name, words, table))))
        room -= len(said[-1])
    metadata = {"event_type": "call_light_report", "event_payload": {"delivery": key}}
    return Message(escape(title), blocks, metadata, title, excerpt="\n\n".join(said))


def _table(header: Sequence[str], rows: Sequence[Sequence[object]], room: int) -> str:
    """Rows under each other in columns, no line wider than TABLE_WIDTH, at most `room` characters."""
    cells = [[_cell(value) for value in row] for row in (header, *rows)]
    count = max(map(len, cells))
    cells = [row + [""] * (count - len(row)) for row in cells]
    widths = [max(len(row[column]) for row in cells) for column in range(count)]
    while sum(widths) + 2 * (count - 1) > TABLE_WIDTH and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    numbers = [isinstance(value, int | float) for value in rows[0]] + [False] * count
    lines = []
    for row in cells:
        parts = [shorten(cell, width) for cell, width in zip(row, widths, strict=True)]
        aligned = zip(parts, widths, numbers, strict=False)
        lines.append("  ".join(p.rjust(w) if number else p.ljust(w) for p, w, number in aligned).rstrip()[:TABLE_WIDTH])
    fits = max(1, room // (TABLE_WIDTH + 1))
    if len(lines) > fits:
        lines[fits:] = [f"… {len(lines) - fits} more"]
    return "\n".join(lines)


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return " ".join(visible(text[: 10 * TABLE_WIDTH]).split())


def face(mood: float) -> str:
    """Green, white or red."""
    return "🟢" if mood > 0.2 else "🔴" if mood < -0.2 else "⚪"


def _title(view: CaseView) -> str:
    where = " · ".join([*view.departments[:2], *([view.site] if view.site else [])])
    name = NAMES[view.urgency] if view.readable else f"Unread ({view.language})"
    return f"{SIGNS[view.urgency]} {name}{' · ' + where if where else ''}"


def _lines(view: CaseView) -> tuple[tuple[str, str], ...]:
    """Label and value of what the card says beside the excerpt."""
    lines = [("Case", str(view.case_id)), ("State", _state_words(view))]
    if view.state in ("open", "claimed"):
        lines.append(("Reply due", view.due_at.astimezone(view.zone).strftime("%a %H:%M")))
    lines.append(("Posted", f"{view.clock_from.astimezone(view.zone).strftime('%a %H:%M')} on {_place(view.source)}"))
    if view.categories and not view.gone:
        topics = "; ".join(
            f"{view.titles.get(c['id'], c['id'])} ({', '.join(c['words'][:3])})" for c in view.categories[:4]
        )
        lines.append(("About", topics))
    mood = {"🟢": "friendly", "🔴": "upset", "⚪": "neutral"}[face(view.mood)]
    lines.append(
        ("Mood", f"{face(view.mood)} {mood}" + (f", {view.rating:g} of 5 stars" if view.rating is not None else ""))
    )
    if view.reach:
        lines.append(("Followers", f"{view.reach:,}"))
    if view.posts > 1:
        people = f"by {view.people} people" if view.people > 1 else "by the same person"
        lines.append(("Posts", f"{view.posts} {people}"))
    if view.contact:
        lines.append(("Contact", f"left one; call-light contact {view.case_id}"))
    if view.url:  # none of what its author deleted
        lines.append(("Link", view.url))
    why = [reason for reason in view.reasons if not reason.startswith(("about us", "voice"))]
    if why and not view.gone:
        lines.append(("Why", "; ".join(why[:5])))
    return tuple(lines)


def _state_words(view: CaseView) -> str:
    if view.state == "open":
        return "open, nobody has it yet"
    if view.state == "answered" and view.answered_at:
        return f"answered in {in_words(view.answered_at - view.clock_from)}"
    return f"{view.state} by {view.owner}" if view.owner else view.state


def _place(source: str) -> str:
    return PLACES.get(source) or shorten(source, 40)


def _ping(oncall: str) -> str:
    return {"@here": "<!here>", "@channel": "<!channel>"}.get(oncall, oncall)


def _plain(text: str, emoji: bool = False) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": emoji}


def _section(mrkdwn: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn}}


def _header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": _plain(text, emoji=True)}


def _link(url: str | None, label: str, longest: int) -> dict[str, Any] | None:
    """A link element: unlike <url|label> in mrkdwn, nothing in the address can end it early."""
    if not url:
        return None
    address = _UNSAFE.sub(lambda found: quote(found[0]), url)
    if len(address) > longest:
        return {"type": "text", "text": "(link too long)"}
    return {"type": "link", "url": address, "text": label}


def _field(name: str, value: str, view: CaseView) -> dict[str, Any]:
    if name == "Reply due":
        stamp = int(view.due_at.timestamp())
        text = f"*Reply due*\n<!date^{stamp}^{{date_short_pretty}} {{time}}|{escape(value)}>"
        return {"type": "mrkdwn", "text": text}
    return _plain(shorten(f"{name}\n{value}", _FIELD), emoji=True)
