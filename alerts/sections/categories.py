"""What complaints and praise were about."""

from collections import Counter

from alerts.figures import Figures
from alerts.section import Section, Table


def section(figures: Figures) -> Section:
    """Complaints and praise by topic; a post may speak of several."""
    complaints, praise = _topics(figures, "complaint"), _topics(figures, "praise")
    before = _topics(figures.before, "complaint") if figures.before else Counter[str]()
    # "" is last: posts without a topic are there so that every post can be found again in the table.
    names = sorted(set(complaints) | set(praise), key=lambda name: (not name, -complaints[name], name))
    rows = [
        (
            figures.title(name),
            complaints[name],
            before[name],
            praise[name],
            figures.owners.get(name, ""),
        )
        for name in names
    ]
    return Section(
        "What it was about",
        ("A post that speaks of several topics counts in each.",),
        (Table("topics", ("Topic", "Complaints", "Before", "Praise", "Owner"), rows),),
    )


def _topics(figures: Figures, kind: str) -> Counter[str]:
    said = [heard for heard in figures.patients if heard.kind == kind]
    return Counter(name for heard in said for name in heard.categories or [""])
