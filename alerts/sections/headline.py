"""The week in three sentences."""

from alerts.clockface import in_words
from alerts.figures import Figures
from alerts.section import Section
from alerts.sections import reply_times
from alerts.sections.categories import beside, by_weeks, topics_of
from alerts.sections.danger import danger
from alerts.sections.volume import usual_total


def section(figures: Figures) -> Section:
    """Three sentences written from the numbers: how much, what about, how fast."""
    title = f"The {figures.called} in three sentences"
    return Section(title, (_how_much(figures), _what_about(figures), _how_fast(figures)))


def _how_much(figures: Figures) -> str:
    count, patients = len(figures.heard), len(figures.patients)
    heard = f"{count:,} {'post was' if count == 1 else 'posts were'} heard{_compared(figures)}"
    if not patients:
        return f"{heard}, none of them by patients or visitors." if count else f"{heard}."
    who = "by a patient or visitor" if patients == 1 else "by patients and visitors"
    said = f"{_count(len(figures.complaints), 'complaint')}, {len(figures.praise):,} with praise"
    return f"{heard}, {patients:,} of them {who}: {said}."


def _compared(figures: Figures) -> str:
    if not figures.is_over:
        return " so far"
    usual = usual_total(figures) if figures.span.kind == "week" else None
    if usual is None:
        before = figures.before and len(figures.before.heard)
        return f" ({before:,} in {figures.compared_with})" if before else ""
    count, weeks = len(figures.heard), len(figures.whole_weeks)
    if count > usual.high:
        return f" (more than in any of the {weeks} weeks before: at most {usual.high:,.0f})"
    if count < usual.low:
        return f" (fewer than in any of the {weeks} weeks before: at least {usual.low:,.0f})"
    return f" (usually {usual.low:,.0f} to {usual.high:,.0f})"


def _what_about(figures: Figures) -> str:
    complaints = len(figures.complaints)
    topics = [topic for topic in topics_of(figures) if topic.name]  # the most complained about first
    if not complaints:
        return "There were no complaints."
    if not (topics and topics[0].count):
        named = "The one complaint named no" if complaints == 1 else "None of the complaints named a"
        return f"{named} topic that we look for."
    name, count = topics[0].name, topics[0].count
    if complaints == 1:
        return f"The one complaint was about {_about(name, figures)}."
    most = f"People complained most about {_about(name, figures)} ({count:,} of {complaints:,} complaints)"
    known = [topic for topic in topics if topic.usual]
    risen = [topic for topic in known if topic.chance == "more than chance"]
    if not risen:
        nothing = "; no topic rose more than chance explains" if known else ""
        return f"{most}{nothing}."
    first = max(risen, key=lambda topic: topic.change or 0)
    usually = beside(first, by_weeks(figures))
    if first.name == name:
        return f"{most}, more than chance explains ({usually})."
    return f"{most}; what rose more than chance explains is {_about(first.name, figures)} ({first.count:,}, {usually})."


def _how_fast(figures: Figures) -> str:
    needed = reply_times.needing(figures.cases)
    cases = danger(figures)
    danger_ = f"; {_count(len(cases), 'case')} {'was' if len(cases) == 1 else 'were'} read as danger" if cases else ""
    if not needed:
        return f"No case needed an answer{danger_}."
    spans = reply_times.taken(needed)
    of = "The one case" if len(needed) == 1 else f"{f'{len(spans):,}' if spans else 'None'} of {len(needed):,} cases"
    if not spans:
        was = "was not" if len(needed) == 1 else "was"
        return f"{of} that needed an answer {was} answered in public yet{danger_}."
    middle = in_words(reply_times.median(spans))
    took = f"half of them within {middle}" if len(spans) > 1 else f"after {middle}"
    before = reply_times.taken(figures.before.cases) if figures.before else []
    compared = f" ({in_words(reply_times.median(before))} in {figures.compared_with})" if before else ""
    were = "was" if len(spans) == 1 else "were"
    return f"{of} that needed an answer {were} answered in public, {took}{compared}{danger_}."


def _about(name: str, figures: Figures) -> str:
    return figures.title(name).lower()


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" + ("" if number == 1 else "s")
