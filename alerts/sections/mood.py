"""How the posts of patients sounded, day by day."""

from collections import Counter
from datetime import date, timedelta
from statistics import median

from alerts.charts import Columns, Series
from alerts.figures import Figures
from alerts.message import face
from alerts.section import Cell, Section, Share, Table
from alerts.span import Span

_RED, _WHITE, _GREEN = face(-1), face(0), face(1)
_MOST_DAYS = 31  # of a longer span the weeks are told
_ENOUGH = 3  # weeks that tell what is usual
_ORDERS_NOTHING = (
    "It is what the red, white and green faces show. A face orders nothing: no alert, clock or target depends on it."
)


def section(figures: Figures) -> Section:
    """Unhappy, neutral and happy posts by day, of a quarter by week, beside what is usual."""
    faces = {part(day, figures.span): Counter[str]() for day in figures.span.days}
    for heard in figures.patients:
        faces[part(heard.heard_at.astimezone(figures.zone).date(), figures.span)][face(heard.mood)] += 1
    total = _faces(figures)
    rows = [_row(f"{part:%a} {part.day} {part:%b}", count) for part, count in faces.items()]
    series = (("Unhappy", _RED, "bad"), ("Neither", _WHITE, "plain"), ("Happy", _GREEN, "good"))
    chart = Columns(
        f"How patients' posts sounded: {total[_RED]:,} unhappy, {total[_WHITE]:,} neither, {total[_GREEN]:,} happy.",
        [str(row[0]) for row in rows],
        [Series(name, [count[sign] for count in faces.values()], tone) for name, sign, tone in series],
        "posts",
        whole=True,
    )
    header = (part_name(figures.span), "Unhappy", "Neither", "Happy", "All", "Unhappy, share", "Happy, share")
    table = Table("mood", header, [*rows, _row("All", total)], chart=chart if total else None)
    return Section("How it sounded", (_now(total), *_before(figures), _ORDERS_NOTHING), (table,))


def part(day: date, span: Span) -> date:
    """The first day of what a row tells: the day itself, or its week as far as it is in the span."""
    return day if len(span.days) <= _MOST_DAYS else max(span.first, day - timedelta(days=day.weekday()))


def part_name(span: Span) -> str:
    """What its rows are called."""
    return "Day" if len(span.days) <= _MOST_DAYS else "Week from"


def _faces(figures: Figures) -> Counter[str]:
    return Counter(face(heard.mood) for heard in figures.patients)


def _row(name: str, faces: Counter[str]) -> tuple[Cell, ...]:
    red, white, green, posts = faces[_RED], faces[_WHITE], faces[_GREEN], faces.total()
    return name, red, white, green, posts, Share(red, posts), Share(green, posts)


def _now(faces: Counter[str]) -> str:
    posts = faces.total()
    if not posts:
        return "There were no posts of patients."
    red, white, green = (f"{faces[sign]:,} ({Share(faces[sign], posts)})" for sign in (_RED, _WHITE, _GREEN))
    return f"{posts:,} {'post' if posts == 1 else 'posts'} of patients: {red} unhappy, {white} neither, {green} happy."


def _before(figures: Figures) -> list[str]:
    """The share of unhappy posts before, and what is usual."""
    before = figures.before
    told = []
    if before and before.patients:
        when = f"in {figures.compared_with}" if before.span == figures.span.before else f"from {before.span.in_words}"
        told.append(f"{when} {_unhappy(before):.0%} were unhappy")
    weeks = [_unhappy(week) for week in figures.weeks if week.patients]
    if len(weeks) >= _ENOUGH:
        told.append(
            f"in the {len(weeks)} weeks before {min(weeks):.0%} to {max(weeks):.0%}, {median(weeks):.0%} in the middle"
        )
    sentence = "; ".join(told)
    return [f"{sentence[0].upper()}{sentence[1:]}."] if told else []


def _unhappy(figures: Figures) -> float:
    return _faces(figures)[_RED] / len(figures.patients)
