"""What every command does at the terminal: the folders and options that were given, errors, tables as they are asked for."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from listener.errors import NeedsPerson

if TYPE_CHECKING:
    from rich.console import Console as Terminal
    from sqlalchemy import Engine

    from alerts.door import Door
    from alerts.section import Table
    from config.schema import Config
    from listener.environment import Environment
    from listener.service import Service

AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
AsCsv = Annotated[
    str | None, typer.Option("--csv", metavar="FILE", help='As CSV into this file; "-" is standard output.')
]
AsXlsx = Annotated[Path | None, typer.Option("--xlsx", metavar="FILE", help="As a workbook for spreadsheets.")]
Since = Annotated[
    str | None,
    typer.Option(metavar="7d", help="From so long ago on, or from a date as 2026-11-09; whole days of the hospital."),
]

given: dict[str, Any] = {"config": None, "data": None, "debug": False}  # the options that may stand anywhere


def fail(sentence: str) -> NoReturn:
    """One sentence on standard error, and exit status 1. What another side says in it does not act in the terminal."""
    from alerts.message import visible

    typer.echo(visible(sentence), err=True)
    raise SystemExit(1)


def environment() -> "Environment":
    """Folders and secrets of this run."""
    from listener.environment import environment as of_run

    return of_run(given["config"], given["data"])


def load(folder: Path, replies: bool = False) -> "Config":
    """`replies`: whether the templates of replies are checked word by word too, which takes a second."""
    from alerts.known import load_config

    return load_config(folder, replies)


def open_service(is_service: bool = False) -> "Service":
    """Everything the flow needs. Only the service writes a log; a command says what it has to say itself.

    Where the config files are broken, what needs them goes on by the last good version.
    """
    from nlp.start import import_spacy

    import_spacy()  # before anything else imports it
    from listener.database import open_database
    from listener.environment import exposed
    from listener.service import Service

    found = environment()
    _start_logging(found, is_service)
    if is_service:
        for sentence in exposed(found):
            typer.echo(sentence, err=True)
    if not found.config.is_dir() and not (found.data / "call-light.db").exists() and not found.database_url:
        load(found.config)  # nothing was ever here: it says so, and makes no folder
    engine = open_database(found.data, found.database_url)
    config = _config(found, engine)
    doors = _other_doors(config, found)
    return Service(config, engine, _door(config, found), found.secrets, reports=reports(), other_doors=doors)


def _start_logging(found: "Environment", is_service: bool) -> None:
    import logging

    from listener import logs

    level = logs.level_of(found.log_level) if is_service else logging.CRITICAL
    logs.start_logging(logging.DEBUG if given["debug"] else level, found.log, given["debug"])
    if is_service:
        logs.catch_strays()


def goes_live(service: "Service") -> None:
    """From now on the service goes by what admins save, and writes down each version."""
    from config.load import ConfigError, Problem
    from listener.live import Live
    from listener.service import InForce

    found = environment()

    def make_ready(texts: Mapping[str, str], unread: Sequence[Problem], is_known: bool) -> InForce:
        from alerts.checked import failing
        from alerts.known import config_of
        from nlp.pipeline import Reader

        config = config_of(texts, found.config, unread, replies=not is_known)  # these passed before
        if not is_known and (wrong := failing(config, texts, found.config)):
            raise ConfigError(wrong)
        last = service.in_force
        is_same = config.hospital == last.config.hospital and config.keywords == last.config.keywords
        doors = {"people": service.door, **_other_doors(config, found)}
        return InForce(config, doors, last.reader if is_same else Reader(config))

    service.live = Live(found.config, service.engine, make_ready, service.now)
    service.take_up(service.live.begin())


def _config(found: "Environment", engine: "Engine") -> "Config":
    """The configuration; of broken files the last good version, with a word about it."""
    from sqlmodel import Session

    from alerts.known import config_of
    from config.load import ConfigError
    from listener import versions

    try:
        return load(found.config)
    except ConfigError as error:
        with Session(engine) as session:
            last = versions.in_force(session)
        if last is None:
            raise
        typer.echo(
            f"{error}\nThe files are not used; version {last.number} goes on: call-light config history", err=True
        )
        return config_of(last.texts, found.config, replies=False)


def _door(config: "Config", environment: "Environment") -> "Door":
    """Slack when there is a token, else the terminal."""
    from alerts.console import Console
    from alerts.slack import Slack

    if token := environment.secrets.get("SLACK_BOT_TOKEN"):
        return Slack(token, config.care.slack.base_url, config.care.slack.channels)
    return Console(config.care.slack.channels, terminal(stderr=True))


def _other_doors(config: "Config", environment: "Environment") -> "dict[str, Door]":
    """The pager when there are addresses, and the hooks when care.toml names any."""
    from alerts.hooks import Hooks
    from alerts.pager import ADDRESSES, Pager

    doors: dict[str, Door] = {}
    if addresses := environment.secrets.get(ADDRESSES):
        doors["pager"] = Pager(addresses)
    if config.care.hooks:
        doors["hooks"] = Hooks(config.care.hooks, environment.secrets)
    return doors


def session(engine: "Engine") -> Any:
    """A session on the database."""
    from sqlmodel import Session

    return Session(engine)


def terminal(stderr: bool = False) -> "Terminal":
    """Where people read."""
    from rich.console import Console as Terminal

    stream = sys.stderr if stderr else sys.stdout
    # A pipe has no width: tables must not be cut to the 80 columns that rich would assume.
    return Terminal(stderr=stderr, width=None if stream.isatty() or "COLUMNS" in os.environ else 120)


def midnight(service: "Service", text: str | None) -> datetime | None:
    """ "7d" as the midnight seven days ago, "2026-11-09" as that day's, hospital time; None for ever."""
    from config.schema import parse_duration

    if text is None:
        return None
    zone = service.config.hospital.zone
    try:
        day = (
            date.fromisoformat(text) if "-" in text else (service.now() - parse_duration(text)).astimezone(zone).date()
        )
        if day.year < 1970:  # nobody posted; and the first days of the calendar cannot be told in another zone
            raise OverflowError
    except (ValueError, OverflowError) as error:
        why = str(error) if "-" not in text and isinstance(error, ValueError) else "a day as 2026-11-09"
        raise NeedsPerson(f"--since: {text!r} is not {why}") from None
    return datetime.combine(day, time(), zone)


def print_json(value: Any) -> None:
    """For programs."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str).encode())  # UTF-8 wherever it goes


def give(table: "Table", csv: str | None = None, xlsx: Path | None = None, dump: Any = None, nothing: str = "") -> None:
    """A table as it was asked for: in files, as JSON (`dump`), or else on the terminal; `nothing` if it has no rows."""
    from alerts import export
    from alerts.console import print_table

    one_on_stdout(csv, dump is not None)
    if csv == "-":
        typer.echo(export.csv_text(table).encode(), nl=False)
    elif csv:
        export.write_csv(Path(csv), table)
        written(Path(csv))
    if xlsx:
        give_workbook([table], xlsx)
    if dump is not None:
        print_json(dump)
    elif not csv and not xlsx:
        print_table(terminal(), table) if table.rows else typer.echo(nothing)


def give_workbook(tables: "Sequence[Table]", path: Path) -> None:
    """Tables as sheets of a file."""
    from alerts import export

    content, left_off = export.workbook(tables)
    export.write(path, content)
    for sentence in left_off:
        typer.echo(sentence, err=True)
    written(path)


def written(path: Path) -> None:
    """Say where something went."""
    typer.echo(f"written to {path}", err=True)  # standard output is for what programs read


def one_on_stdout(csv: str | None, as_json: bool) -> None:
    """Refuse two things on standard output."""
    if csv == "-" and as_json:
        fail("--csv - and --json would both go to standard output; give --csv a file")


def reports() -> Path:
    """The folder of the summaries."""
    return environment().data / "reports"
