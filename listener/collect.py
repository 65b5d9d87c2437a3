"""STAGE 1: ask each due collector for posts.

A collector is a file in listener/collectors/ with
    Settings                    a CollectorSettings: the keys of its table in listening.toml
    SECRETS                     names of the environment variables that it needs
    fetch(settings, cursor, asking) -> pages
`cursor` is what its last kept page carried ({} the first time). Each page is kept before the next is asked for,
so a crash or a rate limit half-way loses nothing and reads nothing twice.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any, Protocol, cast

import listener.collectors
from config.schema import CollectorSettings
from listener.errors import NeedsPerson, ReadsUsedUp, TryLater
from listener.keep import reads_today
from listener.post import Asking, Page
from listener.watch import Watch


class Collector(Protocol):
    """What a file in listener/collectors/ holds."""

    Settings: type[CollectorSettings]
    SECRETS: tuple[str, ...]

    def fetch(self, settings: Any, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
        """Pages from `cursor` on. Raises TryLater, NeedsPerson."""


@cache
def known_collectors() -> dict[str, Collector]:
    """Every collector by name. Their libraries are loaded when they first fetch, not here."""
    names = sorted(module.name for module in pkgutil.iter_modules(listener.collectors.__path__))
    return {name: cast(Collector, importlib.import_module(f"listener.collectors.{name}")) for name in names}


def settings_of_all() -> dict[str, type[CollectorSettings]]:
    """What each collector's table in listening.toml may hold."""
    return {name: collector.Settings for name, collector in known_collectors().items()}


def may_ask(watch: Watch, settings: CollectorSettings, now: datetime) -> bool:
    """Whether the place did not ask us to wait, and the day's reads are not used up."""
    left = settings.daily_reads is None or reads_today(watch, now) < settings.daily_reads
    return left and (watch.paused_until is None or watch.paused_until <= now)


def pages(
    name: str, settings: CollectorSettings, watch: Watch, asking: Asking, secrets: Mapping[str, str]
) -> Iterator[Page]:
    """What collector `name` has to give, page by page, within the day's read budget.

    Raises TryLater and NeedsPerson only: whatever else a library throws becomes TryLater with its kind.
    """
    collector = known_collectors()[name]
    missing = [secret for secret in collector.SECRETS if not secrets.get(secret)]
    if missing:
        raise NeedsPerson(
            f"{name}: set {' and '.join(missing)} in the environment or in .env, or set on = false in listening.toml"
        )
    left = None if settings.daily_reads is None else settings.daily_reads - reads_today(watch, asking.now)
    if left is not None and left <= 0:
        raise _used_up(name, settings, asking.now)
    wanted = {secret: secrets[secret] for secret in collector.SECRETS}
    asking = Asking(asking.hospital, asking.now, wanted, left)
    try:
        for page in collector.fetch(settings, watch.cursor, asking):
            yield page
            left = None if left is None else left - page.reads
            if left is not None and left <= 0:
                raise _used_up(name, settings, asking.now)
    except (TryLater, NeedsPerson):
        raise
    except Exception as error:  # the boundary: libraries raise KeyError, RecursionError and more on odd answers
        raise TryLater(f"{name}: gave an answer that could not be read ({type(error).__name__})") from error


def _used_up(name: str, settings: CollectorSettings, now: datetime) -> ReadsUsedUp:
    midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
    return ReadsUsedUp(
        f"{name}: the {settings.daily_reads} reads of the day are used up; it goes on at midnight UTC, "
        "or with more daily_reads in listening.toml",
        midnight,
    )
