"""What only the code that uses the config files knows, for whoever loads them: which names there are, what can be used."""

from pathlib import Path

from alerts.act import known_actions
from alerts.replies import template_problems
from alerts.report import known_sections
from config.across import Known
from config.load import load
from config.schema import Config
from listener.collect import settings_of_all
from nlp.phrases import check


def load_config(folder: Path, replies: bool = True) -> Config:
    """The configuration in `folder`, checked against everything that is known. Raises ConfigError.

    Without `replies` the templates do not pass the privacy check, which takes a second: their drafts are checked anyway.
    """
    of_templates = template_problems if replies else None
    return load(folder, settings_of_all(), Known(known_sections(), known_actions(), check, of_templates))
