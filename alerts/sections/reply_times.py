"""How fast the hospital answered in public."""

from collections.abc import Sequence
from datetime import timedelta

from alerts.figures import Figures
from alerts.message import NAMES
from alerts.section import Section, Share, Table


def section(figures: Figures) -> Section:
    """By urgency: cases, answered, median, slowest, share within target."""
    rows = []
    for urgency in ("danger", "here_now", "serious", "routine"):
        cases = [
            case
            for case in figures.cases
            if case.urgency == urgency or (urgency == "routine" and case.urgency in ("low", "none"))
        ]
        taken = sorted(case.answered_at - case.clock_from for case in cases if case.answered_at)
        in_time = sum(bool(case.answered_at and case.answered_at <= case.due_at) for case in cases)
        rows.append(
            (
                NAMES[urgency].capitalize(),
                figures.targets[urgency],
                len(cases),
                len(taken),
                median(taken) if taken else None,
                taken[-1] if taken else None,
                Share(in_time, len(cases)),
            )
        )
    sentence = (
        "The clock runs from the author's post to the hospital's public reply. Southwest Airlines aims at 15 minutes."
    )
    return Section(
        "How fast we answered",
        (sentence,),
        (Table("reply_times", ("Urgency", "Target", "Cases", "Answered", "Median", "Slowest", "In time"), rows),),
    )


def median(spans: Sequence[timedelta]) -> timedelta:
    """The middle one; of an even number the mean of the two in the middle."""
    ordered = sorted(spans)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
