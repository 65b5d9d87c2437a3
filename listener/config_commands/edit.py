"""call-light config edit: a change is seen before it is saved."""

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from listener import shell
from listener.config_commands import rehearse

if TYPE_CHECKING:
    from config.load import Problem


def edit(
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
    if (folder / "schemas").is_dir():  # the editor looks for them beside the file
        shutil.copytree(folder / "schemas", draft / "schemas")
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
    from config.files import cut_off
    from config.load import read_files

    while True:
        _in_editor(draft / name)
        new, unread = read_files(draft)
        if new == old:
            return new[name]
        wrong = mistakes(new, [*unread, *cut_off(draft, new, old)], draft)  # the service would refuse it
        typer.echo("\n".join(wrong or in_words(old, new)), err=bool(wrong))
        if not wrong:
            rehearse.show(new, draft)
        chosen = _asked(
            f"{len(wrong)} to mend. What now?" if wrong else "It is right. What now?",
            ("edit", "leave") if wrong else ("save", "edit", "leave"),
        )
        if chosen != "edit":
            return new[name] if chosen == "save" else None


def mistakes(texts: "Mapping[str, str]", unread: "Sequence[Problem]", folder: Path) -> list[str]:
    """Every mistake, as sentences."""
    from alerts.checked import failing
    from alerts.known import config_of
    from config.load import ConfigError

    try:
        return [str(problem) for problem in failing(config_of(texts, folder, unread), texts, folder)]
    except ConfigError as error:
        return [str(problem) for problem in error.problems]


def _in_editor(path: Path) -> None:
    """Open a file in the admin's editor, and wait until it is closed."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        # What admins have chosen for themselves.
        done = subprocess.run([*shlex.split(command), str(path)], check=False)  # noqa: S603
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
