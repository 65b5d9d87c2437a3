"""call-light config check"""

import typer

from listener import shell


def check(as_json: shell.AsJson = False) -> None:
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
