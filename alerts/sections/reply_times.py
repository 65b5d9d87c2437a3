"""How fast the hospital answered in public, and what it never answered."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from alerts.case import RANK, Case
from alerts.charts import Columns, Series
from alerts.clockface import due_now
from alerts.figures import FEW, Figures
from alerts.message import NAMES, place
from alerts.section import Cell, Section, Share, Table

ANSWERED, WAITING, CLOSED, NEEDED_NONE = (
    "Answered",
    "Still waiting",
    "Closed without an answer",
    "Needed no answer",
)
NO_ANSWER = "no_answer"  # the outcome of a case that is closed and needed no answer
_URGENCIES = ("danger", "here_now", "serious", "routine")
_BAND = 3  # hours
SOUTHWEST = timedelta(minutes=15)  # what Southwest Airlines aims at
_LISTED = 10  # cases


def section(figures: Figures) -> Section:
    """By urgency, by hour of the post, and the list of what was never answered."""
    cases = figures.cases
    by_urgency = [_of_urgency(urgency, figures) for urgency in _URGENCIES]
    header = ("Urgency", "Target", "Cases", "Answered", "Median", "9 in 10 within", "In time")
    tables = [Table("reply_times", header, by_urgency)]
    if cases:
        ends = [ending(case) for case in cases]
        states = [(name, ends.count(name)) for name in (ANSWERED, WAITING, CLOSED, NEEDED_NONE)]
        tables += [
            _by_hour(figures),
            Table("case_ends", ("Ending", "Cases"), [*states, ("All", len(cases))], "What became of them"),
        ]
    if missed := [case for case in cases if ending(case) in (WAITING, CLOSED)]:
        tables.append(_never_answered(figures, missed))
    return Section("How fast we answered", tuple(_sentences(figures)), tuple(tables))


def ending(case: Case) -> str:
    """What became of a case, as far as a public answer goes: one of the four."""
    if case.answered_at:
        return ANSWERED
    if case.state == "dismissed" or case.outcome == NO_ANSWER:
        return NEEDED_NONE
    return CLOSED if case.state == "closed" else WAITING


def needing(cases: Iterable[Case]) -> list[Case]:
    """Those that needed an answer."""
    return [case for case in cases if ending(case) != NEEDED_NONE]


def taken(cases: Iterable[Case]) -> list[timedelta]:
    """How long each answer took, from the author's post to the public reply, the fastest first."""
    return sorted(case.answered_at - case.clock_from for case in cases if case.answered_at)


def median(spans: Sequence[timedelta]) -> timedelta:
    """The middle one; of an even number the mean of the two in the middle."""
    ordered = sorted(spans)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def nine_in_ten(spans: Sequence[timedelta]) -> timedelta:
    """The 90th percentile by nearest rank: the smallest of them that nine in ten do not exceed."""
    return sorted(spans)[-(-9 * len(spans) // 10) - 1]


def in_time(cases: Iterable[Case], now: datetime) -> Share:
    """How many were answered by when they were due, of those that were answered, closed, or are late by now."""
    counted = [case for case in needing(cases) if ending(case) != WAITING or due_now(case, now) < now]
    return Share(sum(bool(case.answered_at and case.answered_at <= case.due_at) for case in counted), len(counted))


def _sentences(figures: Figures) -> Iterable[str]:
    needed = needing(figures.cases)
    if needed:
        quick = Share(sum(span <= SOUTHWEST for span in taken(needed)), len(needed))
        cases = "case" if quick.of == 1 else "cases"
        yield (
            f"Of {quick.of:,} {cases} that needed an answer, {quick.part:,} ({quick}) had one within 15 minutes, "
            "the time that Southwest Airlines aims at."
        )
    else:
        yield "No case needed an answer. Southwest Airlines aims at 15 minutes."
    yield (
        "Times run from the author's post to the hospital's public reply, day and night. In time is what was answered by "
        "its target, whose clock stands still while a case is snoozed and, but for danger, while the team is not there."
    )


def _of_urgency(urgency: str, figures: Figures) -> tuple[Cell, ...]:
    like = ("routine", "low", "none") if urgency == "routine" else (urgency,)
    cases = [case for case in figures.cases if case.urgency in like]
    spans = taken(cases)
    middle, most = (median(spans), nine_in_ten(spans)) if spans else (None, None)
    counts = (len(cases), len(spans))
    return NAMES[urgency].capitalize(), figures.targets[urgency], *counts, middle, most, in_time(cases, figures.now)


def _by_hour(figures: Figures) -> Table:
    by_band: defaultdict[int, list[Case]] = defaultdict(list)
    for case in figures.cases:
        by_band[case.clock_from.astimezone(figures.zone).hour // _BAND].append(case)
    rows: list[tuple[Cell, ...]] = []
    shares = []
    for band in range(24 // _BAND):
        cases = by_band[band]
        spans, share = taken(cases), in_time(cases, figures.now)
        middle = median(spans) if spans else None
        late = share.of - share.part
        rows.append((f"{band * _BAND}–{(band + 1) * _BAND}", len(cases), len(spans), middle, share.part, late, share))
        shares.append(share)
    labels = [str(row[0]) for row in rows]
    made, missed = [share.part for share in shares], [share.of - share.part for share in shares]
    worst = max(range(len(rows)), key=lambda band: missed[band])
    alt = f"Cases by the hour of the post: {sum(made):,} answered in time, {sum(missed):,} not"
    alt += f", the most of these at {labels[worst]} h ({missed[worst]:,})." if missed[worst] else "."
    chart = Columns(alt, labels, [Series("In time", made, "good"), Series("Not in time", missed, "bad")], "cases")
    header = ("Hour", "Cases", "Answered", "Median", "In time", "Not in time", "Share in time")
    return Table("reply_times_by_hour", header, rows, "By the hour of the post", chart)


def _never_answered(figures: Figures, missed: list[Case]) -> Table:
    """The worst first, then what waits or waited longest."""
    topics = {heard.mention_id: heard.categories for heard in figures.heard}
    is_rare = sum(case.urgency == "danger" for case in figures.cases) < FEW  # a topic might tell who it was
    rows: list[tuple[Cell, ...]] = []
    for case in sorted(missed, key=lambda case: (RANK[case.urgency], case.clock_from, case.id or 0))[:_LISTED]:
        names = case.topics if case.topics is not None else topics.get(case.mention_id, ())
        about = ", ".join(map(figures.title, names)) or figures.title("")
        where = (None, None) if case.urgency == "danger" and is_rare else (about, place(case.source))
        state = "closed" if ending(case) == CLOSED else "waiting"
        waited = (case.closed_at or figures.now) - case.clock_from
        rows.append((str(case.id), NAMES[case.urgency].capitalize(), *where, state, waited))
    title = f"Not answered ({len(missed):,})"
    if len(missed) > _LISTED:
        title = f"Not answered: {_LISTED} of {len(missed):,}, the most urgent first"
    return Table("never_answered", ("Case", "Urgency", "About", "Posted on", "State", "After"), rows, title)
