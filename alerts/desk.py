"""What people see when they ask: lists of cases, in Slack by /calllight and in the terminal by call-light cases."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from alerts import fulltext
from alerts.case import OVER, WAITING, Case, waiting_cases
from alerts.clockface import due_now, in_words
from alerts.message import LINE, NAMES, SIGNS, escape, place, shorten
from alerts.people import in_slack, is_slack_id, named
from alerts.query import understood
from alerts.section import Table
from alerts.shifts import on_shift, shifts_of
from alerts.topic import title_of, titles_of
from alerts.verdict import Verdict
from alerts.view import foremost, posts_of, topics_of
from config.schema import Config

_FOUND = 20  # cases that a search shows
_LOOKED_AT = 20_000  # posts of them; a case may have hundreds of copies
_WHY, _NAME = 60, 40  # characters of a reason and of a name in a line
_TOPICS = 2  # that a line names


def open_cases(session: Session) -> list[Case]:
    """What nobody has."""
    return [case for case in waiting_cases(session) if case.state == "open"]


def mine(session: Session, who: str) -> list[Case]:
    """What this person has."""
    return [case for case in waiting_cases(session) if case.owner == who]


def late(session: Session, now: datetime) -> list[Case]:
    """What is past its target."""
    return [case for case in waiting_cases(session) if due_now(case, now) < now]


def search(session: Session, words: str) -> list[Case]:
    """Cases in whose posts, as they are shown, all these words stand; those that wait first, then the newest."""
    query = understood(words)
    if query.is_wordless:
        return []
    found: list[Case] = []
    for states in (WAITING, OVER):
        posts = fulltext.newest(session, query, {}, _LOOKED_AT, states=states)
        theirs = select(Verdict.case_id).where(col(Verdict.mention_id).in_(posts))
        cases = select(Case).where(col(Case.id).in_(theirs), col(Case.state).in_(states))
        found += session.exec(cases.order_by(col(Case.id).desc()).limit(_FOUND))
    return found[:_FOUND]


def line(session: Session, case: Case, now: datetime) -> str:
    """A case in one line of Slack's markup."""
    mention, reading = foremost(posts_of(session, case))
    words = f"({mention.deleted_why})" if mention.deleted_at else _in_a_line(reading.redacted_text, LINE)
    # A stranger's words: escaped, so that nothing in them is markup that acts.
    return f"{in_short(case, now, bold='*')} · {escape(_in_a_line(place(case.source), _NAME))}\n{escape(words)}"


def in_short(case: Case, now: datetime, bold: str = "", about: str = "") -> str:
    """Its number, urgency, topics, clock and owner in one line of Slack's markup, without a word of its posts."""
    said = [NAMES[case.urgency], *([escape(about)] if about else []), escape(clock(case, now)), owner(case)]
    return f"{SIGNS[case.urgency]} {bold}case {case.id}{bold} · {' · '.join(said)}"


def about(session: Session, config: Config, case: Case) -> str:
    """Its topics and the site by their names, in plain words; "" where nothing is known, or its post is gone."""
    mention, reading = foremost(posts_of(session, case))
    if mention.deleted_at is not None:
        return ""
    topics = [title_of(topic, titles_of(config)) for topic in topics_of(session, case, reading)]
    named = ["; ".join(topics[:_TOPICS]), *([reading.site] if reading.site else [])]
    return _in_a_line(" · ".join(filter(None, named)), _WHY)


def clock(case: Case, now: datetime) -> str:
    """How its reply clock stands, in plain words."""
    if case.state not in WAITING:
        taken = f" in {in_words(case.answered_at - case.clock_from)}" if case.answered_at else ""
        return f"{'answered' if taken else case.state}{taken}"
    if case.snoozed_until is not None:
        return f"snoozed: {_in_a_line(case.snooze_why or '', _WHY)}"
    due = due_now(case, now)
    return f"{in_words(due - now)} left" if due > now else f"late by {in_words(now - due)}"


def table(session: Session, cases: Sequence[Case], now: datetime, zone: ZoneInfo) -> Table:
    """Cases for the terminal and a spreadsheet, without who wrote them."""
    rows = [
        (
            str(case.id),  # its name, no amount
            f"{SIGNS[case.urgency]} {NAMES[case.urgency]}",
            clock(case, now),
            f"{case.state} by {named(session, case.owner)}" if case.owner else case.state,
            f"{case.clock_from.astimezone(zone):%Y-%m-%d %H:%M}",
            place(case.source),
            case.channel,
        )
        for case in cases
    ]
    return Table("cases", ("Case", "Urgency", "Time left", "State", "Posted", "On", "Channel"), rows)


def owner(case: Case) -> str:
    """Who has it, in Slack's markup."""
    if case.owner is None:
        return "nobody has it"
    return in_slack(case.owner) if is_slack_id(case.owner) else escape(_in_a_line(case.owner, _NAME))


def _in_a_line(text: str, limit: int) -> str:
    return shorten(text, limit).replace("\n", " ")


def who_is_on(config: Config, now: datetime) -> str:
    """The shift that is there now and its people, and who is on call."""
    shifts: Sequence[str] = [
        f"*{escape(shift.name)}*{': ' + ' '.join(shift.people) if shift.people else ''}"
        for shift in on_shift(shifts_of(config), config.hospital.zone, now)
    ]
    slack = config.care.slack
    oncall = slack.oncall if slack.oncall.startswith("<") else f"everyone here ({slack.oncall.removeprefix('@')})"
    manager = f" · manager: {slack.manager}" if slack.manager else ""
    return f"{'; '.join(shifts) or 'Nobody: the team is not there now, danger pages all the same.'}\nOn call: {oncall}{manager}"
