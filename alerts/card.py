"""The card of a case: Slack blocks with its buttons, and the same in plain lines for the terminal. Pure.

A redacted excerpt is called a summary, and the buttons are the case's, not the post's, as X's display rules ask.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from alerts.clockface import in_words
from alerts.message import (
    FIELD,
    HEADER,
    LINE,
    NAMES,
    SIGNS,
    Message,
    escape,
    face,
    header,
    link,
    mrkdwn,
    ping,
    place,
    plain,
    shorten,
)
from alerts.topic import title_of
from config.schema import Runbook

EXCERPT = 700  # characters of a post on a card
MENU = 5  # entries that Slack's overflow menu holds
MORE = "more"  # the entry that opens the rest
_BUTTONS = 2  # more is a wall
_URL = 2000  # characters of a link
_STEP = 220  # characters of a step of a runbook
_ANSWERS = {
    "waiting": "a reply is written and waits for a second person",
    "written": "a reply is written and not sent yet",
    "sending": "a reply is being sent",
    "unknown": "it is not known whether a reply was posted: look at the place before anyone sends again",
    "by_hand": "a reply was handed over to be posted by hand",
}


@dataclass(frozen=True)
class Offer:
    """Something that can be done with a case."""

    name: str
    label: str
    place: Literal["button", "menu"]


@dataclass(frozen=True)
class CaseView:
    """What a card shows of a case."""

    case_id: int
    delivery_key: str
    state: str
    urgency: str
    owner: str | None  # "<@U…>" or a name
    offers: Sequence[Offer]  # what can be done with it, in their order
    posts: int
    people: int  # who wrote them, as far as is known
    also: Sequence[str]  # what else was said, redacted, the newest last
    before: Sequence[str]  # what it answers: who, and the redacted words, the newest last
    clock_from: datetime
    due_at: datetime
    answered_at: datetime | None
    snoozed_until: datetime | None
    snooze_why: str | None
    outcome: str | None
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
    runbook: Runbook | None
    answer: str | None  # the state of the reply that somebody wrote
    answer_trouble: str | None
    other_cases: Sequence[int]  # what else the same author waits for
    spike: str | None  # many posts about this now: what we know of it, "" if nothing yet; None: no spike
    moved: str | None  # on a card in a channel where the case no longer is: who changed it, and where it goes on
    gone: str | None  # why the words are not here any more
    contact: bool  # there is no place to open, but its author can be reached: call-light contact
    zone: ZoneInfo


def card(view: CaseView, oncall: str) -> Message:
    """The card of a case. Danger pages `oncall`, while nobody has claimed it."""
    title = shorten(_title(view), HEADER)
    pages = view.urgency == "danger" and view.state == "open"
    lines = _lines(view)
    payload = {"case_id": view.case_id, "delivery": view.delivery_key}
    metadata = {"event_type": "call_light_card", "event_payload": payload}
    state = shorten(_state_words(view), HEADER)
    text = f"{ping(oncall) + ' ' if pages else ''}{escape(title)}: case {view.case_id}, {_escaped(state, view.owner)}"
    blocks = [header(title), *_said(view, oncall if pages else None), *_facts(view, lines), *_buttons_of(view)]
    return Message(text, blocks, metadata, title, _excerpt(view), lines, view.urgency)


def _excerpt(view: CaseView) -> str:
    excerpt = f"({view.gone})" if view.gone else shorten(view.redacted_text, EXCERPT) or "(no words)"
    if not view.readable and not view.gone:
        excerpt = f"[language {view.language}: not read by the program, please read it at its place]\n{excerpt}"
    return "\n\n".join([excerpt, *(f"Also: {shorten(words, LINE)}" for words in view.also if words)])


def _said(view: CaseView, oncall: str | None) -> Iterator[dict[str, Any]]:
    """What somebody said, what it answers, and what to do about it."""
    if view.moved is not None:
        yield _context(f"↪️ {view.moved}")
    if oncall is not None:
        yield mrkdwn(f"{ping(oncall)} someone may come to harm now. Please look at once.")
    if view.before and not view.gone:
        before = "\n".join(shorten(words, LINE).replace("\n", " ") for words in view.before)
        yield _context(f"Before it:\n{before}")
    yield _context("Gone" if view.gone else "In short, without personal details:")
    yield {"type": "section", "text": plain(_excerpt(view))}
    if view.runbook and view.state in ("open", "claimed"):  # who was woken up reads it before anything else
        steps = "\n".join(f"{number}. {shorten(step, _STEP)}" for number, step in enumerate(view.runbook.steps, 1))
        yield {"type": "section", "text": plain(f"📋 {view.runbook.title}\n{steps}", emoji=True)}


def _facts(view: CaseView, lines: Sequence[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """How it stands, where it is, why it is here."""
    fields = [_field(name, value, view) for name, value in lines if name not in _APART]
    yield {"type": "section", "fields": fields[:10]}
    said = dict(lines)
    if there := link(said.get("Link"), f"Open on {place(view.source)}", _URL):
        yield {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [there]}]}
    if view.spike is not None:
        yield _context(f"🌊 {said['Spike']}")
    if reply := said.get("Reply"):
        yield _context(f"✍️ Reply: {reply}")
    if why := said.get("Why"):
        yield _context(f"Why: {why}")


def _buttons_of(view: CaseView) -> Iterator[dict[str, Any]]:
    """The case's buttons, if anything can be done with it."""
    if view.offers:
        yield {"type": "actions", "block_id": f"case:{view.case_id}", "elements": [*_buttons(view)]}


def _buttons(view: CaseView) -> Iterator[dict[str, Any]]:
    """Two buttons at most; the rest is in the menu, and what it does not hold behind its last entry."""
    buttons = [offer for offer in view.offers if offer.place == "button"]
    menu = [*buttons[_BUTTONS:], *(offer for offer in view.offers if offer.place == "menu")]
    for number, offer in enumerate(buttons[:_BUTTONS]):
        style = {"style": "primary"} if number == 0 else {}
        text, value = plain(offer.label), str(view.case_id)
        yield {"type": "button", "action_id": f"do:{offer.name}", "text": text, "value": value, **style}
    entries = [(offer.name, offer.label) for offer in menu]
    if len(entries) > MENU:
        entries = [*entries[: MENU - 1], (MORE, "More…")]
    if entries:
        options = [{"text": plain(label), "value": f"{name}:{view.case_id}"} for name, label in entries]
        yield {"type": "overflow", "action_id": "menu", "options": options}


_APART = ("Why", "Link", "Spike", "Reply", "Runbook", "Moved")  # lines that have a place of their own on the card


def _title(view: CaseView) -> str:
    where = " · ".join([*view.departments[:2], *([view.site] if view.site else [])])
    name = NAMES[view.urgency] if view.readable else f"Unread ({view.language})"
    return f"{SIGNS[view.urgency]} {name}{' · ' + where if where else ''}"


def _lines(view: CaseView) -> tuple[tuple[str, str], ...]:
    """Label and value of what the card says beside the excerpt."""
    lines = [("Case", str(view.case_id)), ("State", _state_words(view))]
    if view.moved is not None:
        lines.append(("Moved", view.moved))
    if view.state in ("open", "claimed"):
        lines.append(("Reply due", _due_words(view)))
    lines.append(("Posted", f"{_time(view.clock_from, view.zone)} on {place(view.source)}"))
    if view.categories and not view.gone:
        lines.append(("About", "; ".join(_topic(topic, view.titles) for topic in view.categories[:4])))
    mood = {"🟢": "friendly", "🔴": "upset", "⚪": "neutral"}[face(view.mood)]
    stars = f", {view.rating:g} of 5 stars" if view.rating is not None else ""
    lines.append(("Mood", f"{face(view.mood)} {mood}{stars}"))
    if view.reach:
        lines.append(("Followers", f"{view.reach:,}"))
    if view.posts > 1:
        people = f"by {view.people} people" if view.people > 1 else "by the same person"
        lines.append(("Posts", f"{view.posts} {people}"))
    if view.other_cases:
        lines.append(("Same author", f"also waits in case {', '.join(map(str, view.other_cases[:5]))}"))
    if view.contact:
        lines.append(("Contact", f"left one; call-light contact {view.case_id}"))
    if view.url:  # none of what its author deleted
        lines.append(("Link", view.url))
    if view.spike is not None:
        known = f"we know: {shorten(view.spike, LINE)}" if view.spike else "see its own card"
        lines.append(("Spike", f"many posts about this now; {known}"))
    if view.answer in _ANSWERS and view.state in ("open", "claimed"):
        lines.append(("Reply", _ANSWERS[view.answer] + (f" ({view.answer_trouble})" if view.answer_trouble else "")))
    if view.runbook and view.state in ("open", "claimed"):
        lines.append(("Runbook", view.runbook.title))
    why = [reason for reason in view.reasons if not reason.startswith(("about us", "voice"))]
    if why and not view.gone:
        lines.append(("Why", "; ".join(why[:5])))
    return tuple(lines)


def _topic(topic: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    words = ", ".join(topic["words"][:3])
    name = title_of(topic["id"], titles)
    return f"{name} ({words})" if words else name


def _state_words(view: CaseView) -> str:
    if view.state == "open":
        return "open, nobody has it yet"
    if view.state == "answered" and view.answered_at:
        return f"answered in {in_words(view.answered_at - view.clock_from)}"
    by = f" by {view.owner}" if view.owner else ""
    answered = f", answered in {in_words(view.answered_at - view.clock_from)}" if view.answered_at else ""
    return f"{view.state}{by}{answered}{': ' + view.outcome if view.outcome else ''}"


def _due_words(view: CaseView) -> str:
    if view.snoozed_until is not None:
        return f"the clock stands still until {_time(view.snoozed_until, view.zone)}: {view.snooze_why}"
    return _time(view.due_at, view.zone)


def _time(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%a %H:%M")


def _field(name: str, value: str, view: CaseView) -> dict[str, Any]:
    if name == "Reply due" and view.snoozed_until is None:
        stamp = int(view.due_at.timestamp())
        text = f"*Reply due*\n<!date^{stamp}^{{date_short_pretty}} {{time}}|{escape(value)}>"
        return {"type": "mrkdwn", "text": text}
    if name == "State" and view.owner:
        return {"type": "mrkdwn", "text": f"*State*\n{_escaped(shorten(value, HEADER), view.owner)}"}
    return plain(shorten(f"{name}\n{value}", FIELD), emoji=True)


def _escaped(text: str, owner: str | None) -> str:
    """Text for mrkdwn in which only the owner's own mention stays one."""
    return escape(text).replace(escape(owner), owner) if owner and owner.startswith("<@U") else escape(text)


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [plain(shorten(text, FIELD), emoji=True)]}
