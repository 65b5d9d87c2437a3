"""The replies that the trained look learns from: written for it, labelled by docs/replies.md, one JSON object a line.

{"id", "reply", "post" if it answers one, "ok": whether it may go out, "rule" that it breaks where that is known}
"""

import json
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Labelled(BaseModel):
    """A reply, and whether it may go out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    reply: str
    ok: bool
    post: str | None = None
    rule: str | None = None


@cache
def labelled(folder: Path = Path(__file__).parent) -> tuple[Labelled, ...]:
    """Every labelled reply of a folder, by file and line."""
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()]
    return tuple(Labelled.model_validate(json.loads(line)) for line in lines)
