"""Filters that fell silent: a phrase that used to find posts and finds none, an exclusion that takes too many away.

A typo in a keyword file, or a NOT that takes everything out, breaks nothing that anybody sees: cards just do not come. So
it is looked what each phrase found on the days before. benchmarks/silent_rate.py tells where the numbers come from.
"""

import difflib
import math
import shlex
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session

from alerts.phrase_counts import EXCLUDE, NOT_US, History, count, history
from alerts.span import days
from alerts.tuning import Change, changes
from config.schema import Config
from listener import health
from listener.watch import Watch
from nlp.listed import entries
from nlp.tokenizer import fold

STOPPED, SWALLOWS = "stopped", "swallows"
_EVERY = timedelta(hours=1)
_PLACE = "silent filters"  # the Watch that says when it was looked last
_LOOK_BACK = 60  # days
_BEFORE, _LEAST_BEFORE = 28, 7  # days that tell what is usual: at most, and at least
_LONGEST = 14  # days of silence that count
_CHANCE = 1e-5  # that a phrase finds nothing so long though nothing is wrong: there are two thousand of them
_CHANCE_CHANGED = 1e-3  # the same of a phrase that an admin has just changed: of these there are few
_SWAY = 0.7  # deviation of a day's rate, as a share of it
_WEEKS_SWAY = 0.3  # and of a week's
_USUAL = 0.5  # of the days: what is found on a busier day may be a burst, and is no promise
_GAPS = 2  # a silence is longer than so many times the longest one before
_WEEK = 7  # days over which exclusions are looked at
_SHARE, _FEWEST = 1 / 20, 20  # of the posts, and posts, that an exclusion takes away when that is told
_TIMES, _RARE = 5, 1e-5  # or so many times what it usually takes, and how rare that is by chance
_NAMED = 3  # phrases of a change that are named
_DAY = timedelta(days=1)
_ALIKE = 0.6  # of the letters: one phrase took another one's place


class Silence(NamedTuple):
    """A phrase that finds nothing."""

    days: int  # so long
    usual: float  # posts a day before


class Swallowed(NamedTuple):
    """What an exclusion took away in a week."""

    posts: int
    of: int
    usual: float | None  # a week, where the weeks before tell


@dataclass(frozen=True)
class _Told:
    what: str
    why: str
    over: str


# ---------------------------------------------------------------- what is unusual; pure


def silence(found: Sequence[int], posts: Sequence[int], chance: float = _CHANCE) -> Silence | None:
    """Whether a phrase fell silent that was in `found` of `posts` about us, day by day, the last day last.

    A count of a day is a Poisson count whose rate sways from day to day; silence is told when no chance explains it, and
    when it is far longer than any before, as phrases that come in bursts are silent often.
    """
    quiet = _quiet(found)
    begin = max(0, len(found) - quiet - _BEFORE)
    before, of = found[begin : len(found) - quiet], posts[begin : len(found) - quiet]
    if not quiet or len(before) < _LEAST_BEFORE or quiet <= _GAPS * _longest_gap(before):
        return None
    rate = _rate(before, of)
    lately = posts[len(posts) - min(quiet, _LONGEST) :]
    likely = sum(-math.log1p(rate * count * _SWAY**2) / _SWAY**2 for count in lately)
    return Silence(quiet, sum(before) / len(before)) if likely < math.log(chance) else None


def _quiet(found: Sequence[int]) -> int:
    return next((days for days, posts in enumerate(reversed(found)) if posts), len(found))


def _longest_gap(found: Sequence[int]) -> int:
    longest = now = 0
    for posts in found:
        now = 0 if posts else now + 1
        longest = max(longest, now)
    return longest


def _rate(found: Sequence[int], posts: Sequence[int]) -> float:
    """Of all posts so many as a rule."""
    shares = [count / of for count, of in zip(found, posts, strict=True)]
    usual = sorted(shares)[int(_USUAL * (len(shares) - 1))]
    return sum(min(share, usual) for share in shares) / len(shares)


def swallowed(taken: Sequence[int], posts: Sequence[int], *, is_on: bool = False) -> Swallowed | None:
    """Whether an exclusion takes more than its share: `taken` of `posts`, day by day. What was told goes on until it takes
    half of that (`is_on`)."""
    now, of = sum(taken[-_WEEK:]), sum(posts[-_WEEK:])
    before = taken[-_WEEK - _BEFORE : -_WEEK]
    usual = sum(before) / len(before) * _WEEK if len(before) >= _LEAST_BEFORE else None
    least = _FEWEST / 2 if is_on else _FEWEST
    share, times = (_SHARE / 2, _TIMES / 2) if is_on else (_SHARE, _TIMES)
    too_many = now > share * of or (usual and now > times * usual and _at_least(now, times * usual) < _RARE)
    return Swallowed(now, of, usual) if now >= least and too_many else None


def _at_least(count: int, usual: float) -> float:
    """How likely so many posts or more are: a Poisson count whose rate sways itself."""
    shape = _WEEKS_SWAY**-2
    share = usual / (usual + shape)
    fewer = (
        math.exp(
            math.lgamma(n + shape)
            - math.lgamma(shape)
            - math.lgamma(n + 1)
            + shape * math.log1p(-share)
            + n * math.log(share)
        )
        for n in range(count)
    )
    return max(0.0, 1 - sum(fewer))


def place_of(phrase: str, gone: Collection[str]) -> str | None:
    """The one of these phrases that is most like it; None where none is."""
    close = difflib.get_close_matches(phrase, gone, 1, _ALIKE)
    words = set(fold(phrase).split())
    return next(iter(close), None) or next((one for one in gone if words & set(fold(one).split())), None)


# ---------------------------------------------------------------- the stage


def watch(session: Session, config: Config, now: datetime) -> int:
    """Count what is not counted yet, and once an hour look whether a filter fell silent: how many alarms began or ended.
    Commits."""
    if count(session, config, now):
        return 0
    place = session.get(Watch, _PLACE, with_for_update=True) or Watch(name=_PLACE)
    looked = place.cursor.get("looked")
    if looked is not None and now - datetime.fromisoformat(looked) < _EVERY:
        session.rollback()
        return 0
    known = history(session, (now - timedelta(days=_LOOK_BACK)).astimezone(config.hospital.zone).date())
    made = _look(session, STOPPED, list(_stopped(session, config, known)), now)
    made += _look(session, SWALLOWS, list(_swallows(session, config, known)), now)
    place.cursor = {"looked": now.isoformat()}
    session.add(place)
    session.commit()
    return made


def _look(session: Session, kind: str, found: Sequence[_Told], now: datetime) -> int:
    """Write down which alarms begin and which are over."""
    on, told = health.standing(session, kind), {one.what: one for one in found}
    for one in found:
        health.raised(session, one.what, kind, one.why, one.over, now)
    for what in on - set(told):
        health.over(session, what, kind, now)
    return len(on ^ set(told))


def _stopped(session: Session, config: Config, known: History) -> Iterator[_Told]:
    lists: dict[str, list[str]] = {}
    for entry in entries(config.keywords):
        if entry.table != EXCLUDE:
            lists.setdefault(entry.table, []).append(entry.phrase)
    on, made = health.standing(session, STOPPED), _made(session, config, known)
    for table, phrases in lists.items():
        for phrase in dict.fromkeys(phrases):
            found, what = known.of(table, phrase), f"{table}: {phrase}"
            before = None if any(found) else _before(table, phrase, made)
            found = known.of(table, before) if before else found
            if silent := silence(found, known.posts, _CHANCE_CHANGED if before else _CHANCE):
                why = _of_silence(table, phrase, before, silent, known.days[-silent.days], made, config.hospital.zone)
                yield _Told(what, why, f"{phrase!r} of [{table}] finds posts again, or stands there no more")
            elif what in on and found and not found[-1]:
                yield _Told(what, "", "")  # what was usual is long ago; it is as silent as it was


def _made(session: Session, config: Config, known: History) -> list[Change]:
    """What was changed in lists of phrases since anything was counted."""
    if not known.days:
        return []
    span = days(known.days[0], known.days[-1] + 2 * _DAY, config.hospital.zone)
    return [change for change in changes(session, span, ()) if change.where[-1] == "phrases"]


def _before(table: str, phrase: str, made: Sequence[Change]) -> str | None:
    """The phrase that was taken out when this one was put in, and is most like it."""
    times = {change.at for change in made if change.is_added and _table(change) == table and phrase in change.words}
    gone = [
        word
        for change in made
        if not change.is_added and _table(change) == table and change.at in times
        for word in change.words
    ]
    return place_of(phrase, gone)


def _table(change: Change) -> str:
    return ".".join(change.where[:-1])


def _of_silence(
    table: str, phrase: str, before: str | None, silent: Silence, since: date, made: Sequence[Change], zone: ZoneInfo
) -> str:
    found = f"{before!r}, which it replaced," if before else "it"
    around = [
        change for change in made if _table(change) == table and abs(change.at.astimezone(zone).date() - since) <= _DAY
    ]
    said = [
        f"{', '.join(map(repr, change.words[:_NAMED]))}{' and more' if len(change.words) > _NAMED else ''} "
        f"{'added' if change.is_added else 'taken out'} on {change.at.astimezone(zone):%a %d %b %H:%M}"
        for change in around
    ]
    changed = f"Changed there: {'; '.join(said)}" if said else "Nothing was changed in that list"
    return (
        f"{phrase!r} of [{table}] has found nothing for {silent.days} days, since {since:%a %d %b}; before that {found} was in "
        f"{silent.usual:.1f} posts a day. {changed}. Look at it with: call-light config show {shlex.quote(phrase)}"
    )


def _swallows(session: Session, config: Config, known: History) -> Iterator[_Told]:
    on = health.standing(session, SWALLOWS)
    exclusions = [(EXCLUDE, phrase) for phrase in config.keywords.exclude.phrases]
    exclusions += [(NOT_US, name) for name in config.hospital.not_us]
    theirs = [known.of(NOT_US, name) for name in config.hospital.not_us]
    for table, phrase in dict.fromkeys(exclusions):
        taken, what = known.of(table, phrase), f"{table}: {phrase}"
        posts = known.posts
        if table == NOT_US:  # these would be about us without it
            posts = [sum(counts) for counts in zip(posts, *theirs, strict=True)]
        if found := swallowed(taken, posts, is_on=what in on):
            usual = f"; {found.usual:.0f} a week are usual" if found.usual is not None else ""
            quoted = f'"{phrase}"'
            file = "hospital.toml" if table == NOT_US else "keywords.toml"
            why = (
                f"{phrase!r} of {table} in {file} took {found.posts:,} of {found.of:,} posts away in seven days{usual}. See "
                f"whether they are meant: call-light search {shlex.quote(quoted)} --since 7d"
            )
            yield _Told(what, why, f"{phrase!r} of {table} takes no more than its share again")
