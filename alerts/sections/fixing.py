"""How long it took until something was done about a complaint, and whether that was the end of it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta

from alerts.case import Case
from alerts.clockface import in_words
from alerts.figures import Figures
from alerts.section import Section, Table
from alerts.sections.reply_times import NO_ANSWER, median, nine_in_ten


def section(figures: Figures) -> Section:
    """By topic: cases in which something was done, from the post to the closing; how many were opened again since."""
    done = [ended for ended in figures.ended if ended.case.outcome != NO_ANSWER]
    again = [one for one in figures.reopened if one.outcome != NO_ANSWER]
    taken, reopened = defaultdict[str, list[timedelta]](list), Counter[str]()
    for ended in done:
        for topic in ended.topics or [""]:
            taken[topic].append(_taken(ended.case))
    for one in again:
        reopened.update(one.topics or [""])
    topics = sorted({*taken, *reopened}, key=lambda topic: (not topic, -len(taken.get(topic, ())), topic))
    rows = [_row(figures.title(topic), taken.get(topic, ()), reopened[topic]) for topic in topics]
    header = ("Topic", "Cases", "Median", "9 in 10 within", "Opened again")
    sentences = _sentences([_taken(ended.case) for ended in done], len(again))
    return Section("How long until it was fixed", sentences, (Table("fixing", header, rows),))


def _taken(case: Case) -> timedelta:
    return (case.closed_at or case.clock_from) - case.clock_from


def _row(title: str, taken: Sequence[timedelta], reopened: int) -> tuple[str | int | timedelta | None, ...]:
    if not taken:
        return (title, 0, None, None, reopened)
    return (title, len(taken), median(taken), nine_in_ten(taken), reopened)


def _sentences(taken: Sequence[timedelta], again: int) -> tuple[str, ...]:
    """How long from the author's post until somebody closed its case with something done."""
    were = "was opened again after it was closed" if again == 1 else "were opened again after they were closed"
    opened = f"{again:,} {were}." if again else ""
    if not taken:
        return ("No case was closed with something done.", *([opened] if opened else ()))
    cases = "One case was" if len(taken) == 1 else f"{len(taken):,} cases were"
    half = (
        f"{in_words(median(taken))} after the post"
        if len(taken) == 1
        else f"half of them within {in_words(median(taken))} of the post"
    )
    return (f"{cases} closed with something done, {half}.", opened or "None was opened again.")
