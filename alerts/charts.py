"""Charts: numbers to look at. A chart is data; alerts/drawing.py draws it.

Colours are told apart by people who see none: each also differs in how light it is, or is written beside its bar.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Usual:
    """What a number is as a rule: the least, the middle and the most of the weeks before."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Series:
    """Numbers of one kind, one for each label. `tone` gives a colour with a meaning: "good", "bad", "plain"; "" any."""

    name: str
    values: Sequence[float]
    tone: str = ""


@dataclass(frozen=True)
class Columns:
    """Upright bars by day or hour, the series on top of each other; behind them what is usual of their sum.

    `whole`: as shares of 100%, with the sum above; what is usual is not shown then. Values are 0 or more.
    """

    alt: str  # what it shows, in a sentence, for those who cannot see it
    labels: Sequence[str]
    series: Sequence[Series]
    unit: str  # "posts"
    usual: Sequence[Usual | None] = ()
    whole: bool = False


@dataclass(frozen=True)
class Bars:
    """Lying bars, the longest names fit; beside each what is usual. Values are 0 or more; the unit "%" stands at each."""

    alt: str
    labels: Sequence[str]
    values: Sequence[float]
    unit: str
    usual: Sequence[Usual | None] = ()


@dataclass(frozen=True)
class Heat:
    """A field of numbers, the darker the more; each cell shows its number where there is room."""

    alt: str
    across: Sequence[str]
    down: Sequence[str]
    values: Sequence[Sequence[float]]  # [down][across], 0 or more
    unit: str


Chart = Columns | Bars | Heat
