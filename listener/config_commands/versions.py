"""call-light config history, show VERSION, back: what the files said at other times."""

import sys
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from listener import shell

if TYPE_CHECKING:
    from listener.versions import ConfigVersion


def history(csv: shell.AsCsv = None, xlsx: shell.AsXlsx = None, as_json: shell.AsJson = False) -> None:
    """Every version of the files that a service has seen: when, by whom, what it changed."""
    from alerts.section import Table
    from listener import versions

    with _database() as session:
        found = list(versions.every(session))
        now = versions.in_force(session)
    zone = _zone(now)
    good: dict[str, str] = {}
    seen = []
    for one in reversed(found):
        seen.append((one, good))
        good = good if one.trouble else one.texts
    rows = [_history_row(one, old, found, now, zone) for one, old in reversed(seen)]
    dump = [_row(one, old) for one, old in reversed(seen)] if as_json else None
    table = Table("config_history", ("Version", "Saved", "By", "", "What it changed"), rows)
    shell.give(table, csv, xlsx, dump, "No version yet: call-light run writes each one down as it takes it up.")


def back(
    version: Annotated[
        int | None, typer.Argument(help="A version of config history; the one before the last change if left out.")
    ] = None,
) -> None:
    """Put the files of an earlier version back; the service takes them up as it does when you save."""
    from config.changes import in_words
    from config.files import write_files
    from config.load import read_files
    from listener import versions

    folder = shell.environment().config
    now, _ = read_files(folder)
    with _database() as session:
        found = _version(session, version) if version is not None else versions.before(session, now)
        if found is None:
            shell.fail("there is no earlier version to go back to: call-light config history")
        number, texts = found.number, found.texts
        _check(number, texts)
        unreadable = _put_beside(folder, [name for name in texts if name not in now])
        kept = versions.put_aside(session, now, versions.author(folder, list(now)), datetime.now(UTC))
    written = write_files(folder, texts, now)
    if not written:
        typer.echo(f"The files are those of version {number} already.")
        return
    typer.echo(f"The files are those of version {number} again: {', '.join(path.name for path in written)}.")
    typer.echo("\n".join(in_words(now, texts)))
    if kept is not None:
        typer.echo(f"What was there, and was never in force, is kept as version {kept}.")
    for path in unreadable:
        typer.echo(f"What was there and could not be read is kept as {path}.")


def _check(number: int | None, texts: "Mapping[str, str]") -> None:
    """End with sentences where the service would refuse the files of a version."""
    from config.load import NAMES
    from listener.config_commands.edit import mistakes

    if lacking := [name for name in NAMES if name not in texts]:
        shell.fail(f"version {number} cannot be put back: {', '.join(lacking)} could not be read when it was saved")
    if wrong := mistakes(texts, (), Path(f"version {number}")):  # refused then, or by a newer program now
        shell.fail("\n".join([*wrong, f"Version {number} cannot be put back; nothing was saved."]))


def _put_beside(folder: Path, names: Sequence[str]) -> list[Path]:
    """Keep files that no version can hold, since they are no text; where each is."""
    from shutil import copyfile

    kept = []
    for name in names:
        if not (folder / name).exists():
            continue
        beside = folder / f"{name}.unreadable"
        try:
            copyfile(folder / name, beside)
        except OSError as error:
            shell.fail(f"{folder / name} cannot be kept ({error.strerror}); move it away, and call this again")
        kept.append(beside)
    return kept


def show(number: int, whole: bool, as_json: bool) -> None:
    """What a version changed; `whole`: its files as they were."""
    from difflib import unified_diff

    from alerts.message import visible
    from listener import versions

    with _database() as session:
        found = _version(session, number)
        before = versions.earlier(session, number)
    texts, old = found.texts, before.texts if before else {}
    if as_json:
        return shell.print_json({**_row(found, old), "texts": texts})
    if whole:
        said = "\n".join(f"# ---------------- {name}\n{text}" for name, text in texts.items())
        typer.echo(visible(said) if sys.stdout.isatty() else said)
        return
    # Files that were refused may hold anything, and git any name: nothing of it acts in the terminal.
    typer.echo(
        f"Version {number}, saved by {visible(found.author)}" + (f", after version {before.number}" if before else "")
    )
    if found.trouble:
        typer.echo(f"It was refused:\n{visible(found.trouble)}")
    for name, text in texts.items():
        lines = unified_diff(
            old.get(name, "").splitlines(), text.splitlines(), f"{name} before", name, lineterm="", n=1
        )
        for line in lines:
            typer.echo(typer.style(visible(line), fg={"+": "green", "-": "red"}.get(line[:1])))


def _database() -> Any:
    """A session on the database, if there is one: looking at versions makes none."""
    from listener.database import open_database

    found = shell.environment()
    if not found.database_url and not (found.data / "call-light.db").exists():
        shell.fail(f"no version yet: {found.data} holds no database; call-light run writes each version down")
    return shell.session(open_database(found.data, found.database_url))


def _version(session: Any, number: int) -> "ConfigVersion":
    from listener.versions import ConfigVersion

    found: ConfigVersion | None = session.get(ConfigVersion, number)
    if found is None:
        shell.fail(f"there is no version {number}: call-light config history")
    return found


def _history_row(
    one: "ConfigVersion",
    old: "Mapping[str, str]",
    every: "Sequence[ConfigVersion]",
    now: "ConfigVersion | None",
    zone: "ZoneInfo | None",
) -> tuple[str | int, ...]:
    from config.changes import in_words
    from listener.versions import PUT_ASIDE, SAVED, UNTRIED

    state = (
        "put aside"
        if one.trouble == PUT_ASIDE
        else "saved, not taken up yet"
        if one.trouble == SAVED
        else "refused"
        if one.trouble
        else "in force"
        if now and one.number == now.number
        else ""
    )
    first = min(other.number or 0 for other in every if other.digest == one.digest)
    if one.trouble and one.trouble not in UNTRIED:
        what = one.trouble.splitlines()[0]
    elif first != one.number:
        what = f"as version {first}"
    else:
        what = "; ".join(in_words(old, one.texts)) if old else "the first"
    return one.number or 0, f"{one.at.astimezone(zone):%Y-%m-%d %H:%M}", one.author, state, what


def _zone(version: "ConfigVersion | None") -> "ZoneInfo | None":
    """The hospital's zone, as its last good files say it."""
    if version is None:
        return None
    return ZoneInfo(tomllib.loads(version.texts["hospital.toml"].removeprefix("\ufeff"))["timezone"])


def _row(version: "ConfigVersion", old: "Mapping[str, str]") -> dict[str, Any]:
    from config.changes import changes

    made = [change.__dict__ for change in changes(old, version.texts)] if old else []
    seen = {"version": version.number, "at": version.at, "author": version.author, "digest": version.digest}
    return {**seen, "refused": version.trouble, "changes": made}
