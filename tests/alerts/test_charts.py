"""Charts are data; a page and Slack show them."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from conftest import PROJECT

from alerts.charts import Bars, Chart, Columns, Heat, Series
from alerts.drawing import NARROW, WIDE, png, svg

DAYS = ["Mon 9 Nov", "Tue 10 Nov"]
CHARTS = [
    Columns("Posts by day.", DAYS, [Series("X", [1, 2])], "posts"),
    Bars("Posts by topic.", ["Waiting"], [3], "posts"),
    Heat("Posts by hour.", ["00", "01"], DAYS, [[0, 1], [2, 3]], "posts"),
]


def test_a_chart_is_data() -> None:
    chart = Columns("Posts by day.", ["Mon"], [Series("X", [1])], "posts")
    assert (chart.whole, chart.usual) == (False, ())


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_on_a_page(chart: Chart, width: int) -> None:
    root = ET.fromstring(svg(chart, width))
    assert (root.get("width"), root.get("aria-label")) == (str(width), chart.alt)


@pytest.mark.parametrize("chart", CHARTS)
def test_in_slack(chart: Chart) -> None:
    assert png(chart)[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(png(chart)[16:20]) == 1200
    assert int.from_bytes(png(chart, 600)[16:20]) == 600


def test_a_home_that_cannot_be_written_to(tmp_path: Path) -> None:
    """The service may run without one: nothing is said, and nothing lies about afterwards."""
    (tmp_path / "home").touch()  # no folder can be made within it, whoever asks
    (tmp_path / "tmp").mkdir()
    home = str(tmp_path / "home")
    said = subprocess.run(
        [sys.executable, "-c", "from alerts.charts import Bars; from alerts.drawing import png; print(len(png(Bars('', ['a'], [1], ''))) > 1000)"],
        env={"PATH": os.environ["PATH"], "HOME": home, "TMPDIR": str(tmp_path / "tmp"), "PYTHONPATH": str(PROJECT)},
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert (said.stdout, said.stderr) == ("True\n", "")
    assert not list((tmp_path / "tmp").iterdir())


def test_nothing_heavy_is_loaded_before_a_chart_is_drawn() -> None:
    code = "import sys, alerts.report, alerts.drawing; sys.exit(any(name.startswith('matplotlib') for name in sys.modules))"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, timeout=60)
