"""Every post reviewed: the sum that must add up."""

from collections.abc import Iterable

from alerts.figures import Figures
from alerts.ledger import Ledger, ledger
from alerts.section import Section, Table


def section(figures: Figures) -> Section:
    """Collected = alerted + in digest + dismissed with a reason."""
    sum_ = ledger(figures.heard, figures.now)
    unheard = (f"Not heard: {gap.collector}, {gap.why}." for gap in figures.gaps)
    return Section("Every post reviewed", (*_sentences(sum_), *unheard), (table(sum_),))


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


def _sentences(sum_: Ledger) -> Iterable[str]:
    yield "It adds up." if sum_.adds_up else "It does NOT add up: run call-light doctor."
    if not sum_.collected:
        return
    reviewed = sum_.alerted + sum_.in_digest + sum_.dismissed
    of = f"{reviewed:,} of {sum_.collected:,} {'post was' if sum_.collected == 1 else 'posts were'} reviewed"
    share = f"{100 * reviewed // sum_.collected}%"  # never 100% while one is missing
    left = f"{sum_.dismissed:,} {'was' if sum_.dismissed == 1 else 'were'} left out for a reason"
    yield f"{of} ({share}): {sum_.alerted:,} went to people as a card, {sum_.in_digest:,} in a digest, {left}."
