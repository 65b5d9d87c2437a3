"""How much was heard, by day and place, against what is usual."""

from collections import Counter
from datetime import date
from statistics import median

from alerts.charts import Columns, Series, Usual
from alerts.figures import Figures, Heard
from alerts.message import place
from alerts.section import Section, Table
from alerts.sections.mood import part, part_name


def section(figures: Figures) -> Section:
    """Posts by day and place, of a quarter by week, with totals; the weeks before in words and behind the bars."""
    counts = Counter((part(_day(heard, figures), figures.span), heard.source) for heard in figures.heard)
    by_source = Counter(heard.source for heard in figures.heard)
    sources = sorted(by_source, key=lambda source: (-by_source[source], source))  # the largest first
    days = list(dict.fromkeys(part(day, figures.span) for day in figures.span.days))
    rows: list[tuple[str | int, ...]] = [
        (
            f"{day:%a} {day.day} {day:%b}",
            *(counts[day, source] for source in sources),
            sum(counts[day, s] for s in sources),
        )
        for day in days
    ]
    rows.append(("All", *(sum(counts[day, source] for day in days) for source in sources), len(figures.heard)))
    header = (part_name(figures.span), *map(place, sources), "All")
    chart = Columns(
        _alt(figures, rows),
        [str(row[0]) for row in rows[:-1]],
        [Series(place(source), [counts[day, source] for day in days]) for source in sources],
        "posts",
        _usual(figures, days) if days == figures.span.days else (),
    )
    return Section("What was heard", _sentences(figures), (Table("volume_by_day", header, rows, chart=chart),))


def usual_total(figures: Figures) -> Usual | None:
    """Posts in the weeks before; None while there are fewer than three to tell from."""
    return spread([len(week.heard) for week in figures.whole_weeks])


def spread(counts: list[int]) -> Usual | None:
    """The least, the middle and the most of some weeks; None of fewer than three."""
    return Usual(min(counts), median(counts), max(counts)) if len(counts) >= 3 else None


def _sentences(figures: Figures) -> tuple[str, ...]:
    count = len(figures.heard)
    heard = f"{count:,} {'post' if count == 1 else 'posts'}"
    if not figures.is_over:
        return (f"{heard} so far: the {figures.called} {'are' if len(figures.called.split()) > 1 else 'is'} not over.",)
    before = figures.before.heard if figures.before else ()
    known = before or (figures.before and (figures.weeks or figures.against))  # else nobody listened then
    compared = f"{len(before):,} in {figures.compared_with}" if known else ""
    usual = usual_total(figures)
    if usual is None or figures.span.kind != "week":
        return (f"{heard}; {compared or 'nothing to compare with'}.",)
    where = "fewer than usual" if count < usual.low else "more than usual" if count > usual.high else "as usual"
    weeks = f"{usual.low:,.0f} to {usual.high:,.0f} in the {len(figures.whole_weeks)} weeks before"
    return (f"{heard}, {where} ({weeks}, {usual.middle:,.0f} in the middle); {compared}.",)


def _usual(figures: Figures, days: list[date]) -> list[Usual | None]:
    """Of each day what the same days of the weeks before had."""
    weeks = figures.whole_weeks
    by_week = [Counter(_day(heard, figures) for heard in week.heard) for week in weeks]
    by_weekday = [
        spread([count[day] for week, count in zip(weeks, by_week, strict=True) for day in week.span.days if day.weekday() == weekday])
        for weekday in range(7)
    ]  # fmt: skip
    return [by_weekday[day.weekday()] for day in days]


def _day(heard: Heard, figures: Figures) -> date:
    return heard.heard_at.astimezone(figures.zone).date()


def _alt(figures: Figures, rows: list[tuple[str | int, ...]]) -> str:
    busiest = max(rows[:-1], key=lambda row: row[-1])
    by, on = ("day", "on") if part_name(figures.span) == "Day" else ("week", "in the week from")
    return f"Posts by {by} and place: {len(figures.heard):,} in all, the most {on} {busiest[0]} ({busiest[-1]:,})."
