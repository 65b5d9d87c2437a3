"""What only the code that uses the config files knows, for whoever loads them: which names there are, what can be used."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from alerts.act import known_actions
from alerts.replies import template_problems
from alerts.report import known_sections
from config.across import Known
from config.editor import Schema, schemas
from config.load import Problem, load, load_files
from config.schema import Config
from listener.collect import settings_of_all
from nlp.phrase_language import check, check_site


def load_config(folder: Path, replies: bool = True) -> Config:
    """The configuration in `folder`, checked against everything that is known. Raises ConfigError.

    Without `replies` the templates do not pass the privacy check, which takes a second: their drafts are checked anyway.
    """
    return load(folder, settings_of_all(), known(replies))


def config_of(texts: Mapping[str, str], folder: Path, unread: Sequence[Problem] = ()) -> Config:
    """The same for files as texts; `folder` is how mistakes name their place."""
    return load_files(texts, unread, folder, settings_of_all(), known())


def known(replies: bool = True) -> Known:
    """What the users of the files know."""
    of_templates = template_problems if replies else None
    return Known(known_sections(), known_actions(), check, of_templates, check_site)


def known_schemas() -> dict[str, Schema]:
    """What an editor is told of each file, by its name without ".toml", with the names that are known."""
    return schemas(settings_of_all(), Known(known_sections(), known_actions()))
