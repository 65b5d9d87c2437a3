"""Finding: one thing that `call-light doctor` has looked at. Its code is a heading of docs/runbook.md."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """ok: True good, False wrong, None not in use, or worth a look. The code stays the same when the sentence changes."""

    what: str
    ok: bool | None
    todo: str | None = None
    code: str | None = field(default=None, compare=False)
