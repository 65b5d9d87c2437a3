"""call-light config: what an admin does with the five files."""

import os
import shlex
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from listener import shell

if TYPE_CHECKING:
    from config.load import Problem
    from listener.versions import ConfigVersion

config_app = typer.Typer(help="Check and show the five config files.", no_args_is_help=True, rich_markup_mode=None)


@config_app.command("check")
def config_check(as_json: shell.AsJson = False) -> None:
    """Every mistake in the five files at once, and every example sentence tried."""
    from config.load import ConfigError
    from nlp.examples import failures

    folder = shell.environment().config
    try:
        config = shell.load(folder, replies=True)
        problems = [str(failure) for failure in failures(config)]
    except ConfigError as error:
        problems = [str(problem) for problem in error.problems]
        if as_json:
            shell.print_json({"ok": False, "problems": [problem.__dict__ for problem in error.problems]})
            raise typer.Exit(1) from None
    if as_json:
        shell.print_json({"ok": not problems, "problems": problems})
    elif problems:
        typer.echo("\n".join(problems), err=True)
    else:
        on = [name for name, settings in config.collectors.items() if settings.on]
        phrases = sum(len(category.phrases) for category in config.keywords.categories.values())
        typer.echo(
            f"{folder}: good. {len(config.keywords.categories)} categories, {phrases} phrases, listening to {', '.join(on) or 'nothing'}."
        )
    if problems:
        raise typer.Exit(1)


@config_app.command("show")
def config_show(
    version: Annotated[int | None, typer.Argument(help="A version of config history: what it changed.")] = None,
    whole: Annotated[bool, typer.Option("--whole", help="The files of the version as they were.")] = False,
    as_json: shell.AsJson = False,
) -> None:
    """The configuration as the program understands it, defaults filled in; or what a version changed."""
    if version is None:
        return shell.print_json(shell.load(shell.environment().config).model_dump(mode="json"))
    from difflib import unified_diff

    from listener import versions

    with _database() as session:
        found = _version(session, version)
        before = versions.earlier(session, version)
    texts, old = found.texts, before.texts if before else {}
    if as_json:
        return shell.print_json({**_row(found, old), "texts": texts})
    if whole:
        typer.echo("\n".join(f"# ---------------- {name}\n{text}" for name, text in texts.items()))
        return
    typer.echo(f"Version {version}, saved by {found.author}" + (f", after version {before.number}" if before else ""))
    if found.trouble:
        typer.echo(f"It was refused:\n{found.trouble}")
    for name, text in texts.items():
        lines = unified_diff(
            old.get(name, "").splitlines(), text.splitlines(), f"{name} before", name, lineterm="", n=1
        )
        for line in lines:
            typer.echo(typer.style(line, fg={"+": "green", "-": "red"}.get(line[:1])))


@config_app.command("history")
def config_history(csv: shell.AsCsv = None, xlsx: shell.AsXlsx = None, as_json: shell.AsJson = False) -> None:
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


@config_app.command("edit")
def config_edit(
    file: Annotated[str, typer.Argument(help="keywords, hospital, listening, care or report.")] = "keywords",
) -> None:
    """Change a file in your editor ($EDITOR), see its mistakes and what it would do, and only then save it."""
    from config.files import NotSaved, write_files
    from config.load import NAMES, read_files

    name = file if file.endswith(".toml") else f"{file}.toml"
    if name not in NAMES:
        shell.fail(f"there is no {name}; there are {', '.join(NAMES)}")
    folder = shell.environment().config
    old, unread = read_files(folder)
    if name not in old:
        shell.fail(next(str(problem) for problem in unread if problem.file == str(folder / name)))
    draft = Path(tempfile.mkdtemp(prefix="call-light-edit-"))
    for each, text in old.items():
        (draft / each).write_bytes(text.encode())
    try:
        new = _edited(draft, name, old)
        if new is None:
            typer.echo(
                f"Nothing was saved; your draft is {draft / name}. What it would do: call-light config try {draft}"
            )
            return
        write_files(folder, {name: new}, old)
    except (NotSaved, typer.Abort) as error:
        shell.fail(f"{str(error) or 'nothing was saved'}. Your draft is {draft / name}")
    shutil.rmtree(draft)
    if new == old[name]:
        typer.echo("Nothing was changed.")
    else:
        typer.echo("Saved. A service that runs takes it up within ten seconds; call-light config back takes it back.")


def _edited(draft: Path, name: str, old: "Mapping[str, str]") -> str | None:
    """The text of a file as it is to be saved; None when its admin leaves it for later."""
    from config.changes import in_words
    from config.load import read_files

    while True:
        _in_editor(draft / name)
        new, unread = read_files(draft)
        if new == old:
            return new[name]
        mistakes = _mistakes(new, unread, draft)
        typer.echo("\n".join(mistakes or in_words(old, new)), err=bool(mistakes))
        chosen = _asked(
            f"{len(mistakes)} to mend. What now?" if mistakes else "It is right. What now?",
            ("edit", "leave") if mistakes else ("save", "edit", "leave"),
        )
        if chosen != "edit":
            return new[name] if chosen == "save" else None


@config_app.command("back")
def config_back(
    version: Annotated[
        int | None, typer.Argument(help="A version of config history; the one before the last change if left out.")
    ] = None,
) -> None:
    """Put the files of an earlier version back; the service takes them up as it does when you save."""
    from alerts.known import config_of
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
        config_of(texts, folder)  # a newer program may not take it any more
        kept = versions.put_aside(session, now, versions.author(folder, list(now)), datetime.now(UTC))
    written = write_files(folder, texts, now)
    if not written:
        typer.echo(f"The files are those of version {number} already.")
        return
    typer.echo(f"The files are those of version {number} again: {', '.join(path.name for path in written)}.")
    typer.echo("\n".join(in_words(now, texts)))
    if kept is not None:
        typer.echo(f"What was there, and was never in force, is kept as version {kept}.")


@config_app.command("schema")
def config_schema() -> None:
    """JSON Schema of the five files, for editors."""
    from config.load import schema
    from listener.collect import settings_of_all

    shell.print_json(schema(settings_of_all()))


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
    from listener.versions import PUT_ASIDE

    state = (
        "put aside"
        if one.trouble == PUT_ASIDE
        else "refused"
        if one.trouble
        else "in force"
        if now and one.number == now.number
        else ""
    )
    first = min(other.number or 0 for other in every if other.digest == one.digest)
    if one.trouble and one.trouble != PUT_ASIDE:
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


def _mistakes(texts: "Mapping[str, str]", unread: "Sequence[Problem]", folder: Path) -> list[str]:
    """Every mistake, as sentences."""
    from alerts.known import config_of
    from config.load import ConfigError
    from nlp.examples import failures

    try:
        return [str(failure) for failure in failures(config_of(texts, folder, unread))]
    except ConfigError as error:
        return [str(problem) for problem in error.problems]


def _in_editor(path: Path) -> None:
    """Open a file in the admin's editor, and wait until it is closed."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        done = subprocess.run([*shlex.split(command), str(path)], check=False)
    except (OSError, ValueError) as error:
        shell.fail(
            f"cannot open the editor {command!r} ({error}); name yours in EDITOR, as in: EDITOR=nano call-light config edit"
        )
    if done.returncode:
        shell.fail(
            f"the editor {command!r} ended with status {done.returncode}, so nothing was saved; your draft is {path}"
        )


def _asked(question: str, choices: "Sequence[str]") -> str:
    """The choice of whoever sits there; its first letter is enough."""
    while True:
        said = typer.prompt(f"{question} ({', '.join(choices)})").strip().lower()
        if said and (chosen := next((choice for choice in choices if choice.startswith(said)), None)):
            return chosen
