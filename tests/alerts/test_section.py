"""Cells of a table, as people read them."""

from datetime import timedelta

import pytest

from alerts.section import Cell, Dollars, Share, is_number, shown


@pytest.mark.parametrize(
    ("cell", "words", "right"),
    [
        ("Mon 9 Nov", "Mon 9 Nov", False),
        ("", "", False),
        (0, "0", True),
        (1204, "1,204", True),
        (-3, "-3", True),
        (2.25, "2.2", True),
        (1234.0, "1,234.0", True),
        (Dollars(1204.5), "$1,204.50", True),
        (Dollars(0), "$0.00", True),
        (Share(1, 3), "33%", True),
        (Share(0, 7), "0%", True),
        (Share(0, 0), "–", True),
        (timedelta(minutes=6), "6 min", True),
        (timedelta(hours=26), "1 d 2 h", True),
        (None, "–", True),
    ],
)
def test_cells(cell: Cell, words: str, right: bool) -> None:
    assert (shown(cell), is_number(cell)) == (words, right)
