"""spaCy, loaded without its own command line, for commands that people wait for."""

import sys
from types import ModuleType


def import_spacy() -> None:
    """Import spaCy quicker, if nobody has yet.

    With every import it loads its commands, and with these an HTTP client and a tool for projects: a third of the time, for
    nothing that is used here. Whoever wants them afterwards may import them.
    """
    if "spacy" in sys.modules:
        return
    commands, info = ModuleType("spacy.cli"), ModuleType("spacy.cli.info")
    vars(commands).update(__path__=[], info=info)
    vars(info).update(info=None)
    sys.modules.update({"spacy.cli": commands, "spacy.cli.info": info})
    import spacy  # noqa: F401

    del sys.modules["spacy.cli"], sys.modules["spacy.cli.info"]
