"""STAGE 7: the week, as one HTML page that needs no network, and as text for Slack and the terminal.

A section is a file in alerts/sections/ with section(figures) -> Section; report.toml names and orders them.
"""

import importlib
import pkgutil
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import jinja2
from sqlmodel import Session

import alerts.sections
from alerts.figures import Figures, figures
from config.schema import Config
from listener.errors import NeedsPerson

_TEMPLATE = Path(__file__).with_name("report.html.jinja")


@dataclass(frozen=True)
class Section:
    """One part of the report: sentences, and a table if it has one."""

    title: str
    sentences: tuple[str, ...]
    header: tuple[str, ...] = ()
    rows: Sequence[tuple[Any, ...]] = field(default=())


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
        raise NeedsPerson(f"no section {wrong[0]!r} for report.toml; there are {', '.join(known)}")
    return [known[name](figures) for name in sections]


def html(sections: Sequence[Section], figures: Figures) -> str:
    """One self-contained page; whatever came from a post is escaped."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(sections=sections, hospital=figures.hospital, span=span_in_words(figures))


def write(
    folder: Path, session: Session, config: Config, since: datetime, until: datetime, now: datetime
) -> tuple[Path, Figures, list[Section]]:
    """Write the page of a span into a folder; its file, and what it was made of."""
    numbers = figures(session, config, since, until, now)
    sections = report(numbers, config.report.sections)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{since.date()}-to-{(until - timedelta(seconds=1)).date()}.html"
    path.write_text(html(sections, numbers), encoding="utf-8")
    return path, numbers, sections


def write_again(folder: Path, session: Session, config: Config, now: datetime) -> int:
    """Write every page in the folder anew, without the posts that are gone by now; how many."""
    count = 0
    for path in sorted(folder.glob("*-to-*.html")):
        try:
            first, last = (date.fromisoformat(day) for day in path.stem.split("-to-"))
        except ValueError:  # a file that people put there
            continue
        since = datetime.combine(first, time(), config.hospital.zone)
        write(
            folder,
            session,
            config,
            since,
            datetime.combine(last + timedelta(days=1), time(), config.hospital.zone),
            now,
        )
        count += 1
    return count


def span_in_words(figures: Figures) -> str:
    """ "Mon 9 Nov to Sun 15 Nov 2026", in the hospital's zone."""
    first = figures.since.astimezone(figures.zone)
    last = (figures.until - timedelta(seconds=1)).astimezone(figures.zone)
    return f"{first:%a} {first.day} {first:%b} to {last:%a} {last.day} {last:%b %Y}"


def week(name: str | None, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """Start and end of an ISO week such as "2026-W46"; None: the last one that is over. Raises NeedsPerson."""
    if name is None:
        today = now.astimezone(zone).date()
        monday = today - timedelta(days=today.weekday() + 7)
    else:
        written = re.fullmatch(r"([12][0-9]{3})-W([0-9]{1,2})", name.strip().upper())
        try:
            monday = date.fromisocalendar(int(written[1] if written else 0), int(written[2] if written else 0), 1)
        except ValueError:
            raise NeedsPerson(f"no such week: {name!r}; write it as 2026-W46") from None
    return datetime.combine(monday, time(), zone), datetime.combine(monday + timedelta(days=7), time(), zone)


def week_name(since: datetime, zone: ZoneInfo) -> str:
    """The ISO week that begins at `since`: "2026-W46"."""
    year, number, _ = since.astimezone(zone).isocalendar()
    return f"{year}-W{number:02}"
