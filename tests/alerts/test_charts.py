"""Charts are data; drawing them is tested by looking at what is drawn."""

from alerts.charts import Columns, Series


def test_a_chart_is_data() -> None:
    chart = Columns("Posts by day.", ["Mon"], [Series("X", [1])], "posts")
    assert (chart.whole, chart.usual) == (False, ())
