"""Whether what was fixed stayed fixed: complaints about the same at the same place, before the fix and after it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain

from alerts.figures import AFTER, FEW, Figures, Heard
from alerts.section import Section, Table
from alerts.sections.areas import places

_FIXED = ("fixed", "billing_corrected")  # outcomes that say that the cause is gone
_MOST = 30  # rows
_BACK, _HELD, _UNCLEAR, _EARLY, _UNKNOWN = "came back", "held", "unclear", "too early", "heard too little before"
_ORDER = (_BACK, _UNCLEAR, _HELD, _EARLY, _UNKNOWN)
_Area = tuple[str, str]  # place, topic
_Row = tuple[str, str, int, int, int, str]


def section(figures: Figures) -> Section:
    """Topic by place: fixes, complaints in the 28 days before the first and after the last, and whether it held."""
    fixed = defaultdict[_Area, list[datetime]](list)
    for ended in figures.ended:
        if ended.case.outcome in _FIXED and ended.case.closed_at:
            for place in places(ended):
                for topic in ended.topics:
                    fixed[place, topic].append(ended.case.closed_at)
    said = _complaints(figures, fixed)
    found = [_row(figures, area, moments, said[area]) for area, moments in fixed.items()]
    rows = [row for row in found if row[3] + row[4] >= FEW]
    rows.sort(key=lambda row: (_ORDER.index(row[5]), -row[4], row[:2]))
    header = ("Place", "Topic", "Fixed", "28 days before", "28 days after", "Did it hold")
    return Section(
        "Did it stay fixed", _sentences(rows, len(found) - len(rows)), (Table("returned", header, rows[:_MOST]),)
    )


def _complaints(figures: Figures, areas: Iterable[_Area]) -> dict[_Area, list[datetime]]:
    """When each of these was complained about: before the span, in it, and after it."""
    found: dict[_Area, list[datetime]] = {area: [] for area in areas}
    earlier: Sequence[Heard] = list(chain.from_iterable(week.complaints for week in figures.weeks)) if found else ()
    for heard in chain(earlier, figures.complaints, (one for one in figures.after if one.is_complaint)):
        for place in places(heard):
            for topic in heard.categories:
                if (place, topic) in found:
                    found[place, topic].append(heard.heard_at)
    return found


def _row(figures: Figures, area: _Area, fixed: Sequence[datetime], said: Sequence[datetime]) -> _Row:
    place, topic = area
    first, last = min(fixed), max(fixed)
    before = sum(first - AFTER <= at < first for at in said)
    after = sum(last <= at < last + AFTER for at in said)
    known_since = min([figures.since, *(week.since for week in figures.weeks)])
    listened_since = max(known_since, figures.began or known_since)
    if last + AFTER > figures.now:
        verdict = _EARLY
    elif listened_since > first - AFTER:
        verdict = _UNKNOWN
    elif after >= before and after >= FEW:
        verdict = _BACK
    else:
        verdict = _HELD if 2 * after < before else _UNCLEAR
    return (place, figures.title(topic), len(fixed), before, after, verdict)


def _sentences(rows: Sequence[_Row], few: int) -> tuple[str, ...]:
    """`few`: matters with too few complaints to be told by place."""
    if not rows and not few:
        return ("Nothing was closed as fixed that named a topic and a place.",)
    count = len(rows) + few
    sentences = [f"{'One matter was' if count == 1 else f'{count} matters were'} closed as fixed."]
    if few:
        sentences.append(f"{few} of them had fewer than {FEW} complaints and {'is' if few == 1 else 'are'} not listed.")
    verdicts = [row[5] for row in rows if row[5] not in (_EARLY, _UNKNOWN)]
    if verdicts:
        held, back, unclear = map(verdicts.count, (_HELD, _BACK, _UNCLEAR))
        rest = f"{unclear} {'is' if unclear == 1 else 'are'} unclear"
        sentences.append(f"Of the {len(verdicts)} that can be judged, {held} held, {back} came back, {rest}.")
    elif rows:
        sentences.append("It cannot be said yet whether it held: that takes 28 days of listening before and after.")
    if len(rows) > _MOST:
        sentences.append(f"The table shows the first {_MOST} of {len(rows)}.")
    return tuple(sentences)
