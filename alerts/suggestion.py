"""Suggestion: a line of a config file that is to come, go or change, who speaks for it, and what it would do; and its words. Pure."""

import tomllib
from dataclasses import dataclass, field
from typing import Any, Literal

from config.edit import add_to_list, set_value, take_from_list
from config.places import places_of
from config.schema import Config

Do = Literal["add", "take out", "narrow", "by hand"]
KEYWORDS, HOSPITAL = "keywords.toml", "hospital.toml"
DAYS = 30  # whose posts are counted


@dataclass(frozen=True)
class Change:
    """One line of a file that is to come, to go, or to be another one."""

    file: str
    path: tuple[str, ...]
    do: Do
    phrase: str
    instead: str = ""  # where it is narrowed

    @property
    def topic(self) -> str | None:
        """The category that it is about."""
        return self.path[1] if self.path[0] == "categories" else None

    @property
    def level(self) -> str | None:
        """The urgency that it is about."""
        return self.path[1] if self.path[0] == "urgency" else None

    def written(self, text: str, note: str = "") -> str:
        """The file with it. Raises EditError."""
        if self.do == "add":
            return add_to_list(text, self.path, self.phrase, note)
        if self.do == "narrow" and self.instead and (at := self._number(text, self.phrase)) is not None:
            return set_value(text, (*self.path, at), self.instead)
        return take_from_list(text, self.path, self.phrase)

    def line(self, text: str) -> int:
        """The line of the file on which its phrase stands."""
        places = places_of(text.removeprefix("\ufeff"))
        found = (self._number(text, phrase) for phrase in (self.instead, self.phrase) if phrase)
        at = next((number for number in found if number is not None), None)
        return places.get((*self.path, at) if at is not None else self.path, (1, 1))[0]

    def _number(self, text: str, phrase: str) -> int | None:
        """Which of its list a phrase is."""
        inner: Any = tomllib.loads(text.removeprefix("\ufeff"))
        for key in self.path:
            inner = inner.get(key, {})
        return inner.index(phrase) if phrase in inner else None


@dataclass(frozen=True)
class Effect:
    """How many posts of the last 30 days hold the phrase, and what became of them."""

    posts: int = 0
    already: int = 0  # read so already
    answered: int = 0
    not_for_us: int = 0
    danger: int = 0
    others: int = 0  # of patients that are not read so, and that nobody has spoken for
    against: int = 0  # of these, what people answered and left as it was read
    cards: tuple[int, int] | None = None  # that it would add and drop, as config try says


@dataclass(frozen=True)
class Suggestion:
    """A change, who speaks for it, and what it would do."""

    change: Change
    why: str  # what people did, as a sentence
    cases: tuple[int, ...] = ()
    missed: tuple[int, ...] = ()  # lines of the file of missed posts
    stories: int = 1  # of different people
    effect: Effect = field(default_factory=Effect)


# ---------------------------------------------------------------- in words


def what(change: Change, config: Config) -> str:
    """What is to be done, as a sentence without its stop."""
    place = _place(change, config)
    if change.do == "by hand":
        return (
            f"if the account on {change.phrase} whose post that was speaks for the hospital, write its name into"
            f' {change.file}, under [accounts]: {change.phrase} = "name of the account, without @"'
        )
    if change.do == "narrow":
        return f"write {_quoted(change.instead)} in place of {_quoted(change.phrase)} in {place}"
    return f"{'add' if change.do == 'add' else 'take'} {_quoted(change.phrase)} {'to' if change.do == 'add' else 'out of'} {place}"


def done(change: Change, config: Config, place: str) -> str:
    """What was done; `place` is file and line."""
    said = what(change, config)
    verb, rest = said.split(" ", 1)
    return f"{place}: {_PAST[verb]} {rest}"


def note(one: Suggestion) -> str:
    """The comment beside a line that is added."""
    numbers = ", ".join(map(str, one.cases[:4]))
    return f"suggested by case{'s' * (len(one.cases) > 1)} {numbers}" if numbers else "suggested by missed posts"


def _quoted(phrase: str) -> str:
    return f"'{phrase}'" if '"' in phrase else f'"{phrase}"'


def _place(change: Change, config: Config) -> str:
    file, path = change.file, change.path
    header = f"[{'.'.join(path[:-1])}] in {file}"
    if change.topic:
        found = config.keywords.categories.get(change.topic)
        return f'the topic "{found.title if found else change.topic}" ({header})'
    if change.level:
        return f"what makes a post {_LEVELS[change.level]} ({header})"
    return {
        "exclude": f"what is left out ({header})",
        "voices": f"what gives away {_VOICES.get(path[1] if len(path) > 1 else '', '')} ({header})",
        "not_us": f"the names that are somebody else's (not_us in {file})",
        "aliases": f"what people call us (aliases in {file})",
    }.get(path[0], file)


def effect(one: Suggestion) -> str:
    """What it would do, as sentences."""
    change, found = one.change, one.effect
    if change.do == "by hand":
        return "Its posts then count as ours; what staff say of danger or of care is a card all the same."
    if not found.posts:
        said = f"No post of the last {DAYS} days holds it yet."
    else:
        dealt = f"{found.answered} you answered, {found.not_for_us} were not for us"
        said = f"{_posts(found.posts)} of the last {DAYS} days {'hold' if found.posts > 1 else 'holds'} it: {_already(one)}, {dealt}."
    if found.cards is not None:
        added, dropped = found.cards
        said += f" Cards of these days: {added} more, {dropped} fewer."
    return said


def _already(one: Suggestion) -> str:
    change, count = one.change, one.effect.already
    if change.topic:
        return f"{count} {_are(count)} read as this topic{' today' if change.do != 'add' else ' already'}"
    if change.level:
        return f"{count} {_are(count)} so urgent already"
    if change.path == ("aliases",):
        return f"{count} {_are(count)} read as about us already"
    return f"{count} {_are(count)} no patient's as they are read{' today' if change.do != 'add' else ' already'}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _posts(count: int) -> str:
    return "1 post" if count == 1 else f"{count} posts"


_PAST = {"add": "added", "take": "took", "write": "wrote"}
_LEVELS = {"danger": "danger", "here_now": "here and now", "serious": "serious"}
_VOICES = {"promo": "adverts", "news": "the news"}
