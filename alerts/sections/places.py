"""Where it was: what patients complained about by site and by department. A place with few complaints has no row."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from alerts.charts import Bars
from alerts.figures import FEW, Figures, Heard
from alerts.section import Cell, Section, Table

ELSEWHERE = "Elsewhere, or not said"
_HEADER = ("Complaints", "Most complained about")


def section(figures: Figures) -> Section:
    """A table by site, in which each complaint counts once, and one by department, of which one may name several.

    Of complaints alone: beside the number of all posts, what few others said there could be reckoned."""
    complaints = figures.complaints
    sites = told([[heard.site] if heard.site else [] for heard in complaints])
    departments = told([heard.departments for heard in complaints])
    everywhere = [_row(figures, "All", range(len(complaints)))] if complaints else []
    tables = (
        Table("sites", ("Site", *_HEADER), [*_rows(figures, sites), *everywhere], "By site"),
        Table(
            "departments", ("Department", *_HEADER), _rows(figures, departments), "By department", _chart(departments)
        ),
    )
    return Section("Where it was", _sentences(figures, sites, departments), tables)


def places_of(departments: Sequence[str], site: str | None) -> Sequence[str]:
    """Where a post was about: its departments, else its site; none where it names neither."""
    return tuple(dict.fromkeys(departments)) or ((site,) if site else ())


def told(named: Sequence[Iterable[str]]) -> Mapping[str, set[int]]:
    """Of the places that each post names, those with posts enough, the one with the most first, then all other posts.
    So many that posts enough are left for these: or a place that is alone there could be reckoned from the total."""
    places = defaultdict[str, set[int]](set)
    for number, names in enumerate(named):
        for name in names:
            places[name].add(number)
    shown = {
        name: places[name]
        for name in sorted(places, key=lambda name: (-len(places[name]), name))
        if len(places[name]) >= FEW
    }
    everything = set(range(len(named)))
    while shown and len(shown) < len(places) and len(everything.difference(*shown.values())) < FEW:
        shown.popitem()
    rest = everything.difference(*shown.values())
    return {**shown, ELSEWHERE: rest} if rest else shown


def _rows(figures: Figures, places: Mapping[str, set[int]]) -> list[tuple[Cell, ...]]:
    return [_row(figures, name, sorted(numbers)) for name, numbers in places.items()]


def _row(figures: Figures, name: str, numbers: Sequence[int]) -> tuple[Cell, ...]:
    return name, len(numbers), _topic(figures, [figures.complaints[number] for number in numbers])


def _topic(figures: Figures, complaints: Sequence[Heard]) -> str:
    """What a place is complained about most, if often enough to be told."""
    topics = Counter(name for heard in complaints for name in heard.categories)
    name = min(topics, key=lambda name: (-topics[name], name), default="")
    return f"{figures.title(name)} ({topics[name]:,})" if topics[name] >= FEW else ""


def _sentences(figures: Figures, sites: Mapping[str, set[int]], departments: Mapping[str, set[int]]) -> tuple[str, ...]:
    if not figures.patients:
        return ("There were no posts of patients.",)
    found = []
    for kind, places in (("site", sites), ("department", departments)):
        name = next(iter(places), ELSEWHERE)
        if name != ELSEWHERE:
            count = f"{len(places[name]):,} of {len(figures.complaints):,}"
            found.append(f"The {kind} with the most complaints is {name}: {count}.")
    rule = f"A place with fewer than {FEW} complaints is part of the last row; a post may name several departments."
    return (*(found or ["No place was named in enough posts with a complaint to tell of it."]), rule)


def _chart(places: Mapping[str, set[int]]) -> Bars | None:
    named = {name: len(numbers) for name, numbers in places.items() if name != ELSEWHERE}
    if len(named) < 2:
        return None
    name, most = next(iter(named.items()))
    alt = f"Complaints by department: the most at {name} ({most:,})."
    return Bars(alt, list(named), list(named.values()), "complaints")
