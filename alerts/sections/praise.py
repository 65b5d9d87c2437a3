"""Kind words, to be passed on."""

from alerts.figures import Figures
from alerts.message import PLACES, shorten
from alerts.section import Section, Table


def section(figures: Figures) -> Section:
    """The latest praise, without personal details."""
    praise = [heard for heard in figures.patients if heard.kind == "praise"]
    rows = [
        (
            heard.heard_at.astimezone(figures.zone).strftime("%a"),
            PLACES.get(heard.source, heard.source),
            shorten(heard.redacted_text, 160).replace("\n", " "),
        )
        for heard in [heard for heard in praise if not heard.deleted][-8:]
    ]
    return Section(
        "Kind words",
        (f"{len(praise)} {'post' if len(praise) == 1 else 'posts'} with praise.",),
        (Table("praise", ("Day", "Place", "In short"), rows),),
    )
