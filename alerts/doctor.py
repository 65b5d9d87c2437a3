"""What is wrong with this installation, and what to do: config, database, collectors, Slack, clock, the center."""

import importlib.metadata
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlmodel import Session, col, func, select

from alerts import machine
from alerts.center.access import SECRET, SHORTEST
from alerts.figures import each_heard
from alerts.finding import Finding
from alerts.hooks import signing_keys
from alerts.known import load_config
from alerts.ledger import ledger
from alerts.notices.hook import standings
from alerts.pager import ADDRESSES, UNKNOWN, Pager
from alerts.slack import Slack
from alerts.slack_link import missing
from config.files import digest
from config.load import ConfigError, read_files
from config.schema import Center, CollectorSettings, Config, is_loopback
from listener import health, versions
from listener.collect import known_collectors
from listener.database import open_database
from listener.environment import Environment, exposed
from listener.errors import CallLightError, TryLater
from listener.health import troubles
from listener.keep import spent
from listener.watch import Alarm, Lease, Spend, Watch
from nlp.encoder import ModelError
from nlp.pipeline import Reader

_SCOPES = {"chat:write", "channels:history", "groups:history", "channels:read", "groups:read", "commands"}
_FILES = "files:write"
_CODES = {  # of what is wrong with a collector
    "failing": "collector-failing",
    "silent": "collector-silent",
    "budget": "collector-budget",
    "no": "collector-no-match",
}
_SKEW = timedelta(seconds=60)
_WEB_SERVERS = 256  # addresses: nobody has more of them than that


def examine(environment: Environment, now: datetime | None = None) -> Iterator[Finding]:
    """Look at everything; never raises."""
    now = now or datetime.now(UTC)
    try:
        config = load_config(environment.config)
        yield Finding(f"configuration in {environment.config}", True)
    except ConfigError as error:
        yield Finding(
            f"configuration in {environment.config}",
            False,
            f"{len(error.problems)} mistakes; call-light config check names them. Until they are mended the service goes by the "
            "last good version, if it had one: call-light config history",
            "config-broken",
        )
        return
    yield from _private(environment)
    yield machine.disk(environment.data)
    yield machine.folder(environment.data / "reports")
    yield from machine.proxies()
    yield from _coverage(config)
    yield _reader(config)
    yield from machine.database_file(environment.data / "call-light.db")
    yield from _database(environment, config, now)
    yield from _collectors(environment, config)
    yield from _slack(environment, config, now)
    yield _pager(environment)
    yield from _center(config.care.center, environment)
    if config.care.center.on:
        yield from machine.port(config.care.center)


def _coverage(config: Config) -> Iterator[Finding]:
    """Whether the care team is ever there."""
    days = config.hospital.coverage
    if not any(getattr(days, day) for day in type(days).model_fields):
        todo = "every day under [coverage] in hospital.toml is closed, so no reply but to danger is ever due; give the team's hours"
        yield Finding("coverage", False, todo, "coverage-missing")


def _private(environment: Environment) -> Iterator[Finding]:
    """Whether other accounts of this machine are kept from secrets and posts."""
    found = [Finding("files with secrets", False, sentence, "secrets-exposed") for sentence in exposed(environment)]
    yield from found or [Finding("files with secrets: for this account alone", True)]


def _reader(config: Config) -> Finding:
    try:
        reader = Reader(config)
    except ModelError as error:
        without = "or say [reader] model = false in keywords.toml: phrases alone then, which miss half"
        return Finding("the trained model", False, f"{error}; {without}", "model-missing")
    what = f"reader {reader.version}, spaCy {importlib.metadata.version('spacy')}"
    if not config.keywords.reader.model:
        return Finding(
            f"{what}, without the trained model",
            None,
            "it was turned off in keywords.toml: phrases alone miss half",
            "model-missing",
        )
    return Finding(what, True)


def _database(environment: Environment, config: Config, now: datetime) -> Iterator[Finding]:
    data = environment.data
    if environment.database_url is None and not data.is_file() and not (data / "call-light.db").exists():
        yield Finding(f"database: there is none in {data} yet", None, "the service makes it when it starts")
        with tempfile.TemporaryDirectory() as elsewhere:  # made there, it would belong to who looks, root perhaps
            yield from _in_database(replace(environment, data=Path(elsewhere)), config, now)
        return
    yield from _in_database(environment, config, now)


def _in_database(environment: Environment, config: Config, now: datetime) -> Iterator[Finding]:
    try:
        engine = open_database(environment.data, environment.database_url)
    except CallLightError as error:
        code = "database-newer" if "newer version" in str(error) else "database-unusable"
        yield Finding("database", False, str(error), code)
        return
    with Session(engine) as session:
        yield Finding(f"database ({engine.dialect.name})", True)
        yield from _version(session, environment)
        yield from _collects(session, now)
        for watch in session.exec(select(Watch)):
            settings = config.collectors.get(watch.name)
            if settings is None or not settings.on:
                continue
            yield from _watch(session, watch, settings, now)
        alarms = select(Alarm).where(col(Alarm.over_at).is_(None), col(Alarm.kind).in_(health.DESK))
        yield from (Finding(alarm.collector, False, alarm.why, f"desk-{alarm.kind}") for alarm in session.exec(alarms))
        yield from _hooks(session, environment, config)
        result = ledger(each_heard(session, now - timedelta(days=7), now), now)
        stuck = ", ".join(f"{count} {where}" for where, count in result.stuck.items())
        yield Finding(
            f"ledger of seven days, {result.collected} posts",
            result.adds_up,
            f"stuck: {stuck}; is call-light run running?" if stuck else None,
            "ledger-stuck",
        )
    engine.dispose()


def _version(session: Session, environment: Environment) -> Iterator[Finding]:
    """Whether the service goes by the files that are there."""
    version = versions.in_force(session)
    if version is None:
        return
    texts, _ = read_files(environment.config)
    what = f"version {version.number} of the config files, in force since {version.at:%Y-%m-%d %H:%M} UTC"
    if digest(texts) == version.digest:
        yield Finding(what, True)
        return
    newest = versions.newest(session)
    if newest is not None and newest.digest == digest(texts) and newest.trouble not in (None, *versions.UNTRIED):
        yield Finding(
            what, False, f"the files that are there were refused: {newest.trouble.splitlines()[0]}", "config-refused"
        )
    else:
        yield Finding(
            what,
            None,
            "the files were changed since; a service that runs takes them up within ten seconds",
            "config-waiting",
        )


def _collects(session: Session, now: datetime) -> Iterator[Finding]:
    """Which copy of the service asks the places; another one that runs on the same database leaves that to it."""
    lease = session.get(Lease, "collect")
    if lease is not None and lease.until > now:
        yield Finding(f"collecting: {lease.holder}, since {lease.since:%Y-%m-%d %H:%M} UTC", True)


def _hooks(session: Session, environment: Environment, config: Config) -> Iterator[Finding]:
    for hook in standings(session, config.care.hooks):
        heard = f"last event {hook.sent_at:%Y-%m-%d %H:%M} UTC" if hook.sent_at else "no event yet"
        what = f"hook {hook.name} ({hook.host}): {heard}, {hook.waiting:,} wait, {hook.given_up:,} given up"
        try:
            signing_keys(hook.name, environment.secrets)
        except CallLightError as error:
            yield Finding(what, False, str(error), "hook-secret")
            continue
        yield Finding(what, not hook.trouble, hook.trouble, "desk-hook")


def _pager(environment: Environment) -> Finding:
    services = Pager(environment.secrets.get(ADDRESSES, "")).services
    if not services:
        todo = f"no {ADDRESSES}, so danger pages nobody when Slack is down; docs/handoff.md says how to set it"
        return Finding("pager", None, todo, "pager-missing")
    unknown = [str(number) for number, service in enumerate(services, 1) if service == UNKNOWN]
    todo = f"apprise knows no address like number {' and '.join(unknown)} of {ADDRESSES}; docs/handoff.md says how"
    count = f"{len(services)} address{'es' if len(services) > 1 else ''}"
    what = f"pager: {count} ({', '.join(services)}); call-light page --test tries them"
    return Finding(what, not unknown, todo if unknown else None, "pager-address")


def _center(center: Center, environment: Environment) -> Iterator[Finding]:
    """Where the Listening Center is open, and for whom."""
    if not center.on:
        yield Finding("Listening Center", None, "off; set on = true under [center] in care.toml to use it")
    elif center.address is None:
        yield Finding(f"Listening Center: http://{center.listen}, this machine alone, without sign-in", True)
    else:
        yield Finding(f"Listening Center: {center.address}, {len(center.people)} people named in care.toml", True)
        yield _sign_in(center, environment.secrets.get(SECRET, ""))
        yield from _exposed(center, center.address)
        yield from _not_in_slack(center, environment)


def _sign_in(center: Center, secret: str) -> Finding:
    what = "Listening Center: sign-in by " + (f"{center.user_header} or token" if center.user_header else "token")
    if secret and len(secret) < SHORTEST:
        return Finding(
            what,
            False,
            f"{SECRET} has fewer than {SHORTEST} characters, so no token counts: take another",
            "center-sign-in",
        )
    if not secret and center.user_header is None:
        return Finding(
            what,
            False,
            f"nobody can sign in: set {SECRET} in the environment or in .env; docs/center.md",
            "center-sign-in",
        )
    if center.people or center.everyone:
        return Finding(what, True)
    who = f"nobody comes in but who holds {SECRET}" if secret else "nobody comes in"
    return Finding(what, False, f"{who}: name people under [center.people] in care.toml", "center-sign-in")


def _exposed(center: Center, address: str) -> Iterator[Finding]:
    """What lets others read along, or say that they are somebody else."""
    parts = urlsplit(address)
    if parts.scheme == "https" or is_loopback(parts.hostname or ""):
        yield Finding("Listening Center: TLS, or this machine", True)
    else:
        todo = "anybody on the way reads posts and tokens: put a web server with TLS in front of it; docs/center.md"
        yield Finding("Listening Center: no TLS", False, todo, "center-no-tls")
    wide = [one for one in center.proxies if ip_network(one).num_addresses > _WEB_SERVERS]
    if wide and center.user_header is not None:
        todo = f"whoever is in {' or '.join(wide)} can say that they are anybody: name your web servers alone"
        yield Finding("Listening Center: whose word is believed", False, todo, "center-proxies")


def _not_in_slack(center: Center, environment: Environment) -> Iterator[Finding]:
    lacking = [name for name, seat in center.people.items() if seat.role != "viewer" and seat.slack is None]
    if lacking and environment.secrets.get("SLACK_BOT_TOKEN"):
        todo = (
            f"{', '.join(lacking)}: what they take up in Slack is not theirs here, and each could be the second person "
            'for a reply of their own; add slack = "U…" to their lines'
        )
        yield Finding("Listening Center: people without their ID in Slack", None, todo, "center-people")


def _watch(session: Session, watch: Watch, settings: CollectorSettings, now: datetime) -> Iterator[Finding]:
    """How a collector fares: what people were told of it, and what it cost."""
    today, month = spent(session, watch.name, now)
    heard = f"{watch.name}: {watch.kept:,} posts kept"
    if month or settings.price_per_read:
        since = now.date().replace(day=1)
        dollars = select(func.sum(Spend.cost)).where(Spend.collector == watch.name, col(Spend.day) >= since)
        of_day = f" of {settings.daily_reads:,}" if settings.daily_reads is not None else ""
        of_month = f" of {settings.monthly_reads:,}" if settings.monthly_reads is not None else ""
        heard += (
            f"; {today:,}{of_day} reads today, {month:,}{of_month} this month, ${session.exec(dollars).one() or 0:,.2f}"
        )
    wrong = troubles(watch, settings, (today, month), now)
    if watch.asked_at is not None and not health.is_listening(watch, settings, now):
        yield Finding(
            f"{watch.name}: not asked since {watch.asked_at:%Y-%m-%d %H:%M} UTC",
            False,
            "is call-light run running?",
            "service-stopped",
        )
    if watch.trouble and not any(trouble.kind == "failing" for trouble in wrong):
        yield Finding(f"{watch.name}: the last pass failed", False, watch.trouble, "collector-failing")
    yield from (
        Finding(f"{watch.name}: {one.kind}", False, one.why, _CODES[one.kind.split()[0].rstrip(":")]) for one in wrong
    )
    yield Finding(heard, True)


def _collectors(environment: Environment, config: Config) -> Iterator[Finding]:
    if not any(settings.on for settings in config.collectors.values()):
        yield Finding(
            "collectors", None, "none is on, so nothing is heard: call-light run will not start", "no-collector"
        )
    for name, settings in config.collectors.items():
        if not settings.on:
            yield Finding(f"collector {name}", None, "off; set on = true in listening.toml to use it")
            continue
        missing = [secret for secret in known_collectors()[name].SECRETS if not environment.secrets.get(secret)]
        todo = f"set {' and '.join(missing)} in the environment or in .env" if missing else None
        yield Finding(f"collector {name}", not missing, todo, "collector-secret")


def _slack(environment: Environment, config: Config, now: datetime) -> Iterator[Finding]:
    token = environment.secrets.get("SLACK_BOT_TOKEN")
    if not token:
        todo = "no SLACK_BOT_TOKEN, so cards go to the terminal; README says how to connect it"
        yield Finding("Slack", None, todo, "slack-token")
        return
    channels = config.care.slack.channels
    slack = Slack(token, config.care.slack.base_url, channels)
    try:
        about, scopes, date = slack.about_bot()
    except CallLightError as error:
        yield Finding("Slack", False, str(error), "slack-token")
        return
    yield Finding(f"Slack workspace {about.get('team', '?')}, bot {about.get('user', '?')}", True)
    groups = any(member.startswith("S") for members in config.care.permissions.values() for member in members)
    if lacking := sorted((_SCOPES | ({"usergroups:read"} if groups else set())) - scopes):
        todo = f"add {', '.join(lacking)} on the app's page, then install it again"
        yield Finding("Slack permissions", False, todo, "slack-scopes")
    yield _files(_FILES in scopes)
    if date and abs(parsedate_to_datetime(date) - now) > _SKEW:
        todo = "this machine's clock is off by more than a minute; switch on NTP, reply times depend on it"
        yield Finding("clock", False, todo, "clock-off")
    yield _buttons(slack, environment, config)
    for name, there in channels.items():
        yield _channel(slack, name, there)


def _buttons(slack: Slack, environment: Environment, config: Config) -> Finding:
    """Whether anybody hears what is pressed."""
    what, lacks = f"Slack buttons ({config.care.slack.mode})", missing(config, environment.secrets)
    if lacks:
        todo = f"set {lacks} in the environment or in .env; until then cards have buttons that nobody hears"
        return Finding(what, False, todo, "slack-app-token")
    if config.care.slack.mode == "socket":
        try:
            slack.may_listen(environment.secrets["SLACK_APP_TOKEN"])
        except TryLater:
            pass  # too many tries in a minute, or no answer: what the service hears is told by its alarms
        except CallLightError:
            todo = "Slack does not accept SLACK_APP_TOKEN; make one with connections:write under Basic Information"
            return Finding(what, False, todo, "slack-app-token")
    return Finding(what, True)


def _files(may: bool) -> Finding:
    todo = f"add {_FILES} on the app's page, then install it again; until then the weekly message is words alone"
    return Finding(
        "Slack files: charts and page of the weekly message", may or None, None if may else todo, "slack-files"
    )


def _channel(slack: Slack, name: str, there: str) -> Finding:
    try:
        about: dict[str, Any] = slack.about_channel(there)
    except CallLightError as error:
        return Finding(
            f"Slack channel {name} ({there})", False, f"{error}; correct care.toml or invite the bot", "slack-channel"
        )
    if about.get("is_archived"):
        return Finding(
            f"Slack channel {name} ({there})", False, "it is archived; name another in care.toml", "slack-channel"
        )
    if not about.get("is_member", True):
        return Finding(
            f"Slack channel {name} ({there})",
            False,
            "the bot is not in it; type /invite @Call Light there",
            "slack-channel",
        )
    return Finding(f"Slack channel {name} ({there})", True)
