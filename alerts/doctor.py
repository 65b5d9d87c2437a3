"""What is wrong with this installation, and what to do: config, database, collectors, Slack, clock."""

import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from sqlmodel import Session, select

from alerts.figures import heard_between
from alerts.ledger import ledger
from alerts.report import known_sections
from alerts.slack import Slack
from config.load import ConfigError, load
from config.schema import Config
from listener.collect import known_collectors, settings_of_all
from listener.database import open_database
from listener.environment import Environment
from listener.errors import CallLightError
from listener.watch import Watch
from nlp.encoder import ModelError
from nlp.phrases import check
from nlp.pipeline import Reader

_SCOPES = {"chat:write", "channels:history", "groups:history", "channels:read", "groups:read"}
_SKEW = timedelta(seconds=60)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. ok: True good, False wrong, None not in use."""

    what: str
    ok: bool | None
    todo: str | None = None


def examine(environment: Environment, now: datetime | None = None) -> Iterator[Finding]:
    """Look at everything; never raises."""
    now = now or datetime.now(UTC)
    try:
        config = load(environment.config, settings_of_all(), known_sections(), check_phrase=check)
        yield Finding(f"configuration in {environment.config}", True)
    except ConfigError as error:
        yield Finding(
            f"configuration in {environment.config}",
            False,
            f"{len(error.problems)} mistakes; call-light config check names them",
        )
        return
    yield _reader(config)
    yield from _database(environment, config, now)
    yield from _collectors(environment, config)
    yield from _slack(environment, config, now)


def _reader(config: Config) -> Finding:
    try:
        reader = Reader(config)
    except ModelError as error:
        without = "or say [reader] model = false in keywords.toml: phrases alone then, which miss half"
        return Finding("the trained model", False, f"{error}; {without}")
    what = f"reader {reader.version}, spaCy {importlib.metadata.version('spacy')}"
    if not config.keywords.reader.model:
        return Finding(
            f"{what}, without the trained model", None, "it was turned off in keywords.toml: phrases alone miss half"
        )
    return Finding(what, True)


def _database(environment: Environment, config: Config, now: datetime) -> Iterator[Finding]:
    try:
        engine = open_database(environment.data, environment.database_url)
    except CallLightError as error:
        yield Finding("database", False, str(error))
        return
    with Session(engine) as session:
        yield Finding(f"database ({engine.dialect.name})", True)
        for watch in session.exec(select(Watch)):
            settings = config.collectors.get(watch.name)
            if settings is None or not settings.on:
                continue
            yield _watch(watch, settings.quiet_after, now)
        result = ledger(heard_between(session, now - timedelta(days=7), now), now)
        stuck = ", ".join(f"{count} {where}" for where, count in result.stuck.items())
        yield Finding(
            f"ledger of seven days, {result.collected} posts",
            result.adds_up,
            f"stuck: {stuck}; is call-light run running?" if stuck else None,
        )
    engine.dispose()


def _watch(watch: Watch, quiet_after: timedelta, now: datetime) -> Finding:
    if watch.trouble:
        return Finding(f"{watch.name}: failed {watch.failures} times", False, watch.trouble)
    if watch.heard_at and now - watch.heard_at > quiet_after:
        hours = int((now - watch.heard_at).total_seconds() // 3600)
        return Finding(
            f"{watch.name}: nothing new for {hours} hours",
            False,
            "is its search still right? Try it on the site itself",
        )
    return Finding(f"{watch.name}: {watch.kept} posts kept", True)


def _collectors(environment: Environment, config: Config) -> Iterator[Finding]:
    for name, settings in config.collectors.items():
        if not settings.on:
            yield Finding(f"collector {name}", None, "off; set on = true in listening.toml to use it")
            continue
        missing = [secret for secret in known_collectors()[name].SECRETS if not environment.secrets.get(secret)]
        todo = f"set {' and '.join(missing)} in the environment or in .env" if missing else None
        yield Finding(f"collector {name}", not missing, todo)


def _slack(environment: Environment, config: Config, now: datetime) -> Iterator[Finding]:
    token = environment.secrets.get("SLACK_BOT_TOKEN")
    if not token:
        yield Finding("Slack", None, "no SLACK_BOT_TOKEN, so cards go to the terminal; README says how to connect it")
        return
    channels = config.care.slack.channels
    slack = Slack(token, config.care.slack.base_url, channels)
    try:
        about, scopes, date = slack.about_bot()
    except CallLightError as error:
        yield Finding("Slack", False, str(error))
        return
    yield Finding(f"Slack workspace {about.get('team', '?')}, bot {about.get('user', '?')}", True)
    if lacking := sorted(_SCOPES - scopes):
        yield Finding("Slack permissions", False, f"add {', '.join(lacking)} on the app's page, then install it again")
    if date and abs(parsedate_to_datetime(date) - now) > _SKEW:
        yield Finding(
            "clock", False, "this machine's clock is off by more than a minute; switch on NTP, reply times depend on it"
        )
    for name, there in channels.items():
        yield _channel(slack, name, there)


def _channel(slack: Slack, name: str, there: str) -> Finding:
    try:
        about: dict[str, Any] = slack.about_channel(there)
    except CallLightError as error:
        return Finding(f"Slack channel {name} ({there})", False, f"{error}; correct care.toml or invite the bot")
    if about.get("is_archived"):
        return Finding(f"Slack channel {name} ({there})", False, "it is archived; name another in care.toml")
    if not about.get("is_member", True):
        return Finding(f"Slack channel {name} ({there})", False, "the bot is not in it; type /invite @Call Light there")
    return Finding(f"Slack channel {name} ({there})", True)
