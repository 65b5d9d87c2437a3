"""The sum of rule 1: collected = alerted + in digest + dismissed with a reason. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.figures import STUCK_AFTER, Heard


@dataclass(frozen=True)
class Ledger:
    """Counts of mentions. `on_the_way` is younger than two passes; `stuck` is what nobody can account for."""

    collected: int
    alerted: int
    in_digest: int
    dismissed: int
    on_the_way: int
    stuck: dict[str, int]  # where it sits -> how many
    reasons: dict[str, int]  # why it was dismissed -> how many

    @property
    def adds_up(self) -> bool:
        """Whether every mention that was collected is accounted for."""
        return not self.stuck and self.collected == self.alerted + self.in_digest + self.dismissed + self.on_the_way


def ledger(heard: Sequence[Heard], now: datetime) -> Ledger:
    """The ledger of these mentions as it stands at `now`."""
    counts: Counter[str] = Counter()
    stuck: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for one in heard:
        where = _where(one)
        if where in ("alerted", "in_digest", "dismissed"):
            counts[where] += 1
        elif now - one.heard_at <= STUCK_AFTER:
            counts["on_the_way"] += 1
        else:
            stuck[where] += 1
        if where == "dismissed":
            reasons[_short(one.reason or "")] += 1
    return Ledger(
        len(heard),
        counts["alerted"],
        counts["in_digest"],
        counts["dismissed"],
        counts["on_the_way"],
        dict(stuck),
        dict(reasons.most_common()),
    )


def _where(one: Heard) -> str:
    if one.voice is None:
        return "not read"
    if one.outcome is None:
        return "not decided"
    if one.outcome == "alert":
        return "alerted" if one.case_id and one.card_sent else "card not delivered"
    if one.outcome == "digest":
        return "in_digest"
    return "dismissed" if one.reason else "dismissed without a reason"


def _short(reason: str) -> str:
    """A reason without the words of the post in it."""
    return reason.partition("'")[0].strip() + " " + reason.split("'")[1] if reason.startswith("rule '") else reason
