"""The labelled replies: what a line may hold."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from alerts.privacy.labelled import labelled
from alerts.privacy.learned import RULES


def test_lines_by_file(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text('{"id": "b-1", "reply": "No", "ok": false, "rule": "argues"}\n', encoding="utf-8")
    (tmp_path / "a.jsonl").write_text('{"id": "a-1", "reply": "Sí", "ok": true, "post": "¿Hola?"}\n', encoding="utf-8")
    assert [(row.id, row.reply, row.ok, row.post, row.rule) for row in labelled(tmp_path)] == [
        ("a-1", "Sí", True, "¿Hola?", None),
        ("b-1", "No", False, None, "argues"),
    ]


@pytest.mark.parametrize("line", ['{"id": "x", "reply": "No"}', '{"id": "x", "reply": "No", "ok": true, "why": "x"}'])
def test_a_line_that_is_none(line: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(ValidationError):
        labelled(tmp_path)


def test_only_known_rules_are_named() -> None:
    assert {row.rule for row in labelled() if row.rule} <= {*RULES, "unread"}
    assert not [row.id for row in labelled() if row.ok and row.rule]
