"""A folder that another tool exports to: JSON Lines, one more line for each post and for each edit of one.

Not checked against a real export: the columns are named as listening tools name theirs in their documentation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from .place import Place

NETWORK = "X"
HOSPITAL = "StBrigidCares"


class FilePlace(Place):
    """The export of everything that was said on one network."""

    def __init__(self, folder: Path) -> None:
        no_requests = "a file is asked for nothing; test_file.py reads files that cannot be read"
        cannot = {
            "trouble": no_requests,
            "trouble_half_way": no_requests,
            "asked_to_wait_until": no_requests,
            "gap": "an export does not say what it left out",
            "deleted_post": "an export does not say what was deleted since; keep_for is what forgets it",
        }
        super().__init__(None, {"path": str(folder)}, cannot=cannot, several=1200)
        self._path = folder / "mentions.jsonl"
        self._posts: dict[str, dict[str, Any]] = {}

    def post(self, text: str, at: datetime, author: str = "ann", answers: str | None = None) -> str:
        ref = str(100_000 + len(self._posts))
        self._posts[ref] = {
            "Mention ID": ref,
            "Network": NETWORK,
            "Author": f"@{author}",
            "Message": text,
            "Created Time": at.isoformat(),
            "In Reply To": answers,
            "Permalink": f"https://x.com/{author}/status/{ref}",
        }
        self._write(self._posts[ref])
        return ref

    def edit(self, ref: str, text: str, at: datetime) -> None:
        self._write({**self._posts[ref], "Message": text, "Edited At": at.isoformat()})

    def answer(self, ref: str, text: str, at: datetime) -> str:
        return self.post(text, at, HOSPITAL, ref)

    def _write(self, record: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


@contextmanager
def place(clock: Callable[[], float], folder: Path) -> Iterator[FilePlace]:
    """An export folder."""
    exports = folder / "exports"
    exports.mkdir()
    yield FilePlace(exports)
