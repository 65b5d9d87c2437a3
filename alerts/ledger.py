"""The sum of rule 1: collected = alerted + in digest + dismissed with a reason. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from alerts.figures import STUCK_AFTER, Heard
from alerts.verdict import rule_in

_UNREAD = "deleted at its place before it was read"


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


def ledger(heard: Iterable[Heard], now: datetime) -> Ledger:
    """The ledger of these mentions as it stands at `now`."""
    collected, counts = 0, Counter[str]()
    stuck: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for one in heard:
        collected += 1
        where = _where(one, now)
        if where in ("alerted", "in_digest", "dismissed"):
            counts[where] += 1
        elif now - one.heard_at <= STUCK_AFTER:
            counts["on_the_way"] += 1
        else:
            stuck[where] += 1
        if where == "dismissed":
            reasons[_named(one.reason or _UNREAD)] += 1
    return Ledger(
        collected,
        counts["alerted"],
        counts["in_digest"],
        counts["dismissed"],
        counts["on_the_way"],
        dict(stuck),
        dict(reasons.most_common()),
    )


def _where(one: Heard, now: datetime) -> str:
    if one.outcome is None:
        if one.deleted:
            return "dismissed"  # nothing is left to read
        return "not read" if one.voice is None else "not decided"
    if one.outcome == "alert":
        held = not one.card_sent and now - one.heard_at > STUCK_AFTER  # a card that waits its turn is on its way
        return "alerted" if one.case_id and not held else "card not delivered"
    if one.outcome == "digest":
        held = one.digest_held is not None and now - one.digest_held > STUCK_AFTER
        return "digest not delivered" if held else "in_digest"
    return "dismissed" if one.reason else "dismissed without a reason"


def _named(reason: str) -> str:
    """A reason by its rule: never the words of the post."""
    rule = rule_in(reason)
    return reason if rule is None else f"rule {rule}"
