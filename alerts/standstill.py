"""What stops the service is told to people without the database: where nothing can be kept any more (a full disk), no
outbox takes a note either, and danger would wait in silence.

Every job says how it ended, several threads at once. Time is that of a clock which nobody can put back.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic

from alerts.door import Door
from alerts.message import Message, note
from listener.database import remedy
from listener.logs import logger

log = logger(__name__)

_AFTER = 180.0  # seconds of failing at every pass, or of none; what is shorter mends itself or is a restart
_AGAIN = 3600.0  # seconds until people who did nothing are told again
_PAUSED = 120.0  # seconds without a look: the machine slept, or the process was stopped, and nothing hung meanwhile
_TITLE, _WELL, _KEY = "Call Light stands still", "Call Light works again", "standstill"
_FLOW, _SENDING = "flow", "people"
_WHAT = {
    _FLOW: "Reading what was heard",
    _SENDING: "Sending cards",
    "pager": "Paging",
    "hooks": "Telling other systems",
    "clocks": "Reminding",
    "forget": "Forgetting what is gone",
    "pages": "Writing the page of the week",
    "pages_again": "Writing pages anew",
    "center": "The Listening Center",
    "line": "Hearing presses of buttons",
    "files": "Taking up changed config files",
}  # any other is the name of a collector


@dataclass(frozen=True)
class Standing:
    """A job that does not do its work."""

    job: str
    seconds: float  # so long
    why: str
    is_grave: bool  # danger may be said and nobody hears of it


@dataclass
class _Failed:
    since: float
    last: float
    until: float  # no word of it by then: it is switched off, or runs on and on since and is well
    why: str
    is_grave: bool


@dataclass(frozen=True)
class _Told:
    at: float
    is_grave: bool


class Standstill:
    """Which jobs fail at every pass, and since when; `jobs` are told apart by their names."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._failed: dict[str, _Failed] = {}
        self._came_round = self._looked = clock()  # the flow; who tells people
        self._told: dict[str, _Told] = {}  # by the name of the door
        self._ill_at: dict[str, float] = {}  # the name of a door -> when there was last something that its people mind

    def failed(self, job: str, error: Exception, every: float) -> None:
        """A pass ended in an error that the job itself has no answer to; the next comes in so many seconds."""
        of_database, now = remedy(error), self._clock()
        why = of_database or f"{type(error).__name__}; the log of the service has more"
        is_grave, until = of_database is not None or job in (_FLOW, _SENDING), now + 2 * every + _AFTER
        with self._lock:
            before = self._failed.get(job)
            since = before.since if before is not None and now <= before.until else now
            self._failed[job] = _Failed(since, now, until, why, is_grave)

    def went(self, job: str) -> None:
        """A pass came to its end."""
        with self._lock:
            self._failed.pop(job, None)

    def came_round(self) -> None:
        """The flow has looked at what was heard."""
        with self._lock:
            self._came_round = self._clock()

    def standing(self) -> list[Standing]:
        """What has stood still for minutes; the gravest first. Of one failure alone nobody is told: the next pass mends it."""
        with self._lock:
            now = self._clock()
            found = [
                Standing(job, now - failed.since, failed.why, failed.is_grave)
                for job, failed in self._failed.items()
                if failed.last - failed.since >= _AFTER and now <= failed.until
            ]
            still, flow = now - self._came_round, self._failed.get(_FLOW)
        if still >= _AFTER and (flow is None or now > flow.until):  # what fails at each pass does not hang
            found.append(Standing(_FLOW, still, "it hangs; start the service again, nothing is lost", True))
        return sorted(found, key=lambda standing: (not standing.is_grave, standing.job))

    def tell(self, doors: Mapping[str, Door]) -> None:
        """Tell the health channel, and page where it is grave: when it begins or gets grave, again each hour, and once when
        all has been well for minutes; what comes and goes is one standstill.
        """
        self._wakes_up()
        found, now = self.standing(), self._clock()
        for name in ("people", "pager"):
            theirs = [standing for standing in found if name == "people" or standing.is_grave]
            if theirs or self._fails(grave_ones=name == "pager"):
                self._ill_at[name] = now
            told = self._told.get(name)
            if name not in doors or not self._is_due(name, theirs, told, now):
                continue
            if not self._says(doors[name], name, _message(theirs) if theirs else None):
                continue
            if theirs:
                self._told[name] = _Told(now, theirs[0].is_grave)
            else:
                del self._told[name]
        self._looked = self._clock()  # to tell takes long where a door does not answer

    def _is_due(self, name: str, theirs: list[Standing], told: _Told | None, now: float) -> bool:
        if told is None:
            return bool(theirs)
        if theirs:
            return now - told.at >= _AGAIN or (theirs[0].is_grave and not told.is_grave)
        return now - self._ill_at[name] >= _AFTER

    def _fails(self, grave_ones: bool) -> bool:
        """Whether anything failed lately, however short."""
        with self._lock:
            now = self._clock()
            return any(now <= one.until and (one.is_grave or not grave_ones) for one in self._failed.values())

    def _wakes_up(self) -> None:
        """After a pause of the whole process every job is given its time anew."""
        with self._lock:
            now = self._clock()
            if now - self._looked > _PAUSED:
                self._failed.clear()
                self._came_round = now

    def _says(self, door: Door, name: str, message: Message | None) -> bool:
        if message is None:
            if name == "pager":  # nobody is called because all is well
                return True
            message = note("What stood still works again. What was said meanwhile is heard now.", _WELL, _KEY)
        try:
            door.post("health" if name == "people" else "on-call", message, _KEY)
        except Exception as error:  # this door too: the next look tries again
            log.error("standstill", error=error)
            return False
        log.warning("standstill", through=name)
        return True


def _message(found: list[Standing]) -> Message:
    whys = dict.fromkeys(standing.why for standing in found)  # a full disk stops everything: it is said once
    said = " ".join(_sentence([standing for standing in found if standing.why == why]) for why in whys)
    if found[0].is_grave:
        said = f"{said} No card may come meanwhile, not of danger either: look at the places by hand."
    made = note(said, _TITLE, _KEY)
    return Message(f"{_TITLE}: {said}", made.blocks, made.metadata, _TITLE, excerpt=said, urgency="danger")


def _sentence(of_one_reason: list[Standing]) -> str:
    whats = [_WHAT.get(standing.job, f"Hearing {standing.job}") for standing in of_one_reason]
    minutes = max(standing.seconds for standing in of_one_reason) / 60
    has = "has" if len(whats) == 1 else "have"
    return f"{'; '.join(whats)} {has} failed for {minutes:.0f} minutes: {of_one_reason[0].why}."
