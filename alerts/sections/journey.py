"""From door to discharge: where on the way complaints arise."""

from collections import Counter
from collections.abc import Sequence

from alerts.charts import Heat
from alerts.figures import Figures, Heard
from alerts.section import Cell, Section, Table
from nlp.labelled import STAGES

_MOST = 15  # topics with a row of their own
_NOT_SAID = "not said"
_STAGES = (*STAGES, _NOT_SAID)


def section(figures: Figures) -> Section:
    """Complaints by topic and stage of the visit; a post that speaks of several topics counts in each."""
    cells = Counter((name, _stage(heard)) for heard in figures.complaints for name in heard.categories or [""])
    topics = Counter[str]()
    for (name, _), count in cells.items():
        topics[name] += count
    names = sorted(topics, key=lambda name: (not name, -topics[name], name))
    rows = [_row(figures.title(name), [name], cells) for name in names[:_MOST]]
    if others := names[_MOST:]:
        rows.append(_row("Other topics", others, cells))
    stages = [stage.capitalize() for stage in _STAGES]
    alt = "Complaints by topic, downwards, and stage of the visit, across."
    heat = Heat(alt, stages, [str(row[0]) for row in rows], [_counts(row) for row in rows], "complaints")
    table = Table("journey", ("Topic", *stages, "All"), rows, chart=heat if rows else None)
    return Section("From door to discharge", _sentences(figures, names, cells), (table,))


def _stage(heard: Heard) -> str:
    return heard.stage if heard.stage in STAGES else _NOT_SAID


def _row(title: str, names: Sequence[str], cells: Counter[tuple[str, str]]) -> tuple[Cell, ...]:
    counts = [sum(cells[name, stage] for name in names) for stage in _STAGES]
    return title, *counts, sum(counts)


def _counts(row: Sequence[Cell]) -> list[float]:
    return [float(cell) for cell in row[1:-1] if isinstance(cell, int)]


def _sentences(figures: Figures, names: Sequence[str], cells: Counter[tuple[str, str]]) -> tuple[str, ...]:
    complaints = figures.complaints
    if not complaints:
        return ("There were no complaints.",)
    spots = [(name, stage) for name in names if name for stage in STAGES]
    name, stage = max(spots, key=lambda spot: cells[spot], default=("", ""))
    hottest = "At no stage was a topic complained about twice."
    if cells[name, stage] > 1:
        hottest = f"Most often: {figures.title(name)} at the stage “{stage}”, {cells[name, stage]:,} complaints."
    silent = sum(heard.stage not in STAGES for heard in complaints)
    of_all = f"{silent:,} of {len(complaints):,} {'complaint' if len(complaints) == 1 else 'complaints'}"
    return hottest, f"{of_all} {'does' if silent == 1 else 'do'} not say at which stage of the visit."
