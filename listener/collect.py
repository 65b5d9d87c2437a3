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

Where the place lets a program answer, the file that has the place's own name (its posts' `source`) holds
    REPLY_SECRETS                                     every environment variable that answering needs
    reply(settings, post, text, asking) -> Replied    one public answer by the hospital's account; see reply() below
    find_reply(settings, post, text, asking) -> Replied | None    the answer with these words, if the place has it
and, where they are not the text as it is and the post's own address,
    preview(post, text) -> str                        the words that will be public
    by_hand(post, text) -> str                        the address of the site's own form, with the text filled in
and, where it costs something,
    price(post, text) -> float                        what the place bills for the answer, in US dollars
"""

import errno
import importlib
import pkgutil
import socket
import ssl
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast

import listener.collectors
from config.schema import Accounts, CollectorSettings
from listener.errors import AskedToWait, NeedsPerson, OutcomeUnknown, ReadsUsedUp, TryLater
from listener.post import Answerable, Asking, Page, Replied

if TYPE_CHECKING:  # the database is loaded by those who use it
    from listener.keep import Ear

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


def ears(name: str) -> "list[Ear]":
    """Which of its functions hear posts."""
    collector = known_collectors()[name]
    return ["fetch", "own_replies"] if hasattr(collector, "own_replies") else ["fetch"]


def optional(collector: Collector) -> tuple[str, ...]:
    """The secrets that it uses when they are set."""
    return tuple(getattr(collector, "OPTIONAL_SECRETS", ()))


def reply_secrets(collector: Collector) -> tuple[str, ...]:
    """The secrets that it needs to answer in public."""
    return tuple(getattr(collector, "REPLY_SECRETS", ()))


def is_live(name: str) -> bool:
    """Whether it stays connected while the service runs."""
    return bool(getattr(known_collectors()[name], "LIVE", False))


def can_look(name: str) -> bool:
    """Whether its place tells if a post is still there."""
    return hasattr(known_collectors()[name], "lookup")


def pages(
    name: str, ear: "Ear", settings: CollectorSettings, cursor: Mapping[str, Any], asking: Asking
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
            f"{name}: set {' and '.join(missing)} in the environment or in .env and start the service again, or set on = false in listening.toml"
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


# ---------------------------------------------------------------- answering in public


def can_reply(source: str) -> bool:
    """Whether a program may answer posts of this place at all; not every post, and not without the secrets."""
    return hasattr(known_collectors().get(source), "reply")


def preview(source: str, post: Answerable, text: str) -> str:
    """The exact words that reply() makes public."""
    shown = getattr(known_collectors().get(source), "preview", None)
    return shown(post, text) if shown else text


def by_hand(source: str, post: Answerable, text: str) -> str | None:
    """Where a person answers the post: the site's own form with the text in it where it has one, else the post."""
    form = getattr(known_collectors().get(source), "by_hand", None)
    return form(post, text) if form else post.url


def price(source: str, post: Answerable, text: str) -> float:
    """What the place bills for a reply, in US dollars."""
    of_it: Callable[[Answerable, str], float] | None = getattr(known_collectors().get(source), "price", None)
    return of_it(post, text) if of_it else 0.0


def reply(source: str, settings: CollectorSettings, post: Answerable, text: str, asking: Asking) -> Replied:
    """Answer a post in public as the hospital's account. It is sent once: neither this nor any library tries again.

    Raises TryLater, AskedToWait: surely not sent. OutcomeUnknown: it may be public; look, with find_reply() or by eye,
    before anyone sends again. NeedsPerson: not sent, and the sentence says what to do.
    """
    collector, asking = _answering(source, asking)
    if not text.strip():
        raise NeedsPerson(f"{source}: the reply has no words; write some")
    try:
        replied: Replied = collector.reply(settings, post, text, asking)
    except (AskedToWait, OutcomeUnknown, NeedsPerson):
        raise
    except Exception as error:  # what is not within sending() came before the reply was sent
        later = error if isinstance(error, TryLater) else _odd(source, error)
        why = str(later).partition(";")[0]
        raise TryLater(f"{why}; the reply was not sent: check the network, and send it again", later.at) from error
    return replied


def find_reply(source: str, settings: CollectorSettings, post: Answerable, text: str, asking: Asking) -> Replied | None:
    """The hospital's answer with these words to this post, if its place has it by now: for after OutcomeUnknown.

    None soon after it was sent may only mean that the place is slow: look a minute later. Raises TryLater, NeedsPerson.
    """
    collector, asking = _answering(source, asking)
    try:
        found: Replied | None = collector.find_reply(settings, post, text, asking)
    except (TryLater, NeedsPerson):
        raise
    except Exception as error:
        raise _odd(source, error) from error
    return found


@contextmanager
def sending(source: str) -> Iterator[None]:
    """Around the one request that makes a reply public, and the reading of its answer.

    The place's own no (AskedToWait, NeedsPerson) goes through. Anything else leaves open whether the reply is public,
    and becomes OutcomeUnknown; but TryLater where no connection was made.
    """
    try:
        yield
    except (AskedToWait, NeedsPerson, OutcomeUnknown):
        raise
    except Exception as error:
        if _never_left(error):
            raise TryLater(f"{source}: no connection ({type(error).__name__})") from None
        why = str(error).removeprefix(f"{source}: ").partition(";")[0]
        why = why if isinstance(error, TryLater) else type(error).__name__
        raise OutcomeUnknown(
            f"{source}: the reply may be public or not ({why}); look at the post on the site before anyone sends it "
            "again"
        ) from error


def _answering(source: str, asking: Asking) -> tuple[Any, Asking]:
    """The collector that answers there, and what it may know. Raises NeedsPerson."""
    collector = known_collectors().get(source)
    if collector is None or not can_reply(source):
        raise NeedsPerson(f"{source}: no program can answer there; open the post and answer it by hand")
    needed = reply_secrets(collector)
    if missing := [secret for secret in needed if not asking.secrets.get(secret)]:
        raise NeedsPerson(
            f"{source}: to answer from here, set {' and '.join(missing)} in the environment or in .env; until then "
            "open the post and answer it by hand"
        )
    if source in Accounts.model_fields and not getattr(asking.hospital.accounts, source):
        raise NeedsPerson(f"{source}: write the hospital's account there into hospital.toml, accounts.{source}")
    return collector, replace(asking, secrets={secret: asking.secrets[secret] for secret in needed})


def _never_left(error: BaseException | None) -> bool:
    """Whether no connection was made at all: then nothing can have arrived."""
    while error is not None:
        refused = isinstance(error, ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError)
        unreachable = isinstance(error, OSError) and error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH)
        if refused or unreachable or type(error).__name__ == "ConnectTimeout":  # that of requests, and that of httpx
            return True
        error = error.__cause__ or error.__context__
    return False
