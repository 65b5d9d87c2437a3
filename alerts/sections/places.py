"""Where it was: what patients said by site and by department. A place with few posts has no row of its own."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from alerts.charts import Bars
from alerts.figures import FEW, Figures, Heard
from alerts.section import Cell, Section, Table

_ELSEWHERE = "Elsewhere, or not said"
_HEADER = ("Complaints", "Praise", "Questions", "Remarks", "All", "Most complained about")
_KINDS = ("complaint", "praise", "question")
Places = Mapping[str, set[int]]  # of each place the posts, by their number in the list of all


def section(figures: Figures) -> Section:
    """A table by site, in which each post counts once, and one by department, of which a post may name several."""
    sites, departments = defaultdict[str, set[int]](set), defaultdict[str, set[int]](set)
    for number, heard in enumerate(figures.patients):
        for name in heard.departments:
            departments[name].add(number)
        if heard.site:
            sites[heard.site].add(number)
    by_site, by_department = _rows(figures, sites), _rows(figures, departments)
    everywhere = [_row(figures, "All", range(len(figures.patients)))] if by_site else []
    tables = (
        Table("sites", ("Site", *_HEADER), [*by_site, *everywhere], "By site"),
        Table("departments", ("Department", *_HEADER), by_department, "By department", _chart(by_department)),
    )
    return Section("Where it was", _sentences(figures, by_site, by_department), tables)


def _rows(figures: Figures, places: Places) -> list[tuple[Cell, ...]]:
    """The places with posts enough, the one with the most first, and a last row for all other posts."""
    names = _shown(places, len(figures.patients))
    rest = _outside(len(figures.patients), (places[name] for name in names))
    rows = [_row(figures, name, sorted(places[name])) for name in names]
    return [*rows, _row(figures, _ELSEWHERE, sorted(rest))] if rest else rows


def _shown(places: Places, posts: int) -> list[str]:
    """Names of the places with a row: with posts enough, and so that posts enough are left for the last row. Or a place
    that is alone in it could be reckoned from the total."""
    names = sorted(places, key=lambda name: (-len(places[name]), name))
    shown = [name for name in names if len(places[name]) >= FEW]
    while shown and len(shown) < len(names) and len(_outside(posts, (places[name] for name in shown))) < FEW:
        shown.pop()
    return shown


def _outside(posts: int, places: Iterable[set[int]]) -> set[int]:
    return set(range(posts)).difference(*places)


def _row(figures: Figures, name: str, numbers: Sequence[int]) -> tuple[Cell, ...]:
    posts = [figures.patients[number] for number in numbers]
    kinds = Counter(heard.kind for heard in posts)
    counts = [kinds[kind] for kind in _KINDS]
    return name, *counts, len(posts) - sum(counts), len(posts), _topic(figures, posts)


def _topic(figures: Figures, posts: Sequence[Heard]) -> str:
    """What a place is complained about most, if often enough to be told."""
    topics = Counter(name for heard in posts if heard.is_complaint for name in heard.categories)
    name = min(topics, key=lambda name: (-topics[name], name), default="")
    return f"{figures.title(name)} ({topics[name]:,})" if topics[name] >= FEW else ""


def _sentences(
    figures: Figures, sites: Sequence[tuple[Cell, ...]], departments: Sequence[tuple[Cell, ...]]
) -> tuple[str, ...]:
    if not figures.patients:
        return ("There were no posts of patients.",)
    found = []
    for kind, rows in (("site", sites), ("department", departments)):
        named = [(row[1], row[0]) for row in rows if row[0] != _ELSEWHERE and isinstance(row[1], int) and row[1]]
        if named:
            count, name = max(named, key=lambda one: one[0])
            found.append(f"The {kind} with the most complaints is {name}: {count:,} of {len(figures.complaints):,}.")
    rule = f"A place with fewer than {FEW} posts is part of the last row; a post may name several departments."
    return (*(found or ["No place was named in enough posts with a complaint to tell of it."]), rule)


def _chart(rows: Sequence[tuple[Cell, ...]]) -> Bars | None:
    named = [(str(row[0]), row[1]) for row in rows if row[0] != _ELSEWHERE and isinstance(row[1], int) and row[1]]
    if len(named) < 2:
        return None
    named.sort(key=lambda one: -one[1])
    name, most = named[0]
    alt = f"Complaints by department: the most at {name} ({most:,})."
    return Bars(alt, [name for name, _ in named], [count for _, count in named], "complaints")
