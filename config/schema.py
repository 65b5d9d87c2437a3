"""The shape of the five files. Unknown keys are refused: a typo must never turn a filter off in silence."""

import re
from collections.abc import Collection
from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
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


def _unread_on_the_way(url: str) -> str:
    try:
        address = urlsplit(url)
        host = address.hostname or ""
    except ValueError:
        raise ValueError('an address such as "https://crm.example/hook"') from None
    try:
        is_this_machine = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        is_this_machine = False
    if address.scheme != "https" and not is_this_machine:
        raise ValueError(
            "an address that begins with https://, as anybody on the way can read what goes to http://; only this "
            'machine\'s own may, such as "http://127.0.0.1:8000"'
        )
    return url


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Hours = Annotated[tuple[tuple[int, int], ...], BeforeValidator(_parse_hours)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]  # ISO 639-1
Zone = Annotated[str, AfterValidator(_known_zone)]
Account = Annotated[str, AfterValidator(_without_at)]
Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#<>|]+(/[^\s?#<>|]*)?$", max_length=300)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+(/\S*)?$")]

Kind = Literal["complaint", "question", "praise", "comment"]
Voice = Literal["patient", "news", "promo", "other"]
Urgency = Literal["danger", "here_now", "serious", "routine", "low", "none"]
Outcome = Literal["alert", "digest", "dismiss"]
Danger = Literal["self_harm", "emergency", "unattended", "missing", "violence", "overdose_allergy", "abuse"]
Stage = Literal["booking", "arrival", "waiting", "treatment", "stay", "discharge", "after"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
HookEvent = Literal[
    "case.opened", "case.claimed", "case.answered", "case.closed", "case.dismissed", "case.reopened", "case.changed"
]


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


class Sign(Phrases):
    """What a post says that asks for steps of its own, whatever it is about: a lawyer, a reporter."""

    phrases: Annotated[tuple[Text, ...], Field(min_length=1)]  # without any, nothing would ever be this sign
    serious: StrictBool = False  # whether a patient's post that says so is at least serious
    voices: Annotated[tuple[Voice, ...], Field(min_length=1)] = ("patient",)  # whose posts count


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
    signs: dict[Identifier, Sign] = {}
    exclude: Exclude = Exclude()


# ---------------------------------------------------------------- care.toml


_PING = r"@here|@channel|<!subteam\^S\w+>|<@[UW]\w+>"
Ping = Annotated[str, StringConstraints(pattern=rf"^({_PING})$")]  # whom Slack tells


class Slack(Table):
    """Slack: how it reaches us, who is paged, and our names for its channels."""

    base_url: Url | None = None
    # "socket": we call Slack, nothing has to be open to the world. "http": Slack calls `listen`, with a signature.
    mode: Literal["socket", "http"] = "socket"
    listen: Annotated[str, StringConstraints(pattern=r"^[\w.:\[\]-]+:[0-9]{1,5}$")] = "127.0.0.1:8643"
    oncall: Ping = "@here"
    manager: Ping | None = None
    channels: dict[Identifier, Text]


class Targets(Table):
    """How soon a public reply is due after the author posted."""

    danger: Duration = timedelta(minutes=5)
    here_now: Duration = timedelta(minutes=15)
    serious: Duration = timedelta(minutes=15)
    routine: Duration = timedelta(minutes=60)
    # Topics with a target of their own; the shorter one counts.
    categories: dict[Identifier, Duration] = {"billing": timedelta(minutes=30)}


class EscalationStep(Table):
    """Who else is told of a case that nobody has claimed, so long after its target."""

    after: Duration
    to: Literal["oncall", "manager"]


class Quiet(Table):
    """When cases that can wait do not remind anyone."""

    hours: Hours = ((22 * 60, 31 * 60),)
    urgency: tuple[Literal["here_now", "serious", "routine"], ...] = ("routine",)


class Escalation(Table):
    """What happens while a case waits. Danger is never quiet."""

    warn_at: Annotated[float, Field(gt=0, lt=1)] = 0.5  # share of the target after which the channel is warned
    again: Duration = timedelta(
        minutes=15
    )  # late and claimed by nobody: told again after so long, then after twice that …
    danger_again: Duration = timedelta(minutes=2)  # danger that nobody has claimed pages again so often
    remind_owner: Duration = timedelta(minutes=15)  # claimed, and no reply so long after the claim or the target
    give_back: Duration = timedelta(minutes=30)  # so long after the reminder it goes back to the team
    steps: tuple[EscalationStep, ...] = (EscalationStep(after=timedelta(minutes=15), to="oncall"),)
    quiet: Quiet = Quiet()


class Bursts(Table):
    """How many cards a minute a channel takes before the rest fold under one. Danger never folds."""

    cards: Annotated[StrictInt, Field(ge=1, le=60)] = 12


class Spikes(Table):
    """Many posts about one topic at once: one card for whoever mends it."""

    window: Duration = timedelta(minutes=20)
    posts: Annotated[StrictInt, Field(ge=5)] = 5  # at least so many in the window
    authors: Annotated[StrictInt, Field(ge=4)] = 4  # from at least so many people
    channel: Identifier = "ops"
    owners: dict[Identifier, Identifier] = {"billing": "billing"}  # topics whose spikes go to a channel of their own


class Runbook(Table):
    """What to do with a case of a certain kind; shown on its card."""

    title: Text
    danger: tuple[Danger, ...] = ()
    category: tuple[Identifier, ...] = ()
    sign: tuple[Identifier, ...] = ()
    steps: Annotated[tuple[Text, ...], Field(min_length=1, max_length=8)]


class Shift(Table):
    """Who is there when. At its end the next one gets a note of what is still to do."""

    name: Text
    hours: Hours
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    people: tuple[Ping, ...] = ()


class Hook(Table):
    """A system that is told of cases: a CRM, a ticket tool. Signed as Standard Webhooks say."""

    name: Identifier
    url: Annotated[Url, AfterValidator(_unread_on_the_way)]
    events: tuple[HookEvent, ...] = ()  # none named: all
    text: StrictBool = False  # whether the redacted words of posts go along


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
    sign: tuple[Identifier, ...] = ()


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
        name="billing disputes to the billing office",
        when=When(category=("billing",), kind=("complaint",)),
        do="alert",
        to="billing",
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
    Rule(name="reporters to operations", when=When(sign=("press",), voice=("other",)), do="alert", to="ops"),
    Rule(name="remarks of patients and visitors", when=When(voice=("patient",)), do="digest", to="care"),
    Rule(name="news about us to operations", when=When(voice=("news",)), do="digest", to="ops"),
    Rule(name="adverts, job offers and spam", when=When(voice=("promo",)), do="dismiss"),
    Rule(name="not about a visit here", when=When(voice=("other",)), do="dismiss"),
)


_DEFAULT_OUTCOMES = {
    "explained": "Explained",
    "fixed": "Fixed",
    "billing_corrected": "Billing corrected",
    "passed_on": "Passed on to the department",
    "no_answer": "No answer needed",
}
# A person or a user group of Slack, by its ID.
Member = Annotated[str, StringConstraints(pattern=r"^[UWS][A-Z0-9]{2,}$")]


class TemplateWhen(Table):
    """What a template fits: every list that is named must hold the value of the case."""

    kind: tuple[Kind, ...] = ()
    category: tuple[Identifier, ...] = ()
    stage: tuple[Stage, ...] = ()
    urgency: tuple[Urgency, ...] = ()
    danger: tuple[Danger, ...] = ()
    language: tuple[Language, ...] = ()
    outcome: tuple[Identifier, ...] = ()


class Template(Table):
    """Words for a reply. {contact}, {known} and {hospital} are filled in; one with {known} waits for a known issue."""

    name: Text
    when: TemplateWhen = TemplateWhen()
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class Replies(Table):
    """How people are answered in public."""

    contact: Text = "Patient Relations"
    # Where the program itself may send what a person has confirmed; elsewhere the words are copied by hand.
    send: tuple[Literal["x", "reddit", "bluesky", "mastodon", "google_reviews"], ...] = ()
    # Urgencies for which a second person reads the reply before it goes out.
    second_person: tuple[Urgency, ...] = ("danger", "serious")
    templates: tuple[Template, ...] = ()


class Care(Table):
    """care.toml"""

    slack: Slack
    targets: Targets = Targets()
    escalation: Escalation = Escalation()
    bursts: Bursts = Bursts()
    spikes: Spikes = Spikes()
    digest: Digest = Digest()
    rules: tuple[Rule, ...] = _DEFAULT_RULES
    # Praise that names a department or one of the staff is told there, with the name.
    recognition: Identifier | None = "praise"
    runbooks: dict[Identifier, Runbook] = {}
    outcomes: dict[Identifier, Text] = _DEFAULT_OUTCOMES
    permissions: dict[Identifier, tuple[Member, ...]] = {}
    shifts: tuple[Shift, ...] = ()
    hooks: tuple[Hook, ...] = ()
    replies: Replies = Replies()


# ---------------------------------------------------------------- report.toml


class Report(Table):
    """report.toml"""

    day: Weekday = "mon"
    hour: Annotated[StrictInt, Field(ge=0, le=23)] = 8
    channel: Identifier = "summary"
    sections: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    # Of a month or a quarter; None: the same, and then what only a longer time shows.
    long_sections: Annotated[tuple[Identifier, ...], Field(min_length=1)] | None = None
    # The message in Slack: these sections, the first table of each, and these charts, by the name of their table.
    slack: tuple[Identifier, ...] = ("headline", "categories", "reply_times", "ledger")
    charts: Annotated[tuple[Identifier, ...], Field(max_length=4)] = ("volume_by_day", "topics")
    # Where people open the pages of data/reports; without it the page goes to Slack as a file.
    address: Address | None = None


class Config(Table):
    """All five files, checked."""

    hospital: Hospital
    collectors: dict[str, SerializeAsAny[CollectorSettings]]
    keywords: Keywords
    care: Care
    report: Report
