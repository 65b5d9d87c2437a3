"""Every post reviewed: the sum that must add up."""

from alerts.figures import Figures
from alerts.ledger import Ledger, ledger
from alerts.section import Section, Table


def section(figures: Figures) -> Section:
    """Collected = alerted + in digest + dismissed with a reason."""
    sum_ = ledger(figures.heard, figures.now)
    unheard = tuple(f"Not heard: {gap.collector}, {gap.why}." for gap in figures.gaps)
    sentence = "It adds up." if sum_.adds_up else "It does NOT add up: run call-light doctor."
    return Section("Every post reviewed", (sentence, *unheard), (table(sum_),))


def table(sum_: Ledger) -> Table:
    """The sum, then what the dismissed ones were dismissed for."""
    rows: list[tuple[str, int]] = [
        ("Collected", sum_.collected),
        ("Alerted", sum_.alerted),
        ("In a digest", sum_.in_digest),
        ("Dismissed with a reason", sum_.dismissed),
    ]
    rows += [("On the way", sum_.on_the_way)] if sum_.on_the_way else []
    rows += [(f"STUCK: {where}", count) for where, count in sum_.stuck.items()]
    rows += [(f"  dismissed: {reason}", count) for reason, count in sum_.reasons.items()]
    return Table("ledger", ("", "Posts"), rows)
