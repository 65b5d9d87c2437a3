"""Section and Table: what one part of a report says, whoever shows it: the page, Slack, a spreadsheet. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from alerts.charts import Chart
from alerts.clockface import in_words


@dataclass(frozen=True)
class Share:
    """So many of so many: "33%"."""

    part: int
    of: int

    def __str__(self) -> str:
        return f"{self.part / self.of:.0%}" if self.of else "–"


class Dollars(float):
    """An amount of US dollars: "$1,204.50". Elsewhere a number."""

    def __str__(self) -> str:
        return f"${float(self):,.2f}"


Cell = str | int | float | Share | timedelta | None


@dataclass(frozen=True)
class Table:
    """Rows under a header. Its name is that of its file and its sheet in an export, and is unique in a report."""

    name: str
    header: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    title: str = ""  # where a section has several
    chart: Chart | None = None  # the same numbers, to look at


@dataclass(frozen=True)
class Section:
    """One part of a report: sentences, then tables."""

    title: str
    sentences: tuple[str, ...]
    tables: tuple[Table, ...] = ()


def shown(cell: Cell) -> str:
    """A cell as people read it: "1,204", "33%", "$0.60", "6 min", "–" for what there is not."""
    if cell is None:
        return "–"
    if isinstance(cell, timedelta):
        return in_words(cell)
    if isinstance(cell, float) and not isinstance(cell, Dollars):
        return f"{cell:,.1f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def is_number(cell: Cell) -> bool:
    """Whether it stands to the right in its column."""
    return cell is None or isinstance(cell, int | float | Share | timedelta)
