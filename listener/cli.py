"""The commands. Heavy libraries are loaded inside the command that needs them: --help answers at once."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    pass

app = typer.Typer(
    name="call-light",
    help="Hears what patients say in public about a hospital and puts what needs a person before the social care team.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
config_app = typer.Typer(help="Check the five config files.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(config_app, name="config")

AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Since = Annotated[
    str | None, typer.Option("--since", metavar="7d", help="From how long ago; whole days of the hospital.")
]

_given: dict[str, Any] = {"config": None, "data": None, "debug": False}
_ANYWHERE = ("--config", "--data", "--debug")


def main() -> None:
    """Run a command; any error becomes one sentence and exit status 1."""
    from listener.errors import CallLightError

    try:
        app(args=_to_front(sys.argv[1:]))
    except CallLightError as error:
        if _given["debug"]:
            raise
        _fail(str(error))
    except BrokenPipeError:
        sys.exit(0)


def _to_front(args: list[str]) -> list[str]:
    """--config, --data and --debug may stand anywhere."""
    front, rest, index = [], [], 0
    while index < len(args):
        name = args[index].partition("=")[0]
        if name == "--schema" or name not in _ANYWHERE:
            rest.append(args[index])
        else:
            front.append(args[index])
            if name != "--debug" and "=" not in args[index] and index + 1 < len(args):
                index += 1
                front.append(args[index])
        index += 1
    return front + rest


@app.callback()
def _options(
    config: Annotated[
        Path | None, typer.Option(help="Folder of the five config files [CALL_LIGHT_CONFIG, else config/].")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the database and reports [CALL_LIGHT_DATA, else data/].")
    ] = None,
    debug: Annotated[bool, typer.Option(help="Show tracebacks and log more.")] = False,
) -> None:
    _given.update(config=config, data=data, debug=debug)


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise SystemExit(1)


# ---------------------------------------------------------------- the service


@app.command()
def demo(
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Do not open the summary in the browser.")] = False,
) -> None:
    """Play the bundled week, start to end; no accounts needed."""
    from rich.progress import Progress

    from alerts.console import Console as Door
    from listener import week
    from listener.database import open_database
    from listener.service import Service, replay

    terminal = _terminal()
    environment = _environment()
    config = _config(environment.config if _given["config"] else Path(__file__).parent.parent / "config")
    today = datetime.now(UTC)
    posts = week.posts(config.hospital.zone, today)
    moment = [today]
    for old in environment.data.glob("demo.db*"):
        old.unlink()
    environment.data.mkdir(parents=True, exist_ok=True)
    engine = open_database(environment.data, f"sqlite:///{environment.data / 'demo.db'}")
    service = Service(config, engine, Door(config.care.slack.channels, terminal), {}, lambda: moment[0])
    terminal.rule(f"{config.hospital.name}: seven days of posts, played through every stage")
    with Progress(console=terminal, transient=True) as progress:
        task = progress.add_task("Playing the week", total=len(posts))
        for played in replay(
            service, posts, timedelta(minutes=30), lambda at: moment.__setitem__(0, at.astimezone(UTC))
        ):
            progress.advance(task, played)
    terminal.print("ok")
