"""What rose: words and phrases that patients wrote more often than before, or for the first time."""

from collections.abc import Mapping, Sequence

from alerts.figures import Figures, speaks
from alerts.message import shorten
from alerts.rising import ENOUGH, Risen, different, risen
from alerts.section import Section, Table

_MOST = 12
_NAMED = 3  # phrases that the sentence tells
_EXAMPLE, _FITS = 160, 130  # characters of an example at most, and of the post that is best taken
_COUNTING = "Copies of a text count once; our own names never rise. An example has no personal details."


def section(figures: Figures) -> Section:
    """The phrases, how many posts have them, how many usually do, and one of those posts."""
    now, before = (different(texts, figures.own_names) for texts in (figures.words.now, figures.words.before))
    found = risen(now, before, figures.own_names)[:_MOST]
    now_each, before_each = _posts_each(figures)
    counts = [(round(one.now * now_each), round(one.before * before_each, 1) if one.before else 0) for one in found]
    examples = _examples(found, dict(figures.words.now))
    rows = [(one.phrase, *count, text) for one, count, text in zip(found, counts, examples, strict=True)]
    named = [f"“{one.phrase}” ({_beside(one, *count)})" for one, count in zip(found[:_NAMED], counts, strict=False)]
    what = f"New or up: {'; '.join(named)}." if named else "No words rose by more than chance explains."
    if len(before) < ENOUGH:
        what = "There are too few posts before to tell what rose."
    header = ("Words", "Posts", "Usually", "For example")
    return Section("What rose", (what, _COUNTING), (Table("rose", header, rows),))


def _beside(one: Risen, posts: int, usual: float) -> str:
    before = f"usually {usual:,.1f}" if usual else "hardly any before" if one.before else "none before"
    return f"{posts:,} posts, {before}"


def _posts_each(figures: Figures) -> tuple[float, float]:
    """How many posts a text stands for, as the texts may be a sample: of the span, and of as many days as a rule."""
    now = sum(speaks(heard) and bool(heard.redacted_text) for heard in figures.heard)
    before = sum(speaks(heard) for week in figures.weeks for heard in week.heard)
    weeks = len(figures.span.days) / 7 / max(1, len(figures.weeks))
    return now / max(1, len(figures.words.now)), before * weeks / max(1, len(figures.words.before))


def _examples(found: Sequence[Risen], texts: Mapping[int, str]) -> list[str]:
    """For each phrase a post that has it, another one each time if there is one; neither a few words nor a long story."""
    taken: list[int] = []
    for one in found:
        ids = [id_ for id_ in one.ids if id_ not in taken] or one.ids
        taken.append(min(ids, key=lambda id_: abs(len(texts[id_]) - _FITS)))
    return [shorten(texts[id_], _EXAMPLE).replace("\n", " ") for id_ in taken]
