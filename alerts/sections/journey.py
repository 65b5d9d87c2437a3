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
    names = sorted(filter(None, topics), key=lambda name: (-topics[name], name))
    rows = [_row(figures.title(name), [name], cells) for name in names[:_MOST]]
    rows += [_row("Other topics", names[_MOST:], cells)] if names[_MOST:] else []
    rows += [_row(figures.title(""), [""], cells)] if topics[""] else []  # so that every complaint can be found again
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
    spots = [(name, stage) for name in names for stage in STAGES]
    name, stage = max(spots, key=lambda spot: cells[spot], default=("", ""))
    hottest = "At no stage was a topic complained about twice."
    if cells[name, stage] > 1:
        hottest = f"Most often it was {figures.title(name)} at the stage “{stage}”: {cells[name, stage]:,} complaints."
    return hottest, _silent(sum(heard.stage not in STAGES for heard in complaints), len(complaints))


def _silent(silent: int, complaints: int) -> str:
    if silent in (0, complaints):
        return f"{'No' if silent else 'Every'} complaint says at which stage of the visit it was."
    does = "does" if silent == 1 else "do"
    return f"{silent:,} of {complaints:,} complaints {does} not say at which stage of the visit it was."
