"""A press, wherever it was made: done once, by who may, and the case shown anew at once to everybody."""

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from alerts.act import Done, act, known_actions, permitted
from alerts.deliver import edit
from alerts.door import Door
from alerts.people import first_time, met
from config.schema import Care, Config
from listener.errors import NeedsPerson
from listener.logs import logger

log = logger(__name__)


@dataclass(frozen=True)
class Press:
    """What somebody wants done with a case."""

    action: str
    case_id: int
    who: str
    name: str  # as colleagues call them
    key: str  # the same for the same press, however often it arrives
    given: Mapping[str, Any]
    seal: str | None = None  # of the exact words that they were shown


def press(
    engine: Engine,
    config: Config,
    door: Door,
    pressed: Press,
    now: datetime,
    secrets: Mapping[str, str],
    wake: Callable[[], None],
    patience: float | None = None,
) -> Done | None:
    """Do it and show the case as it then is; None if this press was done before. Raises CallLightError.

    With `patience` the cards are waited for that many seconds at most: who pressed shall not wait for a Slack that hangs.
    """
    try:
        with Session(engine) as session:
            if not first_time(session, pressed.key, now):
                return None
            met(session, pressed.who, pressed.name)
            return act(
                session, config, pressed.action, pressed.case_id, pressed.who, now, pressed.given, secrets, pressed.seal
            )
    finally:  # also where it could not be done: somebody else was first, or the reply could not be sent
        showing = threading.Thread(
            target=_show, args=(engine, config, door, pressed.case_id, now, wake), name="cards", daemon=True
        )
        showing.start()
        showing.join(patience)


def _show(engine: Engine, config: Config, door: Door, case_id: int, now: datetime, wake: Callable[[], None]) -> None:
    """The cards as the case now is. What was pressed is done, or not, whatever becomes of them: the outbox tries again."""
    try:
        with Session(engine) as session:
            edit(session, config, door, case_id, now)
    except Exception as error:
        log.error("press", case=case_id, error=error)
    wake()


def allow(care: Care, action: str, who: str, groups: Callable[[Collection[str]], Collection[str]]) -> None:
    """Raises NeedsPerson for who may not do this. `groups`: which of these groups of Slack they are in."""
    if permitted(care, action, who):
        return
    named = [member for member in care.permissions.get(action, ()) if member.startswith("S")]
    if not named or not permitted(care, action, who, groups(named)):
        label = known_actions()[action].LABEL.removesuffix("…")
        raise NeedsPerson(f"{label!r} is for others: care.toml names who may do it. Please ask one of them.")
