"""Where the same thing is complained about week after week: what to work on, by department."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from alerts.figures import FEW, Ended, Figures, Heard
from alerts.section import Section, Share, Table
from alerts.sections.places import places_of

_WEEKS = 3  # different weeks with a complaint, at least
_MOST = 30  # rows
_HALF_MORE = 1.5


def section(figures: Figures) -> Section:
    """Topic by place: complaints in how many weeks, whether they grow, the share of the place's complaints."""
    by_area = defaultdict[tuple[str, str], list[Heard]](list)
    by_place = defaultdict[str, int](int)
    for heard in figures.complaints:
        for place in places(heard):
            by_place[place] += 1
            for topic in heard.categories:
                by_area[place, topic].append(heard)
    weeks = {area: len({_week(heard, figures) for heard in found}) for area, found in by_area.items()}
    areas = [area for area, found in by_area.items() if len(found) >= FEW and weeks[area] >= _WEEKS]
    areas.sort(key=lambda area: (-weeks[area], -len(by_area[area]), area))
    rows = [
        (
            place,
            figures.title(topic),
            len(by_area[place, topic]),
            weeks[place, topic],
            _trend(by_area[place, topic], figures),
            Share(len(by_area[place, topic]), by_place[place]),
        )
        for place, topic in areas[:_MOST]
    ]
    header = ("Place", "Topic", "Complaints", "Weeks", "First half → second", "Of the place's complaints")
    return Section("Where it comes back", _sentences(figures, rows, len(areas)), (Table("areas", header, rows),))


def places(about: Heard | Ended) -> Sequence[str]:
    """Where a post or a case is about."""
    return places_of(about.departments, about.site)


def _week(heard: Heard, figures: Figures) -> date:
    """The Monday of its week."""
    day = heard.heard_at.astimezone(figures.zone).date()
    return day - timedelta(days=day.weekday())


def _trend(found: Sequence[Heard], figures: Figures) -> str:
    """The second half of the span against the first. Of a span that is not over: of what has passed."""
    middle = figures.since + (min(figures.until, max(figures.now, figures.since)) - figures.since) / 2
    second = sum(heard.heard_at >= middle for heard in found)
    first = len(found) - second
    if second >= _HALF_MORE * first and second - first >= FEW:
        return f"{first} → {second}, more"
    if first >= _HALF_MORE * second and first - second >= FEW:
        return f"{first} → {second}, fewer"
    return f"{first} → {second}, steady"


def _sentences(figures: Figures, rows: Sequence[tuple[str | int | Share, ...]], count: int) -> tuple[str, ...]:
    rule = f"Listed is what was complained about at one place in at least {_WEEKS} weeks and {FEW} posts."
    if not rows:
        return ("Nothing was complained about at the same place week after week.", rule)
    place, topic, complaints, weeks, *_ = rows[0]
    most = f"{topic} came up most steadily at {place}: {complaints:,} complaints in {weeks} different weeks."
    more = (f"The table shows the first {_MOST} of {count}.",) if count > _MOST else ()
    return (most, rule, *more)
