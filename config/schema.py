"""The shape of the five files. Unknown keys are refused: a typo must never turn a filter off in silence.

The sentence below a key is what an editor shows of it (config/editor.py): it is written for those who edit the files.
"""

import re
from collections.abc import Collection
from datetime import timedelta
from ipaddress import ip_address, ip_network
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
    WithJsonSchema,
    model_validator,
)

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
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


def written(duration: timedelta) -> str:
    """A duration as people write it in the files: "5m", "24h"."""
    seconds = int(duration.total_seconds())
    unit, length = next((unit, n) for unit, n in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)) if seconds % n == 0)
    return f"{seconds // length}{unit}"


def duration_schema(most: timedelta = _LONGEST) -> dict[str, Any]:
    """What parse_duration takes, up to `most`, as JSON Schema."""
    seconds = int(most.total_seconds())
    most_of = {unit: seconds // length for unit, length in _SECONDS.items()}
    longer = "|".join(f"({_above(most)})\\s*{unit}" for unit, most in most_of.items() if most < 999_999)
    pattern = r"^\s*[1-9][0-9]{0,5}\s*[smhd]\s*$"
    return {"type": "string", "pattern": pattern, "not": {"pattern": rf"^\s*({longer})\s*$"}}


def _above(most: int) -> str:
    """A pattern for every whole number above `most` that does not begin with 0."""
    digits = str(most)
    same = [
        f"{digits[:at]}[{int(digit) + 1}-9][0-9]{{{len(digits) - at - 1}}}"
        for at, digit in enumerate(digits)
        if digit != "9"
    ]
    return "|".join([*same, f"[1-9][0-9]{{{len(digits)},}}"])


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


def is_loopback(host: str) -> bool:
    """Whether a name or an address of a host is this machine's own, which no other reaches."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _network(value: str) -> str:
    try:
        return str(ip_network(value.strip()))
    except ValueError:
        raise ValueError('an address such as "10.0.0.5", or a network such as "10.0.0.0/24"') from None


def _few(network: str) -> str:
    one = ip_network(network)
    if one.prefixlen < (8 if one.version == 4 else 32):
        raise ValueError(
            'your own web servers, such as "10.0.0.5" or "10.0.0.0/24": nearly everybody is in this network'
        )
    return network


def _listened(listen: str) -> str:
    host, _, port = listen.rpartition(":")
    try:
        if host.startswith("["):
            ip_address(host.strip("[]"))
        if not 1 <= int(port) <= 65535:
            raise ValueError
    except ValueError:
        raise ValueError('an address and a port up to 65535, such as "127.0.0.1:8765" or "[::1]:8765"') from None
    return listen


def _typed(address: str) -> str:
    """As browsers write it: small letters, and no port where it is the usual one."""
    address = address.rstrip("/").lower()
    try:
        parts = urlsplit(address)
        is_usual = parts.port == {"http": 80, "https": 443}[parts.scheme]
    except ValueError:
        raise ValueError('an address such as "https://care.example.org"') from None
    return address.rpartition(":")[0] if is_usual else address


def _unread_on_the_way(url: str) -> str:
    try:
        address = urlsplit(url)
        host = address.hostname or ""
    except ValueError:
        raise ValueError('an address such as "https://crm.example/hook"') from None
    after = address.netloc.partition("]")[2]  # urlsplit reads "[::1]x" as "::1", and no request could be sent there
    is_ours = is_loopback(host) and after[:1] in ("", ":")
    if address.scheme != "https" and not is_ours:
        raise ValueError(
            "an address that begins with https://, as anybody on the way can read what goes to http://; only this "
            'machine\'s own may, such as "http://127.0.0.1:8000"'
        )
    return url


_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_SPAN = rf"{_TIME}-({_TIME}|24:00)"
_THIS_MACHINE = r"(localhost|127(\.[0-9]{1,3}){3}|\[::1\])"

# Beside what each takes stands what an editor is told of it, where JSON Schema can say it.
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 500, "pattern": r"\S"}),
]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Duration = Annotated[timedelta, BeforeValidator(parse_duration), WithJsonSchema(duration_schema())]
Hours = Annotated[
    tuple[tuple[int, int], ...],
    BeforeValidator(_parse_hours),
    WithJsonSchema({"type": "string", "pattern": rf"^[\s,]*({_SPAN}(\s*,[\s,]*{_SPAN})*)?[\s,]*$"}),
]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]  # ISO 639-1
Zone = Annotated[str, AfterValidator(_known_zone)]
Account = Annotated[
    str,
    AfterValidator(_without_at),
    WithJsonSchema({"type": "string", "pattern": r"^\s*@?[^\s/@]*@?[^\s/@]*\s*$"}),
]
Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#<>|]+(/[^\s?#<>|]*)?$", max_length=300)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+(/\S*)?$")]
SafeUrl = Annotated[
    Url,
    AfterValidator(_unread_on_the_way),
    WithJsonSchema(
        {"type": "string", "pattern": rf"^(https://[^\s/]+|http://([^\s/]*@)?{_THIS_MACHINE}([:?#][^\s/]*)?)(/\S*)?$"}
    ),
]

Network = Annotated[
    str,
    AfterValidator(_network),
    WithJsonSchema({"type": "string", "pattern": r"^\s*[0-9a-fA-F:.]+(/[0-9]{1,3})?\s*$"}),
]

Proxy = Annotated[Network, AfterValidator(_few)]
Listen = Annotated[
    str,
    StringConstraints(pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+):[1-9][0-9]{0,4}$"),
    AfterValidator(_listened),
]
# Without a path, as pages link to "/inbox", and without letters that browsers send otherwise.
Origin = Annotated[
    str,
    StringConstraints(
        pattern=r"^https?://([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(:[1-9][0-9]{0,4})?/?$",
        max_length=300,
    ),
    AfterValidator(_typed),
]
Login = Annotated[str, StringConstraints(pattern=r"^[^\s,]+( [^\s,]+)*$", max_length=200)]

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

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


# ---------------------------------------------------------------- hospital.toml


class Accounts(Table):
    """The hospital's own accounts. Posts by them are ours, posts to them are to us."""

    x: Account = ""
    """The account on X, such as "StBrigidCares"; leave it out where there is none."""
    reddit: Account = ""
    """The account on Reddit, without "u/"; leave it out where there is none."""
    bluesky: Account = ""
    """The handle on Bluesky, such as "care.stbrigid.example"; leave it out where there is none."""
    mastodon: Account = ""
    """The account on Mastodon with its server, such as "care@social.stbrigid.example"; leave it out where there is none."""


class Site(Table):
    """A place of the hospital: a campus, a clinic."""

    name: Text
    """What the place is called on cards and in reports, such as "Harbor Campus"."""
    aliases: tuple[Text, ...] = ()
    """What people call this place. A post with one of these names is about us, and happened here."""
    departments: tuple[Text, ...] = ()
    """The departments that are here, such as "Emergency"."""


class Coverage(Table):
    """When the care team is there, in the hospital's own time. Reply targets count these hours; danger does not wait."""

    mon: Hours = ((0, 1440),)
    """Monday, such as "08:00-20:00"; "00:00-24:00" is the whole day, "" is closed, "22:00-06:00" runs past midnight."""
    tue: Hours = ((0, 1440),)
    """Tuesday, such as "08:00-20:00"; "" is closed."""
    wed: Hours = ((0, 1440),)
    """Wednesday, such as "08:00-20:00"; "" is closed."""
    thu: Hours = ((0, 1440),)
    """Thursday, such as "08:00-20:00"; "" is closed."""
    fri: Hours = ((0, 1440),)
    """Friday, such as "08:00-20:00"; "" is closed."""
    sat: Hours = ((0, 1440),)
    """Saturday, such as "10:00-16:00"; "" is closed."""
    sun: Hours = ((0, 1440),)
    """Sunday, such as "10:00-16:00"; "" is closed."""


class Hospital(Table):
    """The hospital: what it is called, where it is, when someone answers."""

    name: Text
    """The name of the hospital, as cards and reports show it."""
    timezone: Zone
    """The zone that the hospital lives in, such as "America/Chicago": days, weeks and shifts are counted in it."""
    aliases: Annotated[tuple[Text, ...], Field(min_length=1)]
    """What people call the whole hospital, nicknames too. Capitals, accents, hyphens and apostrophes do not matter."""
    not_us: tuple[Text, ...] = ()
    """Longer names that hold one of ours but are somebody else, such as "St. Brigid's Church". They win over the alias."""
    town: Text
    """The town that the hospital is in."""
    accounts: Accounts = Accounts()
    sites: tuple[Site, ...] = ()
    """One [[sites]] block for each place of the hospital."""
    department_words: dict[Text, tuple[Text, ...]] = {}
    """Other words for a department, such as "Emergency" = ["ER", "triage"]; looked for only in posts about us."""
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
    """Whether it listens here: true or false."""
    every: Duration = timedelta(minutes=5)
    """How often it asks, such as "60s", "5m", "2h"."""
    quiet_after: Duration = timedelta(hours=24)
    """How long silence is normal here, such as "24h" or "7d". Past it people are told that we may be deaf."""
    base_url: Url | None = None
    """The address of a gateway or a proxy in between; leave it out otherwise."""
    keep_for: Duration = timedelta(days=365)
    """How long the words of a post are kept, such as "30d"; what became of it stays for the ledger."""
    recheck: Duration = timedelta(hours=24)
    """How often it is looked whether a kept post is still there, such as "24h"."""
    daily_reads: Annotated[StrictInt, Field(ge=1)] | None = None
    """How many posts a day the place may bill. People are told at four fifths of it, and at all of it."""
    monthly_reads: Annotated[StrictInt, Field(ge=1)] | None = None
    """How many posts a month the place may bill. People are told at four fifths of it, and at all of it."""
    price_per_read: Annotated[float, Field(ge=0, le=100)] = 0.0
    """What the place bills for one post, in US dollars, such as 0.005."""


class Listening(Table):
    """Where Call Light listens: one table for each way of hearing a place."""

    collectors: dict[Identifier, dict[str, Any]]  # each is checked against that collector's own settings
    """One table for each way of hearing a place, such as [collectors.reddit]."""


# ---------------------------------------------------------------- keywords.toml


class Phrases(Table):
    """Phrases to find, and example sentences that must and must not be found."""

    phrases: tuple[Text, ...] = ()
    """What to look for, such as "waiting room". How a phrase is written: docs/keywords.md."""
    match: tuple[Text, ...] = ()
    """Example sentences in which the phrases of this table must be found. config check tries them."""
    no_match: tuple[Text, ...] = ()
    """Example sentences in which the phrases of this table must not be found. config check tries them."""


class Category(Phrases):
    """A topic of complaint or praise, and who is asked to mend it."""

    title: Text
    """What people call the topic: cards and reports show it, such as "Parking and getting here"."""
    owner: Text
    """Who is asked to mend it, as the weekly summary names them, such as "Facilities"."""


class UrgencyPhrases(Table):
    """How urgent a post is. Three levels have words of their own; the others follow from what is said and how."""

    danger: Phrases = Phrases()
    """Someone may come to harm now. A post with one of these phrases pages the people on call."""
    here_now: Phrases = Phrases()
    """Someone is in the building or on hold right now."""
    serious: Phrases = Phrases()
    """Past harm, a breach of privacy, discrimination, abuse."""


class VoicePhrases(Table):
    """Words that give away adverts and news."""

    promo: Phrases = Phrases()
    """Adverts, job offers, fundraisers, spam."""
    news: Phrases = Phrases()
    """News reports and announcements."""


class Sign(Phrases):
    """What a post says that asks for steps of its own, whatever it is about: a lawyer, a reporter."""

    phrases: Annotated[tuple[Text, ...], Field(min_length=1)]  # without any, nothing would ever be this sign
    """What to look for, at least one, such as "lawyer*". How a phrase is written: docs/keywords.md."""
    serious: StrictBool = False
    """true: a patient's post that says so is at least serious."""
    voices: Annotated[tuple[Voice, ...], Field(min_length=1)] = ("patient",)
    """Whose posts count; without it only those of patients, families and visitors."""


class Exclude(Table):
    """What is dismissed as noise. Such posts are kept and counted; danger is never left out."""

    phrases: tuple[Text, ...] = ()
    """A post with one of these is dismissed, unless it is danger. Such as "softball league"."""


class ReaderSettings(Table):
    """How posts are read."""

    model: StrictBool = True
    """Whether a trained model reads beside the phrases. false: phrases alone, which miss half of what people say."""
    folder: Text | None = None
    """The folder of a model of your own, written by call-light train --out; left out, the one that comes with the program."""


class Keywords(Table):
    """What the program listens for in a post. How a phrase is written: docs/keywords.md."""

    reader: ReaderSettings = ReaderSettings()
    categories: Annotated[dict[Identifier, Category], Field(min_length=1)]
    """The topics, one table for each. Its short name is made of small letters, digits and _: [categories.lost_property]."""
    urgency: UrgencyPhrases
    voices: VoicePhrases = VoicePhrases()
    signs: dict[Identifier, Sign] = {}
    """What asks for steps of its own, one table for each: [signs.legal]. [runbooks] in care.toml says which steps."""
    exclude: Exclude = Exclude()


# ---------------------------------------------------------------- care.toml


_PING = r"@here|@channel|<!subteam\^S\w+>|<@[UW]\w+>"
Ping = Annotated[str, StringConstraints(pattern=rf"^({_PING})$")]  # whom Slack tells


class Slack(Table):
    """Slack: how it reaches us, who is paged, and our names for its channels."""

    base_url: Url | None = None
    """The address of a gateway in between; leave it out otherwise."""
    mode: Literal["socket", "http"] = "socket"
    """"socket": we call Slack, nothing is open to the world. "http": Slack calls the address `listen`, with a signature."""
    listen: Annotated[str, StringConstraints(pattern=r"^[\w.:\[\]-]+:[0-9]{1,5}$")] = "127.0.0.1:8643"
    """Address and port where Slack finds us, for mode = "http", such as "127.0.0.1:8643"."""
    oncall: Ping = "@here"
    """Who is paged with every danger card: "@here", "@channel", a group "<!subteam^S0123ABCD>" or a person "<@U0123ABCD>"."""
    manager: Ping | None = None
    """Who is told last of a case that nobody takes: a person "<@U0123ABCD>" or a group "<!subteam^S0123ABCD>"."""
    channels: dict[Identifier, Text]
    """Our name for a channel = the channel in Slack, such as care = "#social-care"; better its ID, which survives a rename."""


class Targets(Table):
    """How soon a public reply is due after the author posted."""

    danger: Duration = timedelta(minutes=5)
    """For danger, such as "5m"."""
    here_now: Duration = timedelta(minutes=15)
    """For people who are in the building or on hold right now, such as "15m"."""
    serious: Duration = timedelta(minutes=15)
    """For what is serious, such as "15m"."""
    routine: Duration = timedelta(minutes=60)
    """For everything else, such as "60m"."""
    categories: dict[Identifier, Duration] = {"billing": timedelta(minutes=30)}
    """Topics with a target of their own, such as billing = "30m"; the shorter one counts."""


class EscalationStep(Table):
    """Who else is told of a case that nobody has claimed, so long after its target."""

    after: Duration
    """How long after the target, such as "15m"."""
    to: Literal["oncall", "manager"]
    """Whom: "oncall" or "manager" of [slack]."""


class Quiet(Table):
    """When cases that can wait do not remind anyone."""

    hours: Hours = ((22 * 60, 31 * 60),)
    """The quiet hours, such as "22:00-07:00"; "" for none."""
    urgency: tuple[Literal["here_now", "serious", "routine"], ...] = ("routine",)
    """Which cases are quiet then. Danger never is."""


class Escalation(Table):
    """What happens while a case waits. Danger is never quiet."""

    warn_at: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """The share of the target after which the channel is warned, between 0 and 1, such as 0.5."""
    again: Duration = timedelta(minutes=15)
    """Late and claimed by nobody: told again after so long, then after twice that, such as "15m"."""
    danger_again: Duration = timedelta(minutes=2)
    """Danger that nobody has claimed pages again so often, day and night, such as "2m"."""
    remind_owner: Duration = timedelta(minutes=15)
    """Claimed, and no reply so long after the claim or the target: its owner is reminded. Such as "15m"."""
    give_back: Duration = timedelta(minutes=30)
    """So long after that reminder the case goes back to the team, such as "30m"."""
    steps: tuple[EscalationStep, ...] = (EscalationStep(after=timedelta(minutes=15), to="oncall"),)
    """Who else is told of a late case that nobody has claimed: one [[escalation.steps]] block for each."""
    quiet: Quiet = Quiet()


class Bursts(Table):
    """How many cards a minute a channel takes before the rest fold under one. Danger never folds."""

    cards: Annotated[StrictInt, Field(ge=1, le=60)] = 12
    """Cards a minute in one channel, 1 to 60."""


class Spikes(Table):
    """Many posts about one topic at once: one card for whoever mends it."""

    window: Duration = timedelta(minutes=20)
    """How long "at once" is, such as "20m"."""
    posts: Annotated[StrictInt, Field(ge=5)] = 5
    """At least so many posts in that time; 5 or more."""
    authors: Annotated[StrictInt, Field(ge=4)] = 4
    """From at least so many people; 4 or more."""
    channel: Identifier = "ops"
    """The channel of [slack.channels] that is told."""
    owners: dict[Identifier, Identifier] = {"billing": "billing"}
    """Topics whose spikes go to a channel of their own: topic = channel."""


class Runbook(Table):
    """What to do with a case of a certain kind; shown on its card. The first that fits."""

    title: Text
    """The heading of the steps, such as "A patient is missing"."""
    danger: tuple[Danger, ...] = ()
    """For cases with one of these kinds of danger."""
    category: tuple[Identifier, ...] = ()
    """For cases about one of these topics of keywords.toml."""
    sign: tuple[Identifier, ...] = ()
    """For cases with one of these [signs] of keywords.toml."""
    steps: Annotated[tuple[Text, ...], Field(min_length=1, max_length=8)]
    """What to do, in order: one to eight sentences."""


class Shift(Table):
    """Who is there when. At its end the next one gets a note of what is still to do."""

    name: Text
    """What the shift is called, such as "Night"."""
    hours: Hours
    """When it is, such as "19:00-07:00"."""
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    """The days on which it begins; left out, every day."""
    people: tuple[Ping, ...] = ()
    """Who is there, as IDs of Slack: "<@U0123ABCD>"."""


class Hook(Table):
    """A system that is told of cases: a CRM, a ticket tool. Signed as Standard Webhooks say."""

    name: Identifier
    """A name for it, such as "crm"."""
    url: SafeUrl
    """Where it listens; an address that begins with https://."""
    events: tuple[HookEvent, ...] = ()
    """What it is told of; left out, everything."""
    text: StrictBool = False
    """Whether the redacted words of posts go along: true or false."""


class Digest(Table):
    """How often what waits for a digest is sent."""

    every: Duration = timedelta(minutes=60)
    """How often, such as "60m"."""


class When(Table):
    """What a rule fits: every list that is named must hold the post's value."""

    urgency: tuple[Urgency, ...] = ()
    """How urgent the post is."""
    kind: tuple[Kind, ...] = ()
    """Whether the post complains, asks, praises or just remarks."""
    voice: tuple[Voice, ...] = ()
    """Who speaks: "patient" (patients, families, visitors), "news", "promo" (adverts), "other"."""
    category: tuple[Identifier, ...] = ()
    """Topics of keywords.toml, such as "billing"."""
    source: tuple[Identifier, ...] = ()
    """Where the post was written, such as "x" or "listening_post"."""
    sign: tuple[Identifier, ...] = ()
    """[signs] of keywords.toml, such as "press"."""


class Rule(Table):
    """One line of routing: the first that fits decides. The order matters."""

    # What _has_a_channel() asks for.
    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"do": {"const": "dismiss"}}},
            "then": {"properties": {"to": False}},
            "else": {"required": ["to"]},
        }
    )

    name: Text
    """What the rule is called; the reason on a post names it."""
    when: When = When()
    do: Outcome
    """"alert": a card now. "digest": a line in the next digest. "dismiss": kept and counted, nobody is told."""
    to: Identifier | None = None
    """The channel of [slack.channels] that is told; none for "dismiss"."""

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
    """Whether the post complains, asks, praises or just remarks."""
    category: tuple[Identifier, ...] = ()
    """Topics of keywords.toml, such as "billing"."""
    stage: tuple[Stage, ...] = ()
    """Where on the way from door to discharge."""
    urgency: tuple[Urgency, ...] = ()
    """How urgent the case is."""
    danger: tuple[Danger, ...] = ()
    """Which kind of danger."""
    language: tuple[Language, ...] = ()
    """The language of the post by its two letters, such as "es"."""
    outcome: tuple[Identifier, ...] = ()
    """What became of the case, one of [outcomes]; such a template is proposed only when a case was closed."""


class Template(Table):
    """Words for a reply. The first template that fits is proposed; the order matters."""

    name: Text
    """A name of its own for each template."""
    when: TemplateWhen = TemplateWhen()
    text: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 2000, "pattern": r"\S"}),
    ]
    """The words. {contact}, {known} and {hospital} are filled in; one with {known} waits for a known issue."""


class Replies(Table):
    """How people are answered in public. Every word is checked before it goes out: docs/replies.md."""

    contact: Text = "Patient Relations"
    """Whom people can reach, as replies say it: "Patient Relations at 555-0100"."""
    send: tuple[Literal["x", "reddit", "bluesky", "mastodon", "google_reviews"], ...] = ()
    """Where the program itself may send what a person has confirmed; elsewhere the words are copied by hand."""
    second_person: tuple[Urgency, ...] = ("danger", "serious")
    """For cases this urgent a second person reads the reply before it goes out."""
    templates: tuple[Template, ...] = ()
    """One [[replies.templates]] block for each."""


class Seat(Table):
    """Somebody who uses the Listening Center."""

    role: Literal["viewer", "care", "admin"]
    """"viewer" sees without personal details; "care" also acts on cases; "admin" also tries changed files."""
    name: Text | None = None
    """What colleagues call them, such as "Ana Ruiz"; left out, the name that they sign in with."""
    slack: Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{2,}$")] | None = None
    """Their ID in Slack, such as "U0123ABCD": then what they took up here is theirs there too."""
    stay: Duration = timedelta(hours=12)
    """How long they stay signed in, such as "12h"; "90d" for the screen on the wall."""
    token: Annotated[StrictInt, Field(ge=1, le=1_000_000)] = 1
    """Raise it by one when their token was lost: the old one is worth nothing then."""


class Center(Table):
    """The Listening Center: the local web page, for the wall and for people without Slack. How: docs/center.md."""

    on: StrictBool = True
    """Whether call-light run serves it: true or false."""
    listen: Listen = "127.0.0.1:8765"
    """Address and port, such as "127.0.0.1:8765". Left there, only this machine reaches it, and needs no sign-in."""
    address: Origin | None = None
    """What people type who come from elsewhere, such as "https://care.stbrigid.example". Then everybody signs in."""
    proxies: tuple[Proxy, ...] = ()
    """Your web servers in front of it, such as "10.0.0.5" or "10.0.0.0/24": their word for who signs in is believed."""
    user_header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,60}$")] | None = None
    """The header in which these say who somebody is, such as "X-Forwarded-User"; left out, everybody needs a token."""
    everyone: Literal["viewer", "care"] | None = None
    """The role of who is signed in by `user_header` and is not named in [center.people]; left out, they are refused."""
    wall_words: StrictBool = False
    """Whether the wall shows what posts say, without personal details. Left false where visitors pass by."""
    people: dict[Login, Seat] = {}
    """Who signs in: the name in `user_header`, or the one that call-light token was given."""

    @property
    def host(self) -> str:
        """Where it listens, without the port."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port where it listens."""
        return int(self.listen.rpartition(":")[2])

    @model_validator(mode="after")
    def _somebody_can_sign_in(self) -> "Center":
        if self.address is None and (not is_loopback(self.host) or self.proxies):
            more = "`proxies` speak for" if self.proxies else "`listen` is open to"
            raise ValueError(f'address = "https://…", what people type, as {more} more than this machine')
        if self.user_header is not None and not self.proxies:
            raise ValueError("proxies = […], as anybody else could write `user_header` too")
        if self.everyone is not None and self.user_header is None:
            raise ValueError("user_header = …, which says who `everyone` is; or no `everyone`")
        return self

    @model_validator(mode="after")
    def _names_are_told_apart(self) -> "Center":
        folded = [name.casefold() for name in self.people]
        for name in self.people:
            if name.casefold() in ("admin", "call-light"):  # which are written down for others
                raise ValueError(f"another name than {name!r} under [center.people], such as their mail address")
            if folded.count(name.casefold()) > 1:
                raise ValueError(f"{name!r} once: large and small letters are the same here")
        return self


class Care(Table):
    """Who is told what, where, and how fast."""

    slack: Slack
    center: Center = Center()
    targets: Targets = Targets()
    escalation: Escalation = Escalation()
    bursts: Bursts = Bursts()
    spikes: Spikes = Spikes()
    digest: Digest = Digest()
    rules: tuple[Rule, ...] = _DEFAULT_RULES
    """What happens with a post: one [[rules]] block for each, the first that fits decides."""
    recognition: Identifier | None = "praise"
    """The channel that is told of praise that names a department or one of the staff, with the name."""
    runbooks: dict[Identifier, Runbook] = {}
    """What to do with a case of a certain kind, one table for each: [runbooks.missing]."""
    outcomes: dict[Identifier, Text] = _DEFAULT_OUTCOMES
    """What may become of a case; asked when it is closed, such as fixed = "Fixed"."""
    permissions: dict[Identifier, tuple[Member, ...]] = {}
    """Who may do what: action = IDs of people (U…) or groups (S…) in Slack. Without a line it is open to everyone there."""
    shifts: tuple[Shift, ...] = ()
    """Who is there when: one [[shifts]] block for each."""
    hooks: tuple[Hook, ...] = ()
    """Systems that are told of cases: one [[hooks]] block for each."""
    replies: Replies = Replies()


# ---------------------------------------------------------------- report.toml


class Report(Table):
    """The weekly summary for marketing and the patient experience team."""

    day: Weekday = "mon"
    """The day it goes out, for the week that ended on Sunday."""
    hour: Annotated[StrictInt, Field(ge=0, le=23)] = 8
    """The hour it goes out, in the hospital's own time, 0 to 23."""
    channel: Identifier = "summary"
    """The channel of care.toml that gets it."""
    sections: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    """The sections of the page of a week, in this order."""
    long_sections: Annotated[tuple[Identifier, ...], Field(min_length=1)] | None = None
    """Of a month, a quarter, and whatever is longer than 14 days; left out, as of a week."""
    slack: tuple[Identifier, ...] = ("headline", "categories", "reply_times", "ledger")
    """The message in Slack: these of the sections, shortened to one screen."""
    charts: Annotated[tuple[Identifier, ...], Field(max_length=4)] = ("volume_by_day", "topics")
    """The charts of the message in Slack, by the names of their tables; at most four."""
    address: Address | None = None
    """Where people open the pages of data/reports, such as "https://reports.example.org/"; left out, Slack gets a file."""


class Config(Table):
    """All five files, checked."""

    hospital: Hospital
    collectors: dict[str, SerializeAsAny[CollectorSettings]]
    keywords: Keywords
    care: Care
    report: Report
