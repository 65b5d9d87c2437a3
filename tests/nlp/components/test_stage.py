"""Where on the way from door to discharge it happened."""

import pytest

from nlp.pipeline import Reader, Text


@pytest.mark.parametrize(
    ("stage", "text"),
    [
        ("booking", "no appointment before March at St. Brigid's, so frustrating for me"),
        ("arrival", "I drove around the garage at St. Brigid's, awful parking"),
        ("waiting", "I sat in the waiting room at St. Brigid's, terrible"),
        ("treatment", "my surgeon at St. Brigid's was great"),
        ("discharge", "St. Brigid's discharged my dad without meds, awful"),
        ("after", "St. Brigid's sent my bill twice, awful"),
        (None, "I love St. Brigid's, kind people"),
    ],
)
def test_stage(rules: Reader, stage: str | None, text: str) -> None:
    assert next(rules.read([Text(text)]))["stage"] == stage
