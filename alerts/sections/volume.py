"""How much was heard, by day and place."""

from collections import Counter
from datetime import timedelta

from alerts.figures import Figures
from alerts.message import PLACES
from alerts.report import Section


def section(figures: Figures) -> Section:
    """Posts by day and place, with totals; the week before in words."""
    counts = Counter((heard.heard_at.astimezone(figures.zone).date(), heard.source) for heard in figures.heard)
    sources = sorted({source for _, source in counts})
    first, last = (
        figures.since.astimezone(figures.zone).date(),
        (figures.until - timedelta(seconds=1)).astimezone(figures.zone).date(),
    )
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    rows = [
        (
            day.strftime("%a %d %b"),
            *(counts[day, source] for source in sources),
            sum(counts[day, source] for source in sources),
        )
        for day in days
    ]
    rows.append(("All", *(sum(counts[day, source] for day in days) for source in sources), len(figures.heard)))
    before = len(figures.before.heard) if figures.before else 0
    heard = f"{len(figures.heard):,} {'post' if len(figures.heard) == 1 else 'posts'}"
    compared = f"{before:,} in the {len(days)} days before" if before else "nothing to compare with before"
    sentence = f"{heard}; {compared}."
    return Section(
        "What was heard", (sentence,), ("Day", *(PLACES.get(source, source) for source in sources), "All"), rows
    )
