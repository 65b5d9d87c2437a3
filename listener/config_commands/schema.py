"""call-light config schema"""

from listener import shell


def write() -> None:
    """JSON Schema of the five files, for editors."""
    from config.load import schema
    from listener.collect import settings_of_all

    shell.print_json(schema(settings_of_all()))
