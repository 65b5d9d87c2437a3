"""STAGE 1: ask each due collector for posts.

A collector is a file in listener/collectors/ with
    Settings                                    a CollectorSettings: the keys of its table in listening.toml
    SECRETS                                     names of the environment variables that it needs
    OPTIONAL_SECRETS                            (may be left out) those that it uses when they are set
    LIVE                                        (may be left out) True: fetch() listens until it is told to stop
    fetch(settings, cursor, asking) -> pages    what people say
and, where the place can tell,
    own_replies(settings, cursor, asking) -> pages    what the hospital's own accounts answered
    lookup(settings, refs, asking) -> page            whether up to LOOKUP_MOST kept posts are still there, and as they were
`cursor` is what its last kept page carried ({} the first time). Each page is kept before the next is asked for,
so a crash or a rate limit half-way loses nothing and reads nothing twice.

Every error is TryLater (it goes on by itself), NeedsPerson (the sentence says what to do) or, for one post, SkipPost.
"""

import importlib
import pkgutil
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any, Protocol, cast

import listener.collectors
from config.schema import CollectorSettings
from listener.errors import NeedsPerson, ReadsUsedUp, TryLater
from listener.keep import Ear
from listener.post import Asking, Page

LOOKUP_MOST = 100  # posts in one lookup


class Collector(Protocol):
    """What a file in listener/collectors/ holds; the two functions that not every place allows are looked for."""

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


def ears(name: str) -> list[Ear]:
    """Which of its functions hear posts."""
    collector = known_collectors()[name]
    return ["fetch", "own_replies"] if hasattr(collector, "own_replies") else ["fetch"]


def optional(collector: Collector) -> tuple[str, ...]:
    """The secrets that it uses when they are set."""
    return tuple(getattr(collector, "OPTIONAL_SECRETS", ()))


def is_live(name: str) -> bool:
    """Whether it stays connected while the service runs."""
    return bool(getattr(known_collectors()[name], "LIVE", False))


def can_look(name: str) -> bool:
    """Whether its place tells if a post is still there."""
    return hasattr(known_collectors()[name], "lookup")


def pages(
    name: str, ear: Ear, settings: CollectorSettings, cursor: Mapping[str, Any], asking: Asking
) -> Generator[Page, None, None]:
    """What collector `name` has to give, page by page, within what is left to read. `asking` carries every secret.

    Raises TryLater and NeedsPerson only: whatever else a library throws becomes TryLater with its kind.
    """
    collector, left = known_collectors()[name], asking.reads_left
    asking = _with_secrets(name, collector, asking)
    if left is not None and left <= 0:
        raise _used_up(name, settings, asking.now)
    hear: Callable[..., Iterator[Page]] = getattr(collector, ear)
    try:
        for page in hear(settings, cursor, asking):
            yield page
            left = None if left is None else left - page.reads
            if left is not None and left <= 0:
                raise _used_up(name, settings, asking.now)
    except (TryLater, NeedsPerson):
        raise
    except Exception as error:  # the boundary: libraries raise KeyError, RecursionError and more on odd answers
        raise _odd(name, error) from error


def without_empty_ones(pages: Iterator[Page]) -> Generator[Page, None, None]:
    """The same pages; those with nothing in them go with the next one: most polls bring nothing, and each page is a write
    to the disk. A crash in between only asks once more for what was nothing."""
    held: Page | None = None
    try:
        for found in pages:
            page = found if held is None else replace(found, matched={**held.matched, **found.matched})
            held = page
            if page.posts or page.deleted or page.reads or page.cost or page.unheard or page.skipped:
                held = None
                yield page
    except (TryLater, NeedsPerson):
        if held is not None:
            yield held
        raise
    if held is not None:
        yield held


def look(name: str, settings: CollectorSettings, refs: Sequence[str], asking: Asking) -> Page:
    """What the place says of these posts of its own: those that are gone, and the others as they are now. Raises as pages()."""
    collector: Any = known_collectors()[name]
    try:
        page: Page = collector.lookup(settings, refs, _with_secrets(name, collector, asking))
    except (TryLater, NeedsPerson):
        raise
    except Exception as error:
        raise _odd(name, error) from error
    return page


def _with_secrets(name: str, collector: Collector, asking: Asking) -> Asking:
    """A collector sees the secrets that it named, and no others."""
    missing = [secret for secret in collector.SECRETS if not asking.secrets.get(secret)]
    if missing:
        raise NeedsPerson(
            f"{name}: set {' and '.join(missing)} in the environment or in .env, or set on = false in listening.toml"
        )
    named = (*collector.SECRETS, *optional(collector))
    return replace(asking, secrets={secret: asking.secrets[secret] for secret in named if asking.secrets.get(secret)})


def _odd(name: str, error: Exception) -> TryLater:
    return TryLater(f"{name}: gave an answer that could not be read ({type(error).__name__})")


def _used_up(name: str, settings: CollectorSettings, now: datetime) -> ReadsUsedUp:
    midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
    limits = [f"{settings.daily_reads} of the day"] if settings.daily_reads is not None else []
    limits += [f"{settings.monthly_reads} of the month"] if settings.monthly_reads is not None else []
    return ReadsUsedUp(
        f"{name}: its reads ({', '.join(limits)}, in UTC) are used up; it goes on with the next day or month, "
        "or with a larger number in listening.toml",
        midnight,
    )
