"""call-light config schema"""

from pathlib import Path
from typing import Annotated

import typer

from listener import shell


def write(
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help='The folder to write to; "schemas" in the config folder.')
    ] = None,
    as_json: shell.AsJson = False,
) -> None:
    """Write what an editor needs to complete and check the five files, one JSON Schema for each."""
    from alerts.known import known_schemas
    from config import editor

    found = known_schemas()
    if as_json:
        shell.print_json(found)
        return
    folder = out or shell.environment().config / "schemas"
    try:
        editor.write(folder, found)
    except OSError as error:
        shell.fail(f"{folder} cannot be written ({error.strerror}); name another folder with --out DIR")
    names = ", ".join(f"{name}.json" for name in found)
    line = "./schemas/keywords.json" if out is None else (folder / "keywords.json").resolve()
    typer.echo(f"Written to {folder}: {names}. Editors find each by the first line of its file: #:schema {line}")
