"""spaCy without its command line."""

import subprocess
import sys

from conftest import PROJECT


def python(text: str) -> str:
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, cwd=PROJECT, check=True)
    return done.stdout.strip()


def test_spacy_works_without_its_commands_and_they_can_be_had_afterwards() -> None:
    said = python(
        "from nlp.start import import_spacy; import_spacy(); import sys; print('typer' in sys.modules, 'weasel' in sys.modules)\n"
        "from nlp.tokenizer import blank; print(len(blank()('the portal is down')))\n"
        "import spacy.cli; print(callable(spacy.cli.info))"
    )
    assert said.split() == ["False", "False", "4", "True"]


def test_where_spacy_is_loaded_already_nothing_is_done() -> None:
    assert (
        python("import spacy; from nlp.start import import_spacy; import_spacy(); print(spacy.info is not None)")
        == "True"
    )
