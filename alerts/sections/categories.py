"""What complaints and praise were about."""

from collections import Counter

from alerts.figures import Figures
from alerts.report import Section


def section(figures: Figures) -> Section:
    """Complaints and praise by topic; a post may speak of several."""
    complaints = Counter(
        name for heard in figures.of_patients() if heard.kind == "complaint" for name in heard.categories
    )
    praise = Counter(name for heard in figures.of_patients() if heard.kind == "praise" for name in heard.categories)
    before = (
        Counter(
            name for heard in figures.before.of_patients() if heard.kind == "complaint" for name in heard.categories
        )
        if figures.before
        else Counter()
    )
    names = sorted(set(complaints) | set(praise), key=lambda name: (-complaints[name], -praise[name], name))
    rows = [
        (figures.titles.get(name, name), complaints[name], before[name], praise[name], figures.owners.get(name, ""))
        for name in names
    ]
    return Section(
        "What it was about",
        ("A post that speaks of several topics counts in each.",),
        ("Topic", "Complaints", "Week before", "Praise", "Owner"),
        rows,
    )
