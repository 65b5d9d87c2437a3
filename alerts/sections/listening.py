"""Where we listened, what it cost, and when we were deaf."""

from collections import Counter, defaultdict

from alerts.clockface import in_words
from alerts.figures import Figures
from alerts.section import Section, Table
from listener.watch import Alarm


def section(figures: Figures) -> Section:
    """By collector: posts, billed reads, dollars; a sentence for each thing that was wrong."""
    posts = Counter(heard.collector for heard in figures.heard)
    reads, cost = defaultdict[str, int](int), defaultdict[str, float](float)
    for spend in figures.spends:
        reads[spend.collector] += spend.reads
        cost[spend.collector] += spend.cost
    names = sorted(set(posts) | set(reads), key=lambda name: (-cost[name], -posts[name], name))
    rows: list[tuple[str | int, ...]] = [(name, posts[name], reads[name], _dollars(cost[name])) for name in names]
    total, before = sum(cost.values()), sum(spend.cost for spend in figures.before.spends) if figures.before else 0.0
    if len(rows) > 1:
        rows.append(("All", posts.total(), sum(reads.values()), _dollars(total)))
    spent = f"Listening and answering cost {_dollars(total)}; {_dollars(before)} in {figures.compared_with}."
    sentences = [spent if total or before else "Listening and answering cost nothing."]
    sentences += [f"{alarm.why} ({_how_long(figures, alarm)})." for alarm in figures.alarms]
    return Section(
        "Where we listened",
        tuple(sentences),
        (Table("collectors", ("Collector", "Posts", "Billed reads", "Cost"), rows),),
    )


def _dollars(amount: float) -> str:
    return f"${amount:,.2f}"


def _how_long(figures: Figures, alarm: Alarm) -> str:
    span = in_words((alarm.over_at or figures.now) - alarm.raised_at)
    return f"over after {span}" if alarm.over_at else f"for {span} now"
