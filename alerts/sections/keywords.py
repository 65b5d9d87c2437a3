"""What was changed in what we listen for, and what came of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.figures import Figures
from alerts.message import NAMES, shorten
from alerts.section import Section, Table
from alerts.tuning import Change

_MOST = 30  # rows
_SHOWN = 3  # words of a change, and changes in sentences
_NOTHING = "–"
_WEEK, _DAY = timedelta(days=7), timedelta(days=1)
_SO_FAR = timedelta(days=2)
_LISTS = {"promo": "Adverts", "news": "News"}
_OF_HOSPITAL = {
    "aliases": "Our names",
    "not_us": "Names of others",
    "name": "Our name",
    "town": "Our town",
    "accounts": "Our accounts",
}
_NOUNS = {"phrases": "phrase", "aliases": "name", "not_us": "name", "departments": "department"}


def section(figures: Figures) -> Section:
    """When, what, and its effect: posts that hold the words since, complaints a day before and since."""
    rows = [
        (_when(figures, one.at), _what(figures, one) + _signed(one), _effect(figures, one))
        for one in figures.changes[-_MOST:]
    ]
    table = Table("keywords", ("When", "What was changed", "Effect"), rows)
    return Section("What we listen for", _sentences(len(figures.changes), rows), (table,))


def _sentences(count: int, rows: Sequence[tuple[str, str, str]]) -> tuple[str, ...]:
    """The latest in whole sentences: in a narrow table they are cut."""
    if not count:
        return ("Nothing was changed in what we listen for.",)
    said = "One change" if count == 1 else f"{count} changes"
    more = f", of which the table shows the latest {_MOST}" if count > _MOST else ""
    return (
        f"{said} in what we listen for{more}.",
        *(f"{when}: {what}{'' if effect == _NOTHING else f'; {effect}'}." for when, what, effect in rows[-_SHOWN:]),
        "After a change each kept post that it can touch is read again, so posts before and since are read in the same way.",
    )


def _when(figures: Figures, at: datetime) -> str:
    local = at.astimezone(figures.zone)
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def _what(figures: Figures, change: Change) -> str:
    """ "Billing: phrase 'surprise bill' added"."""
    done = "added" if change.is_added else "taken out"
    if change.where[0] == "reader":
        switched = f"The trained model was switched {'on' if change.is_added else 'off'}"
        return switched if len(change.where) > 1 else "The reader itself was renewed"
    many = len(change.words)
    if change.where[-1] in ("match", "no_match"):  # which may be words of a patient
        kind = "example" if change.where[-1] == "match" else "counter-example"
        return f"{_list(figures, change.where)}: {many} {kind}{'' if many == 1 else 's'} {done}"
    noun = _NOUNS.get(change.where[-1], "word" if "department_words" in change.where else "")
    noun = f"{noun}{'' if many == 1 else 's'} " if noun else ""
    quoted = ", ".join(f"'{shorten(word, 40)}'" for word in change.words[:_SHOWN])
    more = f" and {many - _SHOWN} more" if many > _SHOWN else ""
    return f"{_list(figures, change.where)}: {noun}{quoted}{more} {done}"


def _signed(change: Change) -> str:
    """Who made it, and the version that call-light config show takes."""
    return "" if change.version is None else f" (version {change.version}, {shorten(change.by, 40)})"


def _list(figures: Figures, where: tuple[str, ...]) -> str:
    """What people call a list of config."""
    table, *names = where
    if table == "categories":
        return figures.title(names[0])
    if table == "urgency":
        return NAMES.get(names[0], names[0]).capitalize()
    if table == "voices":
        return _LISTS.get(names[0], names[0])
    if table == "signs":
        return f"Sign {names[0]}{'' if names[-1] == 'phrases' else f', {names[-1]}'}"
    if table == "exclude":
        return "Left out"
    if where == ("hospital", "sites"):
        return "Our sites"
    if table == "hospital":
        table, *names = _OF_HOSPITAL.get(names[0], ""), *(name for name in names[1:] if name not in _NOUNS)
    return shorten(", ".join(filter(None, (table, *names))), 60)


def _effect(figures: Figures, change: Change) -> str:
    said = [_posts(figures, change), _pace(figures, change)]
    return "; ".join(part for part in said if part) or _NOTHING


def _posts(figures: Figures, change: Change) -> str:
    """How many posts hold the words since."""
    if change.posts is None:
        return ""
    count = f"{'about ' if change.is_estimate else ''}{change.posts:,}" if change.posts else "no"
    posts = f"{count} post{'' if change.posts == 1 else 's'}"
    so_far = " so far" if min(figures.now, figures.until) - change.at < _SO_FAR else ""
    return f"{'found' if change.is_added else 'still said'} in {posts}{so_far}"


def _pace(figures: Figures, change: Change) -> str:
    """The topic's complaints a day in the week before, as far as we listened then, and in the week since."""
    if change.where[0] != "categories":
        return ""
    first = figures.weeks[0].since if figures.weeks else figures.since
    first = max(first, figures.began or first)
    start, end = max(change.at - _WEEK, first), min(change.at + _WEEK, figures.until, figures.now)
    if change.at - start < _DAY or end - change.at < _DAY:
        return ""
    before, since = (_a_day(figures, change.where[1], *ends) for ends in ((start, change.at), (change.at, end)))
    return f"complaints a day: {before:.1f} before, {since:.1f} since"


def _a_day(figures: Figures, topic: str, since: datetime, until: datetime) -> float:
    heard = [*(figures.weeks[0].complaints if figures.weeks else ()), *figures.complaints]
    said = [one for one in heard if topic in one.categories and since <= one.heard_at < until]
    return len(said) / ((until - since) / _DAY)
