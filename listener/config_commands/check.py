"""call-light config check"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from listener import shell

if TYPE_CHECKING:
    from alerts.checked import Checked
    from alerts.lately import Lately
    from config.load import Problem
    from config.schema import Config

_UNKNOWN = {"phrases": None, "categories": None}  # of files that cannot be used


def check(
    as_json: shell.AsJson = False,
    every: Annotated[bool, typer.Option("--all", help="Small remarks too, and each by itself.")] = False,
) -> None:
    """Every mistake in the five files at once, every example sentence tried, and what is odd. Only mistakes fail."""
    from concurrent.futures import ProcessPoolExecutor
    from contextlib import suppress

    from nlp.start import import_spacy

    import_spacy()
    from alerts.checked import checked, grouped
    from alerts.known import config_of, problems_of
    from alerts.lately import lately
    from config.load import ConfigError, read_files

    environment = shell.environment()
    folder = environment.config
    try:
        texts, unread = read_files(folder)
    except ConfigError as error:
        _say(as_json, error.problems)
        raise typer.Exit(1) from None
    # What templates say takes as long to check as all the rest, so another core does it meanwhile.
    with ProcessPoolExecutor(1) as beside:
        problems = beside.submit(problems_of, texts, folder, unread)
        found = None
        with suppress(ConfigError):  # then there are problems
            config = config_of(texts, folder, unread, replies=False)
            kept = lately(environment.data, environment.database_url, datetime.now(UTC))
            found = checked(config, texts, folder, kept.posts)
        wrong = [*problems.result(), *(found.problems if found else ())]
    if found is None:
        _say(as_json, wrong)
        raise typer.Exit(1)
    warnings = [one for one in found.warnings if every or not one.is_small]
    if as_json:
        counts = {"phrases": found.phrases, "categories": len(config.keywords.categories)}
        _say(as_json, wrong, [one.as_json() for one in warnings], counts, kept.nothing)
    else:
        _say(as_json, wrong)
        for line in map(str, warnings) if every else grouped(warnings):
            typer.secho(line, fg="yellow", err=True)
        if not wrong:
            typer.echo(f"{folder}: {_good(config, found, len(warnings), kept)}")
    if wrong:
        raise typer.Exit(1)


def _say(
    as_json: bool,
    problems: "Sequence[Problem]",
    warnings: Sequence[object] = (),
    counts: Mapping[str, int | None] = _UNKNOWN,
    nothing: str | None = None,
) -> None:
    if as_json:
        found = {"ok": not problems, "problems": [problem.__dict__ for problem in problems], "warnings": warnings}
        shell.print_json({**found, **counts, "no_numbers": nothing})
    elif problems:
        typer.echo("\n".join(map(str, problems)), err=True)


def _good(config: "Config", found: "Checked", shown: int, kept: "Lately") -> str:
    on = ", ".join(name for name, settings in config.collectors.items() if settings.on) or "nothing"
    said = f"good. {len(config.keywords.categories)} categories, {found.phrases:,} phrases, listening to {on}."
    if shown:
        said += " 1 warning." if shown == 1 else f" {shown} warnings."
    if small := len(found.warnings) - shown:
        said += f" {small} small remarks: --all shows them."
    numbers = kept.nothing or f"numbers are of the {len(kept.posts):,} newest posts about us, of 30 days at most"
    return f"{said} {numbers[0].upper()}{numbers[1:]}."
