"""Cases, digests and notes as messages: Slack blocks, and the same in plain lines for the terminal. Pure.

The text of a post is a stranger's: it goes only into plain_text and rich_text, where Slack reads no markup.
A redacted excerpt is called a summary, as X's display rules ask.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from alerts.clockface import in_words

EXCERPT = 700  # characters of a post on a card
LINE = 180  # characters of a post in a digest
DIGEST_LINES = 25  # lines in one message: Slack refuses blocks of more than about 13,000 characters
_HEADER, _FIELD, _TEXT = 150, 2000, 3000  # Slack's limits

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
    deleted: bool
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


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, cut between words, in one paragraph."""
    text = re.sub(r"[ \t]*\n\s*", "\n", text.strip())
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    return (cut[: cut.rfind(" ")] if cut.rfind(" ") > limit * 0.7 else cut) + "…"


def card(view: CaseView, oncall: str) -> Message:
    """The card of a case. Danger pages `oncall`, while nobody has claimed it."""
    title = _title(view)
    excerpt = "(deleted by its author)" if view.deleted else shorten(view.redacted_text, EXCERPT) or "(no words)"
    if not view.readable:
        excerpt = f"[language {view.language}: not read by the program, please read it at its place]\n{excerpt}"
    lines = _lines(view)
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(shorten(title, _HEADER), emoji=True)}]
    if view.urgency == "danger" and view.state == "open":
        blocks.append(_section(f"{_ping(oncall)} someone may come to harm now. Please look at once."))
    label = "Deleted" if view.deleted else "In short, without personal details:"
    blocks.append({"type": "context", "elements": [_plain(label)]})
    blocks.append({"type": "section", "text": _plain(excerpt)})
    blocks.append(
        {"type": "section", "fields": [_field(name, value, view) for name, value in lines if name != "Why"][:10]}
    )
    if why := dict(lines).get("Why"):
        blocks.append({"type": "context", "elements": [_plain(shorten(f"Why: {why}", _FIELD))]})
    payload = {"case_id": view.case_id, "delivery": view.delivery_key}
    metadata = {"event_type": "call_light_card", "event_payload": payload}
    ping = f"{_ping(oncall)} " if view.urgency == "danger" and view.state == "open" else ""
    text = f"{ping}{escape(title)}: case {view.case_id}, {_state_words(view)}"
    return Message(text, blocks, metadata, title, excerpt, lines, view.urgency)


def digest(items: Sequence[DigestItem], title: str, key: str, zone: ZoneInfo) -> Message:
    """Up to DIGEST_LINES remarks in one message."""
    bullets, lines = [], []
    for item in items:
        moment = item.written_at.astimezone(zone).strftime("%a %H:%M")
        words = shorten(item.redacted_text, LINE).replace("\n", " ") or "(no words)"
        lines.append((f"{moment} {_place(item.source)}", words))
        link = [{"type": "text", "text": "  "}, {"type": "link", "url": item.url, "text": "open"}] if item.url else []
        said = {"type": "text", "text": f"{face(item.mood)} {moment} {_place(item.source)}: {words}"}
        bullets.append({"type": "rich_text_section", "elements": [said, *link]})
    heading = f"{title} · {len(items)}"
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(shorten(heading, _HEADER), emoji=True)},
        {"type": "rich_text", "elements": [{"type": "rich_text_list", "style": "bullet", "elements": bullets}]},
    ]
    metadata = {"event_type": "call_light_digest", "event_payload": {"delivery": key}}
    return Message(escape(heading), blocks, metadata, heading, lines=tuple(lines))


def note(sentence: str, title: str, key: str) -> Message:
    """A sentence of the product itself: a gap, a quiet collector."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(shorten(title, _HEADER), emoji=True)},
        {"type": "section", "text": _plain(shorten(sentence, _TEXT))},
    ]
    metadata = {"event_type": "call_light_note", "event_payload": {"delivery": key}}
    return Message(escape(title), blocks, metadata, title, excerpt=sentence)


def face(mood: float) -> str:
    """Green, white or red."""
    return "🟢" if mood > 0.2 else "🔴" if mood < -0.2 else "⚪"


def _title(view: CaseView) -> str:
    where = " · ".join([*view.departments[:2], *([view.site] if view.site else [])])
    name = NAMES[view.urgency] if view.readable else f"Unread ({view.language})"
    return f"{SIGNS[view.urgency]} {name}{' · ' + where if where else ''}"


def _lines(view: CaseView) -> tuple[tuple[str, str], ...]:
    """Label and value of what the card says beside the excerpt."""
    lines = [("State", _state_words(view))]
    if view.state in ("open", "claimed"):
        lines.append(("Reply due", view.due_at.astimezone(view.zone).strftime("%a %H:%M")))
    lines.append(("Posted", f"{view.clock_from.astimezone(view.zone).strftime('%a %H:%M')} on {_place(view.source)}"))
    if view.categories and not view.deleted:
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
        lines.append(("Posts", f"{view.posts} by the same person"))
    if view.url:
        lines.append(("Link", view.url))
    why = [reason for reason in view.reasons if not reason.startswith(("about us", "voice"))]
    if why and not view.deleted:
        lines.append(("Why", "; ".join(why[:5])))
    return tuple(lines)


def _state_words(view: CaseView) -> str:
    if view.state == "open":
        return "open, nobody has it yet"
    if view.state == "answered" and view.answered_at:
        return f"answered in {in_words(view.answered_at - view.clock_from)}"
    return f"{view.state} by {view.owner}" if view.owner else view.state


def _place(source: str) -> str:
    return PLACES.get(source, source)


def _ping(oncall: str) -> str:
    return {"@here": "<!here>", "@channel": "<!channel>"}.get(oncall, oncall)


def _plain(text: str, emoji: bool = False) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": emoji}


def _section(mrkdwn: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn}}


def _field(name: str, value: str, view: CaseView) -> dict[str, Any]:
    if name == "Link" and view.url:
        address = view.url.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E").replace("&", "&amp;")
        shown = f"<{address}|Open on {escape(_place(view.source))}>" if len(address) < 1900 else "(link too long)"
        return {"type": "mrkdwn", "text": f"*Link*\n{shown}"}
    if name == "Reply due":
        stamp = int(view.due_at.timestamp())
        return {
            "type": "mrkdwn",
            "text": f"*Reply due*\n<!date^{stamp}^{{date_short_pretty}} {{time}}|{escape(value)}>",
        }
    return _plain(shorten(f"{name}\n{value}", _FIELD), emoji=True)
