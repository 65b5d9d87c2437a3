"""The week in three sentences."""

from collections import Counter

from alerts.clockface import in_words
from alerts.figures import Figures
from alerts.section import Section
from alerts.sections.reply_times import median


def section(figures: Figures) -> Section:
    """Three sentences written from the numbers."""
    patients = figures.patients
    complaints = [heard for heard in patients if heard.kind == "complaint"]
    praise = sum(heard.kind == "praise" for heard in patients)
    topics = Counter(name for heard in complaints for name in heard.categories)
    were = "post was" if len(figures.heard) == 1 else "posts were"
    first = f"{len(figures.heard):,} {were} heard, {len(patients):,} of them by patients and visitors: {_count(len(complaints), 'complaint')}, {praise:,} with praise."
    if topics:
        name, count = min(topics.items(), key=lambda topic: (-topic[1], topic[0]))  # as the table sorts
        second = f"The topic most complained about was {figures.title(name).lower()} ({count} of {len(complaints)})."
    elif complaints:
        second = "None of the complaints named a topic that we look for."
    else:
        second = "There were no complaints."
    answered = [case.answered_at - case.clock_from for case in figures.cases if case.answered_at]
    third = f"{len(answered)} of {len(figures.cases)} cases were answered in public" + (
        f", half of them within {in_words(median(answered))}." if answered else "."
    )
    return Section("The week in three sentences", (first, second, third))


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" + ("" if number == 1 else "s")
