"""A note to admins: a line that would leave out posts like one that was "Not for us". They add it, or do not."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast
from sqlmodel import Session, col, exists, select

from alerts.case import RANK
from alerts.delivery import Delivery, pending
from alerts.message import Message, escape, header, note, plain
from alerts.proposals import Proposal
from config.schema import Config

_RANK = len(RANK)  # after every card, with the other notes
_CHECK = "After the edit run: call-light config check"
_OR = "Or let it be written: call-light config suggest"
_STAYS = {
    "not_us": "Posts that also name us stay ours; what names only that place is theirs, danger too.",
    "exclude": "Danger stays a card, whatever is left out.",
}
_WHERE = {  # the file, and where in it
    "not_us": ("hospital.toml", 'at the top, inside "not_us = [ … ]"'),
    "exclude": ("keywords.toml", 'under [exclude], inside "phrases = [ … ]"'),
    "accounts": ("hospital.toml", "under [accounts]"),
}


def enqueue(session: Session, config: Config, now: datetime) -> None:
    """One note a proposal."""
    about = "proposal:" + cast(col(Proposal.id), String)
    known = exists().where(col(Delivery.kind) == "proposal", col(Delivery.about) == about)
    for proposal in session.exec(select(Proposal).where(~known)).all():
        session.add(pending("proposal", f"proposal:{proposal.id}", "health", _RANK, now, proposal.case_id))


def write(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """The line, the file it belongs to, and what it would have done."""
    proposal = session.get_one(Proposal, int(row.about.removeprefix("proposal:")))
    if not proposal.why:
        sentence = "A line was proposed here. The post that brought it up is gone, so it is not proposed any more."
        return note(sentence, "Taken back: a proposed line", row.key), 1
    file, place = _WHERE[proposal.list]
    title = f"Proposed: a line for {file}"
    before, line, after = _said(proposal, file, place)
    blocks: list[dict[str, Any]] = [header(title), {"type": "section", "text": plain(before)}]
    shown = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": line}]}
    blocks.append({"type": "rich_text", "elements": [shown]})
    blocks.append({"type": "section", "text": plain(after)})
    metadata = {"event_type": "call_light_proposal", "event_payload": {"delivery": row.key}}
    return Message(escape(title), blocks, metadata, title, f"{before}\n{line}\n{after}"), 0


def stale(session: Session, config: Config, may: Any, now: datetime) -> Sequence[Delivery]:
    """Notes whose line was taken back."""
    about = "proposal:" + cast(col(Proposal.id), String)
    theirs = (Delivery.kind == "proposal", col(Delivery.about) == about, Delivery.shown_version == 0, may)
    return session.exec(select(Delivery).where(*theirs, Proposal.why == "")).all()


def _said(proposal: Proposal, file: str, place: str) -> tuple[str, str, str]:
    """What stands before the line, the line, and what stands after it."""
    case = f"Case {proposal.case_id} was not for us"
    if proposal.list == "accounts":
        before = (
            f"{case}: {proposal.why}. Nothing is left out for that: what staff say of danger or of care counts too. "
            f"But if that account speaks for the hospital, put it into {file}, {place}, so that its posts count as ours:"
        )
        return before, f'{proposal.phrase} = "name of the account, without @"', _CHECK
    before = f"{case}. To leave out posts like it, put this into {file}, {place}:"
    why = proposal.why[:1].upper() + proposal.why[1:]
    return (
        before,
        f"{json.dumps(proposal.phrase, ensure_ascii=False)},",
        f"{why}. {_STAYS[proposal.list]}\n{_CHECK}\n{_OR}",
    )
