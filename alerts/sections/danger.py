"""Danger: how many cases, how fast a person had them, and how they ended. Counts alone: they are few, and the worst."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from alerts.case import Case
from alerts.clockface import in_words
from alerts.figures import Figures
from alerts.section import Section, Table
from alerts.sections.reply_times import median

_ANSWERED, _CLOSED, _OPEN = "Answered in public", "Closed without a public answer", "Still open"
_NONE = "Turned out to be none"


def section(figures: Figures) -> Section:
    """Counts by ending; no place, no topic, no words."""
    cases = danger(figures)
    ends = Counter(map(_ending, cases))
    rows = [(name, ends[name]) for name in (_ANSWERED, _CLOSED, _OPEN, _NONE)]
    table = Table("danger", ("What became of them", "Cases"), [*rows, ("All", len(cases))])
    return Section("Danger", tuple(_sentences(figures, cases)), (table,) if cases else ())


def danger(figures: Figures) -> list[Case]:
    """The cases that are danger or of which a post was read so: what people made less of it counts as none."""
    read = {heard.case_id for heard in figures.heard if heard.urgency == "danger"}
    return [case for case in figures.cases if case.urgency == "danger" or case.id in read]


def _ending(case: Case) -> str:
    if case.state == "dismissed" or case.urgency != "danger":
        return _NONE
    if case.answered_at:
        return _ANSWERED
    return _CLOSED if case.state == "closed" else _OPEN


def _sentences(figures: Figures, cases: list[Case]) -> Iterable[str]:
    if not cases:
        read = sum(heard.urgency == "danger" for heard in figures.heard)
        if not read:
            yield "No post was read as danger."
        else:
            yield f"No case of danger was opened; {read:,} {_posts(read)} read as danger without one of its own."
        return
    real = [case for case in cases if _ending(case) != _NONE]
    none = f"; {len(cases) - len(real):,} turned out to be none" if len(real) < len(cases) else ""
    yield f"{len(cases):,} {'case was' if len(cases) == 1 else 'cases were'} read as danger{none}. {_paged(figures, cases)}"
    waits = [span for case in real if (span := _until_taken(case, figures)) is not None]
    if waits:
        target = figures.targets["danger"]
        quick = sum(span <= target for span in waits)
        middle = in_words(median(waits))
        took = f"half of them within {middle}" if len(waits) > 1 else f"after {middle}"
        yield f"A person took {len(waits):,} of {len(real):,}, {took}; {quick:,} within the target of {in_words(target)}."
    elif real:
        yield "No person has taken it yet." if len(real) == 1 else f"No person has taken any of the {len(real):,} yet."


def _paged(figures: Figures, cases: list[Case]) -> str:
    """A card of danger pages whoever is on call, so a card that arrived is a page."""
    told = {heard.case_id for heard in figures.heard if heard.card_sent}
    paged = sum(case.id in told for case in cases)
    if paged < len(cases):
        return f"{paged:,} of {len(cases):,} paged the people on call; the cards of the others have not arrived yet."
    return "It paged the people on call." if len(cases) == 1 else "Each paged the people on call."


def _until_taken(case: Case, figures: Figures) -> timedelta | None:
    """From when it was said to be danger until somebody had it; None for what nobody took."""
    moments = [moment for moment in (case.claimed_at, case.answered_at, case.closed_at) if moment is not None]
    if not moments:
        return None
    # A case that became danger later is danger from when that was said, not from its first post.
    return max(min(moments) - figures.endangered.get(case.id or 0, case.clock_from), timedelta())


def _posts(count: int) -> str:
    return "post was" if count == 1 else "posts were"
