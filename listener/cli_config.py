"""call-light config: what an admin does with the five files."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener import shell

if TYPE_CHECKING:
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
    from config.changes import in_words
    from listener import versions

    zone = None
    with _database() as session:
        found = list(versions.every(session))
        now = versions.in_force(session)
    old: dict[int, dict[str, str]] = {}
    good: dict[str, str] = {}
    for one in reversed(found):
        old[one.number or 0] = good
        good = good if one.trouble else one.texts
    first = {one.digest: one.number for one in found}  # the newest come first, so the oldest of equal ones stays
    rows = []
    for one in found:
        state = "refused" if one.trouble else "in force" if now and one.number == now.number else ""
        again = f"as version {first[one.digest]}; " if first[one.digest] != one.number else ""
        what = "; ".join(in_words(old[one.number or 0], one.texts)) if old[one.number or 0] else "the first"
        rows.append((one.number, f"{one.at.astimezone(zone):%Y-%m-%d %H:%M}", one.author, state, f"{again}{what}"))
    dump = [_row(one, old[one.number or 0]) for one in found] if as_json else None
    table = Table("config_history", ("Version", "Saved", "By", "", "What it changed"), rows)
    shell.give(table, csv, xlsx, dump, "No version yet: call-light run writes each one down as it takes it up.")


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
        kept = versions.put_aside(session, now, versions.author(folder, list(now)), datetime.now(UTC))
    config_of(found.texts, folder)  # a newer program may not take it any more
    written = write_files(folder, found.texts, now)
    if not written:
        typer.echo(f"The files are those of version {found.number} already.")
        return
    typer.echo(f"The files are those of version {found.number} again: {', '.join(path.name for path in written)}.")
    typer.echo("\n".join(in_words(now, found.texts)))
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


def _row(version: "ConfigVersion", old: "Mapping[str, str]") -> dict[str, Any]:
    from config.changes import changes

    made = [change.__dict__ for change in changes(old, version.texts)] if old else []
    seen = {"version": version.number, "at": version.at, "author": version.author, "digest": version.digest}
    return {**seen, "refused": version.trouble, "changes": made}
