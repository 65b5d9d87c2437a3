"""What the model card prints of how well the reader reads, for who has to say so elsewhere."""

import re
from pathlib import Path

_GOAL = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| [^|]+ \| (?:yes|NO) \|$", re.MULTILINE)


def measured(folder: Path | None = None) -> dict[str, str]:
    """What was measured -> what was reached, as printed first: {"complaint, recall": "0.896"}; nothing without a card."""
    card = (folder or Path(__file__).with_name("model")) / "CARD.md"
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    found: dict[str, str] = {}
    for what, _, reached in _GOAL.findall(text):
        found.setdefault(what, reached)
    return found
