"""call-light config: what an admin does with the five files. What each command does is in listener/config_commands/."""

from typing import Annotated

import typer

from listener import shell
from listener.config_commands import check, edit, phrase, rehearse, schema, suggest, versions

config_app = typer.Typer(
    help="Check, try and change the five config files.", no_args_is_help=True, rich_markup_mode=None
)

config_app.command("check")(check.check)
config_app.command("try")(rehearse.try_)
config_app.command("edit")(edit.edit)
config_app.command("history")(versions.history)
config_app.command("back")(versions.back)
config_app.command("suggest")(suggest.suggest)
config_app.command("schema")(schema.write)


@config_app.command("show")
def show(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[VERSION|PHRASE]",
            help="A version of config history; or a phrase, in single quotes: 'portal NOT school'.",
        ),
    ] = None,
    since: shell.Since = "30d",
    whole: Annotated[bool, typer.Option("--whole", help="Of a version the files as they were.")] = False,
    is_phrase: Annotated[bool, typer.Option("--phrase", help="A number is a phrase too, and no version.")] = False,
    as_json: shell.AsJson = False,
) -> None:
    """The configuration as the program understands it; of a VERSION what it changed; of a PHRASE what it finds."""
    asked = " ".join(what or ())
    if not asked:
        shell.print_json(shell.load(shell.environment().config).model_dump(mode="json"))
    elif asked.isdecimal() and not is_phrase:
        versions.show(int(asked), whole, as_json)
    else:
        phrase.show(asked, since, as_json)
