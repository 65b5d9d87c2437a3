"""Every post reviewed: the sum that must add up."""

from collections.abc import Iterable

from alerts.figures import Figures
from alerts.ledger import Ledger, ledger
from alerts.section import Section, Share, Table


def section(figures: Figures) -> Section:
    """Collected = alerted + in digest + dismissed with a reason."""
    sum_ = ledger(figures.heard, figures.now)
    rows: list[tuple[str, int]] = [
        ("Collected", sum_.collected),
        ("Alerted", sum_.alerted),
        ("In a digest", sum_.in_digest),
        ("Dismissed with a reason", sum_.dismissed),
    ]
    rows += [("On the way", sum_.on_the_way)] if sum_.on_the_way else []
    rows += [(f"STUCK: {where}", count) for where, count in sum_.stuck.items()]
    rows += [(f"  dismissed: {reason}", count) for reason, count in sum_.reasons.items()]
    unheard = (f"Not heard: {gap.collector}, {gap.why}." for gap in figures.gaps)
    return Section("Every post reviewed", (*_sentences(sum_), *unheard), (Table("ledger", ("", "Posts"), rows),))


def _sentences(sum_: Ledger) -> Iterable[str]:
    yield "It adds up." if sum_.adds_up else "It does NOT add up: run call-light doctor."
    if not sum_.collected:
        return
    reviewed = Share(sum_.alerted + sum_.in_digest + sum_.dismissed, sum_.collected)
    posts = "post was" if reviewed.of == 1 else "posts were"
    yield (
        f"{reviewed.part:,} of {reviewed.of:,} {posts} reviewed ({reviewed}): {sum_.alerted:,} went to people as a card, "
        f"{sum_.in_digest:,} in a digest, {sum_.dismissed:,} {'was' if sum_.dismissed == 1 else 'were'} left out for a reason."
    )
