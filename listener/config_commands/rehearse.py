"""call-light config try: what changed files would do, before they are saved."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from listener import shell

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from alerts.rehearse import Rehearsal
    from config.schema import Config
    from listener.service import Service


_SHORT = 5  # posts of each kind, where they are only looked over


def try_(
    changed: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="The folder with the changed files, or one of them.")
    ] = None,
    since: shell.Since = "30d",
    against: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The files as they were, instead of those in use.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every post, not the first 20 of each kind.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="As a page for a colleague.")] = None,
    as_json: shell.AsJson = False,
) -> None:
    """What changed files would do to the posts that are kept: cards, danger, load. Nothing is changed."""
    from alerts import export, rehearsal
    from config.changes import in_words
    from config.load import read_files

    service = shell.open_service()
    used = shell.environment().config
    old = read_files(against)[0] if against else _in_use(service, used, changed)
    new = _with_changed(old if changed else read_files(used)[0], changed)
    if old == new:
        return _told(as_json, "Nothing was changed: the files are the same.")
    before = _config_of(old, against or used, None)
    after = _config_of(new, used, changed)
    if before == after:
        return _told(as_json, "Nothing would differ: only comments, blanks or the order were changed.")
    since_then = shell.midnight(service, since)
    assert since_then is not None
    found = _rehearsed(service, before, after, since_then)
    what = tuple(in_words(old, new, most=50))
    if html is not None:
        export.write(html, rehearsal.html(found, before, after, what).encode())
        shell.written(html)
    if as_json:
        shell.print_json(rehearsal.as_json(found, what))
    elif html is None:
        _print_rehearsal(found, before, after, None if every else rehearsal.ROWS)


def _in_use(service: "Service", used: Path, changed: Path | None) -> "Mapping[str, str]":
    """The files that others are compared with: those in the folder, or without others those that were in force before them."""
    from config.load import read_files
    from listener import versions

    texts, unread = read_files(used)
    if changed is not None and not unread:
        return texts
    with shell.session(service.engine) as session:
        version = versions.in_force(session) if changed else versions.before(session, texts)
        if version is not None:
            if not changed:
                typer.echo(f"Beside version {version.number}, which was in force before.", err=True)
            return version.texts
    shell.fail("no earlier version is known; name the folder with the changed files: call-light config try DIR")


def _told(as_json: bool, sentence: str) -> None:
    shell.print_json({"differs": False, "why": sentence}) if as_json else typer.echo(sentence)


def _with_changed(old: "Mapping[str, str]", changed: Path | None) -> dict[str, str]:
    """The files with those that were changed in the place of the old ones."""
    from config.load import NAMES, ConfigError, read_files

    if changed is None:
        return dict(old)
    is_one = changed.is_file()
    if is_one and changed.name not in NAMES:
        shell.fail(f"{changed} is none of the five files; it is called as the one that it replaces: {', '.join(NAMES)}")
    names = [changed.name] if is_one else [name for name in NAMES if (changed / name).exists()]
    if not names and changed.is_dir():
        shell.fail(f"{changed} holds none of the five files: {', '.join(NAMES)}")
    texts, unread = read_files(changed.parent if is_one else changed)
    if wrong := [one for one in unread if Path(one.file).name in names]:
        raise ConfigError(wrong)
    return {**old, **{name: texts[name] for name in names}}


def _config_of(texts: "Mapping[str, str]", used: Path, changed: Path | None) -> "Config":
    """The changed configuration; each mistake is named where its file is."""
    from dataclasses import replace

    from alerts.known import config_of
    from config.load import ConfigError

    folder = used if changed is None else changed.parent if changed.is_file() else changed
    try:
        return config_of(texts, folder)
    except ConfigError as error:
        there = (Path(one.file) for one in error.problems)
        places = [str(file if file.exists() else used / file.name) for file in there]
        raise ConfigError(
            [replace(one, file=place) for one, place in zip(error.problems, places, strict=True)]
        ) from None


def show(new: "Mapping[str, str]", folder: Path) -> None:
    """What these files would do in place of those in use, where posts are kept."""
    from datetime import timedelta

    found = shell.environment()
    if not found.database_url and not (found.data / "call-light.db").exists():
        return
    service = shell.open_service()
    after = _config_of(new, found.config, folder)
    if service.config != after:
        replayed = _rehearsed(service, service.config, after, service.now() - timedelta(days=30))
        _print_rehearsal(replayed, service.config, after, _SHORT)


def _rehearsed(service: "Service", before: "Config", after: "Config", since: "datetime") -> "Rehearsal":
    """With a progress bar."""
    from rich.progress import Progress

    from alerts.rehearse import rehearse
    from listener.database import reading

    with Progress(console=shell.terminal(stderr=True), transient=True) as progress, reading(service.engine) as session:
        task = progress.add_task("Replaying", total=None)
        return rehearse(
            session, before, after, since, service.now(),
            lambda done, of: progress.update(task, completed=done, total=of),
        )  # fmt: skip


def _print_rehearsal(found: "Rehearsal", before: "Config", after: "Config", rows: int | None) -> None:
    """Danger in red, then the numbers, then the tables."""
    from rich.text import Text

    from alerts import rehearsal
    from alerts.console import print_posts, print_table

    terminal = shell.terminal()
    for sentence in rehearsal.danger(found):
        terminal.print(Text(sentence, "bold red"))
    for section in rehearsal.sections(found, before, after, rows):
        if section.title:
            terminal.print(Text(f"\n{section.title}", "bold red" if section.title == "Danger" else "bold"))
        for sentence in section.sentences:
            terminal.print(Text(sentence))
        for table in section.tables:
            print_posts(terminal, table) if table.header == rehearsal.OF_POSTS else print_table(terminal, table)
