"""Where we listened, what it cost, and when we were deaf."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime

from alerts.figures import Figures
from alerts.section import Cell, Dollars, Section, Table
from alerts.sections.volume import spread


def section(figures: Figures) -> Section:
    """By collector: posts, what is usual, billed reads, dollars; then gaps and alarms."""
    posts = Counter(heard.collector for heard in figures.heard)
    patients = Counter(heard.collector for heard in figures.patients)
    reads, cost = defaultdict[str, int](int), defaultdict[str, float](float)
    for spend in figures.spends:
        reads[spend.collector] += spend.reads
        cost[spend.collector] += spend.cost
    usual = _usual(figures)
    names = sorted({*figures.collectors, *posts, *reads}, key=lambda name: (-cost[name], -posts[name], name))
    rows: list[tuple[Cell, ...]] = [
        (name, posts[name], usual.get(name), reads[name], Dollars(cost[name]), _each(cost[name], patients[name]))
        for name in names
    ]
    total = sum(cost.values())
    if len(rows) > 1:
        # The middle of all is not the sum of the middles, so a sum of what is usual would not add up.
        sums = (posts.total(), None, sum(reads.values()), Dollars(total), _each(total, patients.total()))
        rows.append(("All", *sums))
    header = ("Collector", "Posts", "Usual", "Billed reads", "Cost", "Cost a patient's post")
    tables = [Table("collectors", header, rows)]
    wrong = _wrong(figures)
    if wrong:
        tables.append(Table("not_heard", ("What", "From", "How long", "Over"), wrong, "Gaps and alarms"))
    sentences = (*_hearing(figures, posts, usual), _spent(figures, total), _counted(figures))
    return Section("Where we listened", sentences, tuple(tables))


def _each(cost: float, patients: int) -> Dollars | None:
    return Dollars(cost / patients) if patients else None


def _usual(figures: Figures) -> dict[str, int]:
    """Posts of each collector in a usual week; none of a span that is no week, or with too few weeks before it."""
    weeks = [Counter(heard.collector for heard in week.heard) for week in figures.whole_weeks]
    names = {
        *figures.collectors,
        *(heard.collector for heard in figures.heard),
        *(name for week in weeks for name in week),
    }
    found = {name: spread([week[name] for week in weeks]) for name in names} if figures.span.kind == "week" else {}
    return {name: round(usual.middle) for name, usual in found.items() if usual}


def _hearing(figures: Figures, posts: Counter[str], usual: dict[str, int]) -> Iterable[str]:
    silent = sorted(name for name in figures.collectors if not posts[name])
    if not figures.collectors and not posts:
        yield "No collector is switched on."
    elif not silent:
        yield "Every collector heard something."
    for name in silent:
        yield f"{name} heard nothing" + (f", usually {usual[name]:,} a week." if usual.get(name) else ".")


def _spent(figures: Figures, total: float) -> str:
    before = sum(spend.cost for spend in figures.before.spends) if figures.before else 0.0
    if not total and not before:
        return "Listening and answering cost nothing."
    return f"Listening and answering cost {Dollars(total)}; {Dollars(before)} in {figures.compared_with}."


def _counted(figures: Figures) -> str:
    gaps, alarms = len(figures.gaps), len(figures.alarms)
    counts = ((gaps, "gap"), (alarms, "alarm"))
    said = " and ".join(f"{count:,} {name}{'' if count == 1 else 's'}" for count, name in counts if count)
    if not said:
        return "There was no gap and no alarm."
    on = sum(alarm.over_at is None for alarm in figures.alarms)
    still = f"; {on:,} {'is' if on == 1 else 'are'} not over" if on else ""
    return f"There {'was' if gaps + alarms == 1 else 'were'} {said}{still}."


def _wrong(figures: Figures) -> list[tuple[Cell, ...]]:
    """Gaps, then alarms, in the order of time."""
    gaps: list[tuple[Cell, ...]] = [
        (f"{gap.collector}: {gap.why}", _moment(gap.since, figures), gap.until - gap.since, "yes")
        for gap in figures.gaps
    ]
    alarms: list[tuple[Cell, ...]] = [
        (
            alarm.why,
            _moment(alarm.raised_at, figures),
            (alarm.over_at or figures.now) - alarm.raised_at,
            "yes" if alarm.over_at else "no",
        )
        for alarm in figures.alarms
    ]
    return gaps + alarms


def _moment(at: datetime, figures: Figures) -> str:
    local = at.astimezone(figures.zone)
    return f"{local:%a} {local.day} {local:%b} {local:%H:%M}"
