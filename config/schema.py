"""The shape of the five files. Unknown keys are refused: a typo must never turn a filter off in silence."""

import re
from collections.abc import Collection
from datetime import timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    StrictBool,
    StrictInt,
    StringConstraints,
    model_validator,
)

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=3650)  # counted back from today it still has to be a date


class NotAmong(ValueError):
    """A value that is none of `choices`, one of which was perhaps meant."""

    def __init__(self, allowed: str, choices: Collection[str]) -> None:
        self.choices = choices
        super().__init__(allowed)


def parse_duration(value: Any) -> timedelta:
    """ "60s", "5m", "24h" or "7d" as a timedelta; ValueError for anything else."""
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"\s*([1-9][0-9]{0,5})\s*([smhd])\s*", value) if isinstance(value, str) else None
    if not match:
        raise ValueError('a number and one of s, m, h, d, such as "60s", "5m", "24h", "7d"')
    duration = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if duration > _LONGEST:
        raise ValueError(f'a time of at most "{_LONGEST.days}d"')
    return duration


def _parse_hours(value: Any) -> tuple[tuple[int, int], ...]:
    """ "22:00-06:00, 09:00-12:00" as minutes after midnight, both ends; an end past midnight is above 1440."""
    if isinstance(value, tuple):
        return value
    if not isinstance(value, str):
        raise ValueError('hours such as "08:00-20:00", or "" for closed')
    spans = []
    for part in filter(None, (p.strip() for p in value.split(","))):
        match = re.fullmatch(r"([0-9]{2}):([0-5][0-9])-([0-9]{2}):([0-5][0-9])", part)
        start, end = (int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])) if match else (9999, 0)
        if start >= 1440 or end > 1440:
            raise ValueError('hours such as "08:00-20:00", "00:00-24:00" or "" for closed')
        spans.append((start, end if end > start else end + 1440))
    return tuple(spans)


def _known_zone(value: str) -> str:
    zones = available_timezones()
    if value not in zones:
        raise NotAmong('a zone of the IANA list, such as "America/Chicago"', zones)
    return value


def _without_at(value: str) -> str:
    name = value.strip().removeprefix("@")
    if re.search(r"[\s/@]", name.replace("@", "", 1)):
        raise ValueError('the name of the account alone, such as "StBrigidCares"')
    return name


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Hours = Annotated[tuple[tuple[int, int], ...], BeforeValidator(_parse_hours)]
Zone = Annotated[str, AfterValidator(_known_zone)]
Account = Annotated[str, AfterValidator(_without_at)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+(/\S*)?$")]

Kind = Literal["complaint", "question", "praise", "comment"]
Voice = Literal["patient", "news", "promo", "other"]
Urgency = Literal["danger", "here_now", "serious", "routine", "low", "none"]
Outcome = Literal["alert", "digest", "dismiss"]


class Table(BaseModel):
    """One TOML table: read once, never changed, no key that is not named here."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# ---------------------------------------------------------------- hospital.toml


class Accounts(Table):
    """The hospital's own accounts, without "@"; empty where it has none."""

    x: Account = ""
    reddit: Account = ""
    bluesky: Account = ""
    mastodon: Account = ""


class Site(Table):
    """A place of the hospital."""

    name: Text
    aliases: tuple[Text, ...] = ()
    departments: tuple[Text, ...] = ()


class Coverage(Table):
    """When the care team is there: spans of minutes after midnight for each weekday, in the hospital's zone."""

    mon: Hours = ((0, 1440),)
    tue: Hours = ((0, 1440),)
    wed: Hours = ((0, 1440),)
    thu: Hours = ((0, 1440),)
    fri: Hours = ((0, 1440),)
    sat: Hours = ((0, 1440),)
    sun: Hours = ((0, 1440),)


class Hospital(Table):
    """hospital.toml"""

    name: Text
    timezone: Zone
    aliases: Annotated[tuple[Text, ...], Field(min_length=1)]
    not_us: tuple[Text, ...] = ()
    town: Text
    accounts: Accounts = Accounts()
    sites: tuple[Site, ...] = ()
    department_words: dict[Text, tuple[Text, ...]] = {}
    coverage: Coverage = Coverage()

    @property
    def zone(self) -> ZoneInfo:
        """The hospital's time zone."""
        return ZoneInfo(self.timezone)

    def is_own_account(self, source: str, author: str | None) -> bool:
        """Whether a post of this author on this site is the hospital's own word."""
        # Only the fields: a source comes from outside and may be called like any attribute.
        own = getattr(self.accounts, source) if source in Accounts.model_fields else ""
        return bool(own) and author is not None and author.removeprefix("@").casefold() == own.casefold()


# ---------------------------------------------------------------- listening.toml


class CollectorSettings(Table):
    """The keys that every collector takes; each collector adds its own in its file."""

    on: StrictBool = False
    every: Duration = timedelta(minutes=5)
    quiet_after: Duration = timedelta(hours=24)
    base_url: Url | None = None
    # How long a post's words are kept; what became of it stays for the ledger.
    keep_for: Duration = timedelta(days=365)
    # How often it is looked whether a kept post is still there.
    recheck: Duration = timedelta(hours=24)
    # Posts that the place bills: how many at most, and what one costs in US dollars.
    daily_reads: Annotated[StrictInt, Field(ge=1)] | None = None
    monthly_reads: Annotated[StrictInt, Field(ge=1)] | None = None
    price_per_read: Annotated[float, Field(ge=0, le=100)] = 0.0


class Listening(Table):
    """listening.toml; what is inside a collector's table is checked against that collector's own settings."""

    collectors: dict[Identifier, dict[str, Any]]


# ---------------------------------------------------------------- keywords.toml


class Phrases(Table):
    """Phrases to find, and example sentences that must and must not be found."""

    phrases: tuple[Text, ...] = ()
    match: tuple[Text, ...] = ()
    no_match: tuple[Text, ...] = ()


class Category(Phrases):
    """A topic of complaint or praise, and who is asked to mend it."""

    title: Text
    owner: Text


class UrgencyPhrases(Table):
    """The three levels that have words of their own; the others follow from what is said and how."""

    danger: Phrases = Phrases()
    here_now: Phrases = Phrases()
    serious: Phrases = Phrases()


class VoicePhrases(Table):
    """Words that give away adverts and news."""

    promo: Phrases = Phrases()
    news: Phrases = Phrases()


class Exclude(Table):
    """What is dismissed as noise, unless it is danger."""

    phrases: tuple[Text, ...] = ()


class ReaderSettings(Table):
    """How posts are read."""

    # Off: by phrases and rules alone. They miss half of what people say in words of their own.
    model: StrictBool = True
    # A model of your own, written by call-light train --out; else the one that comes with the program.
    folder: Text | None = None


class Keywords(Table):
    """keywords.toml"""

    reader: ReaderSettings = ReaderSettings()
    categories: Annotated[dict[Identifier, Category], Field(min_length=1)]
    urgency: UrgencyPhrases
    voices: VoicePhrases = VoicePhrases()
    exclude: Exclude = Exclude()


# ---------------------------------------------------------------- care.toml


class Slack(Table):
    """Slack: who is paged, and our names for its channels."""

    base_url: Url | None = None
    oncall: Annotated[str, StringConstraints(pattern=r"^(@here|@channel|<!subteam\^S\w+>|<@[UW]\w+>)$")] = "@here"
    channels: dict[Identifier, Text]


class Targets(Table):
    """How soon a public reply is due after the author posted."""

    danger: Duration = timedelta(minutes=5)
    here_now: Duration = timedelta(minutes=15)
    serious: Duration = timedelta(minutes=15)
    routine: Duration = timedelta(minutes=60)


class Digest(Table):
    """How often what waits for a digest is sent."""

    every: Duration = timedelta(minutes=60)


class When(Table):
    """What a rule fits: every list that is named must hold the post's value."""

    urgency: tuple[Urgency, ...] = ()
    kind: tuple[Kind, ...] = ()
    voice: tuple[Voice, ...] = ()
    category: tuple[Identifier, ...] = ()
    source: tuple[Identifier, ...] = ()


class Rule(Table):
    """One line of routing: the first that fits decides."""

    name: Text
    when: When = When()
    do: Outcome
    to: Identifier | None = None

    @model_validator(mode="after")
    def _has_a_channel(self) -> "Rule":
        if (self.to is None) != (self.do == "dismiss"):
            raise ValueError('"to" names a channel for "alert" and "digest"; "dismiss" has none')
        return self


_DEFAULT_RULES = (
    Rule(
        name="privacy to the privacy office",
        when=When(category=("privacy",), kind=("complaint", "question")),
        do="alert",
        to="privacy",
    ),
    Rule(
        name="complaints and questions to the care team",
        when=When(kind=("complaint", "question")),
        do="alert",
        to="care",
    ),
    Rule(name="praise to kind words", when=When(kind=("praise",)), do="digest", to="praise"),
    Rule(
        name="what people wrote to us alone to the care team",
        when=When(source=("listening_post",)),
        do="alert",
        to="care",
    ),
    Rule(name="remarks of patients and visitors", when=When(voice=("patient",)), do="digest", to="care"),
    Rule(name="news about us to operations", when=When(voice=("news",)), do="digest", to="ops"),
    Rule(name="adverts, job offers and spam", when=When(voice=("promo",)), do="dismiss"),
    Rule(name="not about a visit here", when=When(voice=("other",)), do="dismiss"),
)


class Care(Table):
    """care.toml"""

    slack: Slack
    targets: Targets = Targets()
    digest: Digest = Digest()
    rules: tuple[Rule, ...] = _DEFAULT_RULES


# ---------------------------------------------------------------- report.toml


class Report(Table):
    """report.toml"""

    day: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] = "mon"
    hour: Annotated[StrictInt, Field(ge=0, le=23)] = 8
    channel: Identifier = "summary"
    sections: Annotated[tuple[Identifier, ...], Field(min_length=1)]


class Config(Table):
    """All five files, checked."""

    hospital: Hospital
    collectors: dict[str, SerializeAsAny[CollectorSettings]]
    keywords: Keywords
    care: Care
    report: Report
