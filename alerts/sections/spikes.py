"""Many posts about one topic at once, and what was done."""

from alerts.clockface import in_words
from alerts.figures import Figures, Spiked
from alerts.section import Cell, Section, Table
from alerts.sections.reply_times import ANSWERED, ending, needing


def section(figures: Figures) -> Section:
    """Each spike that was on: since when, how long, how many posts, and what people did."""
    window = in_words(figures.spike_window)
    header = ("Topic", "Began", "Lasted", "Posts", f"Usual in {window}", "Answered", "Owner", "We said")
    rows = [_row(spiked, figures) for spiked in figures.spikes]
    return Section("Many posts at once", _sentences(figures), (Table("spikes", header, rows),) if rows else ())


def _sentences(figures: Figures) -> tuple[str, ...]:
    count = len(figures.spikes)
    if not count:
        return ("No topic had many more posts at once than is usual.",)
    largest = max(figures.spikes, key=lambda spiked: spiked.posts)
    topic = figures.title(largest.spike.topic)
    on = sum(spiked.spike.over_at is None for spiked in figures.spikes)
    still = f" {on:,} of them {'is' if on == 1 else 'are'} not over." if on else ""
    if count == 1:
        return (f"Once there were many more posts about one topic than is usual: {topic} ({largest.posts:,}).{still}",)
    times = f"{count:,} times there were many more posts about one topic than is usual"
    return (f"{times}; the largest was {topic} ({largest.posts:,}).{still}",)


def _row(spiked: Spiked, figures: Figures) -> tuple[Cell, ...]:
    spike = spiked.spike
    began = spike.began_at.astimezone(figures.zone)
    lasted = in_words((spike.over_at or figures.now) - spike.began_at)
    needed = needing(spiked.cases)
    answered = sum(ending(case) == ANSWERED for case in needed)
    return (
        figures.title(spike.topic),
        f"{began:%a} {began.day} {began:%b} {began:%H:%M}",
        lasted if spike.over_at else f"{lasted} so far",
        spiked.posts,
        spike.usual,
        f"{answered:,} of {len(needed):,}",
        figures.owners.get(spike.topic, ""),
        spike.known or "nothing",
    )
