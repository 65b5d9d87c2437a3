"""Kind words, and who earned them."""

from collections import Counter
from collections.abc import Iterable, Sequence

from alerts.figures import Figures, Heard
from alerts.message import place, shorten
from alerts.section import Cell, Section, Table
from alerts.sections.places import ELSEWHERE, places_of, told

_NEWEST = 6
_LONGEST = 160  # characters of kind words


def section(figures: Figures) -> Section:
    """The newest praise without personal details, whom it names, and where it was earned."""
    newest = [heard for heard in reversed(figures.praise) if heard.redacted_text and not heard.deleted][:_NEWEST]
    words = [
        (
            heard.heard_at.astimezone(figures.zone).strftime("%a"),
            place(heard.source),
            shorten(heard.redacted_text, _LONGEST).replace("\n", " "),
        )
        for heard in newest
    ]
    tables = [Table("praise", ("Day", "Place", "In short"), words, "The newest")]
    if names := _names(figures.praise):
        tables.append(Table("recognised", ("Who", "Posts"), names, "Who was praised by name"))
    if places := _places(figures.praise):
        tables.append(
            Table("praise_by_place", ("Where", "Posts"), places, "Where it was earned (a post may name several)")
        )
    return Section("Kind words", tuple(_sentences(figures)), tuple(tables))


def _sentences(figures: Figures) -> Iterable[str]:
    praise = figures.praise
    count = len(praise)
    yield f"{count:,} {'post' if count == 1 else 'posts'} with praise."
    passed = sum(heard.mention_id in figures.passed_on for heard in praise)
    if passed:
        yield f"{passed:,} named a person or a department and {_was(passed)} passed on to the recognition channel."
    elif any(heard.staff or heard.departments for heard in praise):
        yield "None was passed on to the recognition channel."


def _names(praise: Sequence[Heard]) -> list[tuple[Cell, ...]]:
    """Each name as it is written most often, however its capitals; a post that names several counts for each."""
    written = Counter(name for heard in praise for name in heard.staff)
    posts = Counter(name for heard in praise for name in {name.casefold() for name in heard.staff})
    shown: dict[str, str] = {}
    for name, _ in sorted(written.items(), key=lambda one: (-one[1], one[0])):
        shown.setdefault(name.casefold(), name)
    return [(shown[name], count) for name, count in sorted(posts.items(), key=lambda one: (-one[1], one[0]))]


def _places(praise: Sequence[Heard]) -> list[tuple[Cell, ...]]:
    """Departments, else the site, as far as they are told; none if only the rest is left."""
    places = told([places_of(heard.departments, heard.site) for heard in praise])
    return [(name, len(numbers)) for name, numbers in places.items()] if {*places} - {ELSEWHERE} else []


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
