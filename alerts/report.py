"""STAGE 7: the week, as one HTML page that needs no network, and as text for Slack and the terminal.

A section is a file in alerts/sections/ with section(figures) -> Section; report.toml names and orders them.
"""

import importlib
import os
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import cast

import jinja2
from markupsafe import Markup
from sqlmodel import Session, col, select

import alerts.sections
from alerts import export
from alerts.drawing import NARROW, WIDE, svg
from alerts.figures import Figures, figures
from alerts.palette import FONTS, fills, variables
from alerts.section import Section, is_number, shown
from alerts.span import Span, named
from config.schema import Config, Report
from listener.deletions import gone_since
from listener.errors import NeedsPerson
from listener.mention import Mention

_FOLDER = Path(__file__).parent
_UNDER_WAY = timedelta(minutes=5)  # a page may have been read before what went a little earlier was written down
_HOUR = timedelta(hours=1)
_LONG = ("areas", "fixing", "returned")  # what only a longer time shows
_LONGEST_WEEK = 14  # days that are reported like a week
FOLDED = 6  # more rows than these are folded away where a chart shows them
_AGAINST = "-against-"  # in the name of a page that compares two spans


@cache
def known_sections() -> dict[str, Callable[[Figures], Section]]:
    """Every section by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(alerts.sections.__path__))
    modules = {name: importlib.import_module(f"alerts.sections.{name}") for name in names}
    return {name: cast(Callable[[Figures], Section], module.section) for name, module in modules.items()}


def report(figures: Figures, sections: Sequence[str]) -> list[Section]:
    """The sections in order. Raises NeedsPerson for one that there is not."""
    known = known_sections()
    if wrong := [name for name in sections if name not in known]:
        raise NeedsPerson(f"no section {wrong[0]!r}; there are {', '.join(known)}")
    return [known[name](figures) for name in sections]


def chosen(config: Report, span: Span) -> Sequence[str]:
    """The names of the sections for a span: a month and a quarter have their own."""
    if span.kind == "week" or (span.kind == "days" and len(span.days) <= _LONGEST_WEEK):
        return config.sections
    return config.long_sections or [*config.sections, *(name for name in _LONG if name not in config.sections)]


def html(sections: Sequence[Section], figures: Figures) -> str:
    """One self-contained page; the first section leads it. Whatever came from a post is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"shown": shown, "svg": svg}
    environment.tests |= {"right": is_number}
    return environment.get_template("report.html.jinja").render(
        sections=sections,
        hospital=figures.hospital,
        span=figures.span,
        compared=figures.before.span if figures.before and (figures.before.heard or figures.against) else None,
        made=figures.now.astimezone(figures.zone),
        colours=variables(),
        fonts=Markup(FONTS),  # noqa: S704  # our own, as the next two
        fills=Markup(fills()),  # noqa: S704
        css=Markup(css()),  # noqa: S704
        wide=WIDE,
        narrow=NARROW,
        folded=FOLDED,
    )


def css() -> str:
    """How a report looks, but for its colours."""
    return (_FOLDER / "report.css").read_text(encoding="utf-8")


def write(
    folder: Path, session: Session, config: Config, span: Span, now: datetime, against: Span | None = None
) -> tuple[Path, Figures, list[Section]]:
    """Write the page of a span into a folder; its file, and what it was made of."""
    numbers = figures(session, config, span, now, against)
    sections = report(numbers, chosen(config.report, span))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{file_name(span, against)}.html"
    export.write(path, html(sections, numbers).encode())
    os.utime(path, (now.timestamp(), now.timestamp()))  # as of when it counts: write_again looks at it
    return path, numbers, sections


def file_name(span: Span, against: Span | None = None) -> str:
    """What the files of a report are called, without their endings."""
    return f"{span.name}{_AGAINST}{against.name}" if against else span.name


def is_written(folder: Path, span: Span) -> bool:
    """Whether there is a page of a span that counts all of it: one that was made before its end does not."""
    path = folder / f"{file_name(span)}.html"
    return path.exists() and path.stat().st_mtime >= span.until.timestamp()


def written(folder: Path, span: Span) -> tuple[str, datetime] | None:
    """What the page of a span says, as markup without styles, and when it was counted; None where there is no such page."""
    path = folder / f"{file_name(span)}.html"
    try:
        counted, page = datetime.fromtimestamp(path.stat().st_mtime, UTC), path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    main = page.partition("<main>")[2].partition("</main>")[0]
    return (main, counted) if main and " style=" not in main else None  # an earlier version wrote these


def write_again(folder: Path, session: Session, config: Config, now: datetime) -> int:
    """Write the pages anew that were written before a post of theirs was gone; how many.

    The others stay: years of pages would take minutes.
    """
    lost, count = _lost(session, now), 0
    for path in sorted(folder.glob("*.html")):
        names = path.stem.split(_AGAINST)
        try:
            spans = [named(name, config.hospital.zone) for name in names]
        except NeedsPerson:  # a file that people put there
            continue
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if any(_has_lost(lost, span, written) for span in spans):
            write(folder, session, config, spans[0], now, *spans[1:2])
            count += 1
    return count


def is_outdated(session: Session, span: Span, counted: datetime, now: datetime) -> bool:
    """Whether a post of a span is gone that was there when it was counted, or that is too long ago to know."""
    return counted < gone_since(session, now) or _has_lost(_lost(session, now), span, counted)


def _has_lost(lost: Mapping[datetime, datetime], span: Span, counted: datetime) -> bool:
    inside = (gone_at for hour, gone_at in lost.items() if span.since - _HOUR < hour < span.until)
    return any(gone_at >= counted - _UNDER_WAY for gone_at in inside)


def _lost(session: Session, now: datetime) -> dict[datetime, datetime]:
    """The hours in which posts were heard that are gone lately, and when the last of each went."""
    lately = col(Mention.deleted_at) > gone_since(session, now)
    lost: dict[datetime, datetime] = {}
    for heard_at, gone_at in session.exec(select(Mention.heard_at, Mention.deleted_at).where(lately)):
        assert gone_at is not None
        hour = heard_at.replace(minute=0, second=0, microsecond=0)
        lost[hour] = max(gone_at, lost.get(hour, gone_at))
    return lost
