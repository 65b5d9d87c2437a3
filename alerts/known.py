"""What only the code that uses the config files knows, for whoever loads them: which names there are, what can be used."""

import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import alerts.actions
import alerts.sections
from config.across import Known
from config.editor import Schema, schemas
from config.load import ConfigError, Problem, load, load_files
from config.schema import Config
from listener.collect import settings_of_all
from nlp.phrase_language import check, check_site


def load_config(folder: Path, replies: bool = True) -> Config:
    """The configuration in `folder`, checked against everything that is known. Raises ConfigError.

    Without `replies` the templates do not pass the privacy check, which takes a second: their drafts are checked anyway.
    """
    return load(folder, settings_of_all(), known(replies))


def config_of(texts: Mapping[str, str], folder: Path, unread: Sequence[Problem] = (), replies: bool = True) -> Config:
    """The same for files as texts; `folder` is how mistakes name their place."""
    return load_files(texts, unread, folder, settings_of_all(), known(replies))


def problems_of(texts: Mapping[str, str], folder: Path, unread: Sequence[Problem] = ()) -> list[Problem]:
    """Every mistake in these files."""
    try:
        config_of(texts, folder, unread)
    except ConfigError as error:
        return error.problems
    return []


def known(replies: bool = True) -> Known:
    """What the users of the files know."""
    names = Known(_names(alerts.sections), _names(alerts.actions), check, check_site=check_site)
    if not replies:
        return names
    from alerts.replies import template_problems

    return replace(names, check_template=template_problems)


def _names(folder: ModuleType) -> list[str]:
    """What there is one file of, each. To load them takes half a second, and who checks the files wants the names alone."""
    return sorted(module.name for module in pkgutil.iter_modules(folder.__path__))


def known_schemas() -> dict[str, Schema]:
    """What an editor is told of each file, by its name without ".toml", with the names that are known."""
    return schemas(settings_of_all(), Known(_names(alerts.sections), _names(alerts.actions)))
