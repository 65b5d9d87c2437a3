"""How a rehearsal is shown: as sections for the terminal, as one page for a colleague, as plain values for programs. Pure."""

from collections import Counter
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from alerts.case import RANK
from alerts.message import NAMES, place, shorten
from alerts.palette import FONTS, variables
from alerts.rehearse import Change, Precision, Rehearsal
from alerts.section import Section, Share, Table, is_number, shown
from config.schema import Config

ROWS = 20  # of each table, unless all are asked for
_TEMPLATE = Path(__file__).with_name("rehearsal.html.jinja")
_ON_PAGE, _ON_TERMINAL = 400, 160  # characters of a post
OF_POSTS = ("Heard", "Place", "Urgency", "Goes to", "Why", "Case", "Post")
_CASES = 20  # numbers of cases that a sentence names
_NOT_REPLAYED = "Not replayed: what is heard (listening.toml), spikes, reminders, targets and shifts, and posts that are gone at their place."


def danger(rehearsal: Rehearsal) -> tuple[str, ...]:
    """What would be otherwise for posts that tell of danger; nothing when nothing would."""
    said = []
    if lost := len(rehearsal.danger_lost):
        said.append(f"Danger: {_count(lost, 'post')} would no longer be danger.")
    if held := rehearsal.held_danger:
        found = rehearsal.still_danger
        finds = f"the reader finds {found:,} of these {held:,} by itself"
        finds = finds if held > 1 else f"the reader {'still finds it' if found else 'does not find it'} by itself"
        said.append(
            f"{_count(held, 'post')} that {_were(held)} danger {'holds' if held == 1 else 'hold'} a phrase that [urgency.danger] "
            f"lost; {finds}."
        )
    if gained := len(rehearsal.danger_gained):
        said.append(f"Danger: {_count(gained, 'post')} would be danger that {_were(gained)} not.")
    return tuple(said)


def numbers(rehearsal: Rehearsal) -> str:
    """What would differ, in one sentence."""
    if not rehearsal.differs:
        return "Nothing would differ."
    parts = [_count(len(rehearsal.added), "new card"), f"{len(rehearsal.dropped):,} dropped"]
    ways = Counter(_way(one) for one in rehearsal.moved)
    parts += [f"{ways[way]:,} {way}" for way in ("more urgent", "less urgent", "in another channel") if ways[way]]
    if rehearsal.more_posts or rehearsal.fewer_posts:
        parts.append(f"{rehearsal.more_posts:,} more and {rehearsal.fewer_posts:,} fewer posts on cards that stay")
    if of_digest := len(rehearsal.digest):
        parts.append(f"{_count(of_digest, 'post')} otherwise in the digests")
    if rehearsal.topics_changed:
        parts.append(f"{_count(rehearsal.topics_changed, 'post')} with other topics")
    return f"{', '.join(parts)}: {rehearsal.cards_before:,} cards before, {rehearsal.cards_after:,} after."


def sections(
    rehearsal: Rehearsal, before: Config, after: Config, rows: int | None = ROWS, page: bool = False
) -> list[Section]:
    """Everything but the sentences of danger, which come first; of each table so many rows (None: all), for a page or for the terminal."""
    zone, width = before.hospital.zone, _ON_PAGE if page else _ON_TERMINAL

    def table(name: str, changes: tuple[Change, ...], title: str = "") -> tuple[Table, ...]:
        some = changes if rows is None else changes[:rows]
        every = "" if page else "; --all shows every one"
        more = f" (the first {len(some)} of {len(changes):,}{every})" if len(some) < len(changes) else ""
        cells = [_row(one, one.heard_at.astimezone(zone), width) for one in some]
        return (Table(name, OF_POSTS, cells, f"{title}{more}".removeprefix(" ")),) if changes else ()

    found = [
        Section("", (numbers(rehearsal), *_what(rehearsal, before))),
        Section(
            "Danger",
            (),
            (
                *table("danger_lost", rehearsal.danger_lost, "No longer danger"),
                *table("danger_gained", rehearsal.danger_gained, "Danger from now on"),
            ),
        ),
        Section("New cards", _young(rehearsal), table("added", rehearsal.added)),
        Section("Dropped cards", _out(rehearsal), table("dropped", rehearsal.dropped)),
        Section("Moved cards", (), table("moved", rehearsal.moved)),
        Section("Digests", (), table("digest", rehearsal.digest)),
        Section("Topics", (), _topics(rehearsal, before, after)),
        Section("Load", (), _loads(rehearsal)),
        Section("Precision", _precision(rehearsal), ()),
        Section("What this does not say", _limits(rehearsal, before, after)),
    ]
    return [section for section in found if section.sentences or section.tables]


def html(rehearsal: Rehearsal, before: Config, after: Config, what: tuple[str, ...] = ()) -> str:
    """One self-contained page with all rows; `what`: the change in words. Whatever came from a post is escaped."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"shown": shown}
    environment.tests |= {"right": is_number}
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        danger=danger(rehearsal),
        sections=sections(rehearsal, before, after, rows=None, page=True),
        hospital=before.hospital.name,
        what=what,
        made=rehearsal.until.astimezone(before.hospital.zone),
        colours=variables(),
        fonts=Markup(FONTS),  # noqa: S704  # our own
    )


def as_json(rehearsal: Rehearsal, what: tuple[str, ...] = ()) -> dict[str, Any]:
    """Everything, for programs."""
    return {"changes": what, "differs": rehearsal.differs, "days": round(rehearsal.days, 2), **asdict(rehearsal)}


def _what(rehearsal: Rehearsal, config: Config) -> tuple[str, ...]:
    since = max(rehearsal.since, rehearsal.first or rehearsal.since).astimezone(config.hospital.zone)
    posts = _count(rehearsal.posts, "post")
    return (
        f"{posts} heard since {since:%a} {since.day} {since:%b %Y} were replayed; {rehearsal.read_again:,} of them had to be "
        "read again.",
    )


def _young(rehearsal: Rehearsal) -> tuple[str, ...]:
    if not rehearsal.added:
        return ()
    young = sum(one.is_young for one in rehearsal.added)
    if not young:
        return (
            "None of them is younger than 24 hours: saving the files makes no card of these, they show what would have been.",
        )
    are = "is" if young == 1 else "are"
    return (
        f"{young:,} of them {are} younger than 24 hours and become cards when the files are saved. Older ones do not.",
    )


def _out(rehearsal: Rehearsal) -> tuple[str, ...]:
    return ("Cards that are out stay: what people were told is not taken back.",) if rehearsal.dropped else ()


def _topics(rehearsal: Rehearsal, before: Config, after: Config) -> tuple[Table, ...]:
    titles = {**before.keywords.categories, **after.keywords.categories}
    rows = [(titles[name].title if name in titles else name, gained, lost) for name, gained, lost in rehearsal.topics]
    return (Table("topics", ("Topic", "Posts more", "Posts fewer"), rows),) if rows else ()


def _loads(rehearsal: Rehearsal) -> tuple[Table, ...]:
    header = ("Channel", "Cards before", "after", "A day before", "after", "Busiest day before", "after")
    rows = [
        (
            *(load.channel, load.before, load.after, load.before / rehearsal.days, load.after / rehearsal.days),
            *(load.most_before, load.most_after),
        )
        for load in rehearsal.loads
    ]
    return (Table("load", header, rows),) if rows else ()


def _precision(rehearsal: Rehearsal) -> tuple[str, ...]:
    before, after = rehearsal.precision_before, rehearsal.precision_after
    if not before.good + before.bad + after.good + after.bad:
        return ("No card of this time was answered, closed or said to be not for us yet.",)
    said = [f"Of the cards that people dealt with, {_share(before)} were for us before, {_share(after)} after."]
    if rehearsal.lost_cases:
        said.append(f"Answered, and there would be no card for it: {_numbers(rehearsal.lost_cases)}.")
    if rehearsal.spared_cases:
        said.append(f"Not for us, and there would be no card for it: {_numbers(rehearsal.spared_cases)}.")
    return tuple(said)


def _limits(rehearsal: Rehearsal, before: Config, after: Config) -> tuple[str, ...]:
    said = [_NOT_REPLAYED]
    if rehearsal.gone:
        said.append(f"{_count(rehearsal.gone, 'post')} of this time {'is' if rehearsal.gone == 1 else 'are'} gone.")
    if before.collectors != after.collectors:
        said.append("listening.toml was changed: what else would be heard, or not, nobody can tell.")
    return tuple(said)


def _row(change: Change, at: datetime, width: int) -> tuple[str, ...]:
    return (
        f"{at:%a} {at.day} {at:%b %H:%M}",
        place(change.source),
        _arrow(NAMES.get(change.before.urgency, ""), NAMES.get(change.after.urgency, "")),
        _arrow(change.before.goes_to, change.after.goes_to),
        "; ".join(change.why) or "another reading",
        f"case {change.case_id}" if change.case_id else "",
        " ".join(shorten(change.text, width).split()),
    )


def _arrow(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"


def _way(change: Change) -> str:
    before, after = (RANK[one.urgency] for one in (change.before, change.after))
    return "more urgent" if after < before else "less urgent" if after > before else "in another channel"


def _share(precision: Precision) -> str:
    of = precision.good + precision.bad
    return f"{precision.good:,} of {of:,} ({Share(precision.good, of)})"


def _numbers(cases: tuple[int, ...]) -> str:
    more = f" and {len(cases) - _CASES} more" if len(cases) > _CASES else ""
    return f"case {', '.join(map(str, cases[:_CASES]))}{more}"


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
