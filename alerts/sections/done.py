"""You said, we did: what became of the cases that were closed."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from alerts.figures import FEW, Ended, Figures
from alerts.section import Cell, Section, Table
from alerts.sections.places import places_of
from alerts.sections.reply_times import NO_ANSWER, median

_TOLD = 5  # topics in sentences


def section(figures: Figures) -> Section:
    """By topic and outcome: how many cases, how long they took, and where."""
    deeds = [ended for ended in figures.ended if ended.case.outcome != NO_ANSWER]
    by_topic: defaultdict[str, list[Ended]] = defaultdict(list)
    for ended in deeds:
        for topic in ended.topics or ("",):
            by_topic[topic].append(ended)
    topics = sorted(by_topic, key=lambda topic: (-len(by_topic[topic]), not topic, topic))
    rows = [row for topic in topics for row in _rows(topic, by_topic[topic], figures)]
    told = [_told(topic, by_topic[topic], figures) for topic in topics[:_TOLD]]
    header = ("You said", "We did", "Cases", "Median time", "Where")
    sentences = (_closed(len(figures.ended), len(deeds), sum(map(len, by_topic.values()))), *told)
    return Section("You said, we did", sentences, (Table("done", header, rows),) if rows else ())


def _closed(closed: int, done: int, counted: int) -> str:
    if not closed:
        return "No case was closed."
    none = closed - done
    rest = f", {none:,} needed no answer" if none else ""
    twice = " A case about several topics counts in each." if counted > done else ""
    return f"{closed:,} {'case was' if closed == 1 else 'cases were'} closed: for {done:,} something was done{rest}.{twice}"


def _told(topic: str, ended: Sequence[Ended], figures: Figures) -> str:
    deeds = ", ".join(f"{_title(outcome, figures)} {count:,}" for outcome, count in _outcomes(ended))
    return f"You said: {figures.title(topic)} ({len(ended):,}). We did: {deeds}."


def _rows(topic: str, ended: Sequence[Ended], figures: Figures) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for outcome, count in _outcomes(ended):
        of_it = [one for one in ended if one.case.outcome == outcome]
        spans = [one.case.closed_at - one.case.clock_from for one in of_it if one.case.closed_at]
        middle = median(spans) if spans else None
        rows.append((figures.title(topic), _title(outcome, figures), count, middle, _where(of_it)))
    return rows


def _outcomes(ended: Sequence[Ended]) -> list[tuple[str, int]]:
    """The most frequent first."""
    counts = Counter(one.case.outcome or "" for one in ended)
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def _where(ended: Sequence[Ended]) -> str:
    """Places of enough cases that nobody is known by them."""
    posts = Counter(name for one in ended for name in places_of(one.departments, one.site))
    names = sorted(posts.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{name} {count:,}" for name, count in names if count >= FEW)


def _title(outcome: str, figures: Figures) -> str:
    return figures.outcomes.get(outcome) or outcome.replace("_", " ").capitalize() or "Closed"
