"""What the pages need: the config as it is now, the database, the way to Slack, and how the service fares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from alerts.door import Door
from config.schema import Config


@dataclass(frozen=True)
class Room:
    """The same things that the service has; nothing of it is copied."""

    config: Callable[[], Config]  # as the files say now
    engine: Engine
    door: Callable[[], Door]  # to the team: a press here changes the card there
    secrets: Mapping[str, str] = field(repr=False)
    now: Callable[[], datetime]
    data: Path  # the folder of the database and of the weekly pages
    wake: Callable[[], None]  # has the rest of what changed told at once
    flowed_at: Callable[[], datetime | None]  # when the flow last came round
    files: Path | None = None  # the folder of the config files; None: only the version in force is known
