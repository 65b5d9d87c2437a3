"""What complaints and praise were about, and what of it changed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from alerts.chance import Chance, judged, swaying
from alerts.charts import Bars, Usual
from alerts.figures import Figures
from alerts.section import Cell, Section, Table

_NAMED = 3  # changes of a kind that the sentence tells
_CHARTED = 10
_CHANGED: tuple[Chance, ...] = ("more than chance", "less than chance")


@dataclass(frozen=True)
class Topic:
    """A row: complaints of the span, beside those of the weeks, or of the one span, before."""

    name: str
    title: str
    count: int
    usual: Usual | None
    chance: Chance
    praise: int
    owner: str

    @property
    def change(self) -> float | None:
        return _whole(self.count - self.usual.middle) if self.usual else None


def section(figures: Figures) -> Section:
    """Complaints by topic beside what is usual, and in plain words whether the difference is more than chance."""
    topics, weekly = topics_of(figures), by_weeks(figures)
    header = ("Topic", "Complaints", *_columns(figures), "Praise", "Owner")
    rows = [
        (topic.title, topic.count, *_comparison(topic, weekly)[: len(header) - 4], topic.praise, topic.owner)
        for topic in topics
    ]
    sentences = (_changes(topics, weekly), "A post that speaks of several topics counts in each.")
    return Section("What it was about", sentences, (Table("topics", header, rows, chart=_chart(topics)),))


def topics_of(figures: Figures) -> list[Topic]:
    """The most complained about first, posts that name none last."""
    complaints, praise = _said(figures, "complaint"), _said(figures, "praise")
    compared = _compared(figures)
    before = [_said(one, "complaint") for one in compared]
    # "" is last: posts without a topic are there so that every post can be found again in the table.
    names = sorted({*complaints, *praise, *set().union(*before)}, key=lambda name: (not name, -complaints[name], name))
    counts = [[count[name] for count in before] for name in names]
    weeks = [_said(week, "complaint") for week in figures.whole_weeks]
    chances = judged(
        [(complaints[name], earlier) for name, earlier in zip(names, counts, strict=True)],
        swaying([[week[name] for week in weeks] for name in names]),
        len(figures.span.days) / 7,
        len(compared[0].span.days) / 7 if compared else 1.0,
    )
    return [
        Topic(
            name,
            figures.title(name),
            complaints[name],
            _usual(earlier),
            chance,
            praise[name],
            figures.owners.get(name, ""),
        )
        for name, earlier, chance in zip(names, counts, chances, strict=True)
    ]


def _said(figures: Figures, kind: str) -> Counter[str]:
    said = [heard for heard in figures.patients if heard.kind == kind]
    return Counter(name for heard in said for name in heard.categories or [""])


def by_weeks(figures: Figures) -> bool:
    """Whether it is a week beside those before it, and no span beside another one that was chosen."""
    chosen = figures.before is not None and figures.before.span != figures.span.before
    return figures.span.kind == "week" and not chosen


def _compared(figures: Figures) -> Sequence[Figures]:
    if by_weeks(figures):
        return figures.whole_weeks
    return [figures.before] if figures.is_over and figures.before and figures.before.is_whole else []


def _usual(counts: Sequence[int]) -> Usual | None:
    return Usual(min(counts), median(counts), max(counts)) if counts else None


def _columns(figures: Figures) -> tuple[str, ...]:
    """What a comparison tells; nothing where there is nothing to compare with."""
    if not _compared(figures):
        return ()
    return (*(("Usual", "Range") if by_weeks(figures) else ("Before",)), "Change", "Chance")


def _comparison(topic: Topic, weekly: bool) -> tuple[Cell, ...]:
    usual = topic.usual
    low_to_high = f"{usual.low:,.0f}–{usual.high:,.0f}" if usual else None
    middle = _whole(usual.middle) if usual else None
    return (middle, *([low_to_high] if weekly else []), topic.change, topic.chance)


def _whole(number: float) -> float:
    """Without ".0"."""
    return int(number) if number == int(number) else number


def _changes(topics: Sequence[Topic], weekly: bool) -> str:
    sentences = []
    for chance in _CHANGED:
        changed = [topic for topic in topics if topic.chance == chance]
        changed.sort(key=lambda topic: -abs(topic.change or 0))
        named = [_named(topic, weekly) for topic in changed[:_NAMED]]
        named += [f"{len(changed) - _NAMED} more in the table"] if len(changed) > _NAMED else []
        sentences += [f"{chance.capitalize()}: {'; '.join(named)}."] if named else []
    if sentences:
        return " ".join(sentences)
    if not any(topic.usual for topic in topics):
        return "There is nothing before to compare with yet."
    return "No topic changed by more than chance explains."


def _named(topic: Topic, weekly: bool) -> str:
    return f"{topic.title} ({topic.count:,}, {beside(topic, weekly)})"


def beside(topic: Topic, weekly: bool) -> str:
    """What there was before: "usually 2.5", "before 10"."""
    return f"{'usually' if weekly else 'before'} {_whole(topic.usual.middle) if topic.usual else 0:,}"


def _chart(topics: Sequence[Topic]) -> Bars | None:
    """The topics with the most complaints, and those that changed."""
    known = [topic for topic in topics if topic.count or (topic.usual and topic.usual.high)]
    shown = [topic for rank, topic in enumerate(known) if rank < _CHARTED or topic.chance in _CHANGED]
    if not shown:
        return None
    most = max(shown, key=lambda topic: topic.count)
    return Bars(
        f"Complaints by topic, beside what is usual: the most about {most.title} ({most.count:,}).",
        [topic.title for topic in shown],
        [topic.count for topic in shown],
        "complaints",
        [topic.usual for topic in shown],
    )
