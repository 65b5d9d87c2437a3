"""A topic is taken out of keywords.toml while cases are open in it: they keep its name, and can still be worked on."""

import shutil
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from conftest import NOW, PROJECT
from rich.console import Console as Terminal

from alerts import console, modal
from alerts import desk as lists
from alerts.act import Doing, form_of, known_actions, offered, standing
from alerts.figures import figures
from alerts.form import Choice
from alerts.known import load_config
from alerts.report import html, known_sections, report
from alerts.search import Filters, search
from alerts.search import table as found_table
from alerts.span import named
from alerts.spikes import Spike, SpikePost, watch
from alerts.topic import title_of, titles_of
from config.schema import Config, Shift

HOUR = timedelta(hours=1)
LOST = [{"id": "lost_property", "score": 1.0, "words": ["lost my coat"]}]
TOPIC = """
[categories.lost_property]
title = "Coats & bags"
owner = "Front desk"
phrases = ["lost my coat"]
"""


@pytest.mark.parametrize(
    ("topic", "title"),
    [("food", "Food"), ("parking", "Parking and getting here"), ("lost_property", "Lost property"), ("wifi", "Wifi"), ("", "")],
)  # fmt: skip
def test_what_people_call_it(config: Config, topic: str, title: str) -> None:
    assert title_of(topic, titles_of(config)) == title


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files that ship, with a topic that an admin has added and given a target and a rule of its own."""
    for path in (PROJECT / "config").glob("*.toml"):
        shutil.copy(path, tmp_path)
    change(tmp_path, "keywords.toml", "\n[categories.food]", f"{TOPIC}\n[categories.food]")
    change(tmp_path, "care.toml", '\nbilling = "30m"', '\nbilling = "30m"\nlost_property = "20m"')
    return tmp_path


def change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def removed(desk: Any, paper: Any, folder: Path) -> Any:
    """A desk with an open case, a remark and a spike in the topic, after it was taken out of the files."""
    desk.config = load_config(folder, replies=False)
    desk.alert("I lost my coat in the waiting room", categories=LOST, site="Harbor Campus")
    desk.hear("who lost my coat, not you", categories=LOST, kind="comment")
    spike = Spike(topic="lost_property", began_at=NOW - HOUR, seen_at=NOW, usual=0.3)
    desk.session.add(spike)
    desk.session.flush()
    desk.session.add(SpikePost(spike_id=spike.id, mention_id=1))
    desk.decide()
    desk.deliver(paper)
    assert dict(card_of(paper).message.lines)["About"] == "Coats & bags (lost my coat)"
    change(folder, "keywords.toml", TOPIC, "")
    change(folder, "care.toml", '\nlost_property = "20m"', "")
    desk.config = load_config(folder, replies=False)
    return desk


def card_of(paper: Any) -> Any:
    return next(post for post in paper.posts if post.key == "card:1" or "case" in post.message.text)


def test_its_card_is_edited_and_names_it(removed: Any, paper: Any) -> None:
    removed.act("claim")
    removed.deliver(paper)
    cards = [message for _, message in paper.updates if "About" in dict(message.lines)]
    assert dict(cards[-1].lines)["About"] == "Lost property (lost my coat)"


def test_lists_and_hand_over_name_it(removed: Any, paper: Any) -> None:
    assert lists.about(removed.session, removed.config, removed.case()) == "Lost property · Harbor Campus"
    assert "case 1" in lists.line(removed.session, removed.case(), NOW)
    shifts = (Shift(name="Day", hours="07:00-19:00"), Shift(name="Night", hours="19:00-07:00"))  # type: ignore[arg-type]
    care = removed.config.care.model_copy(update={"shifts": shifts})
    removed.config = removed.config.model_copy(update={"care": care})
    removed.deliver(paper, NOW + 10 * HOUR)
    (note,) = [post.message.excerpt for post in paper.posts if "Hand-over" in post.message.title]
    assert "case 1 · To answer · Lost property · Harbor Campus" in note
    assert "🌊 Lost property: many posts, cause not known yet" in note


def test_its_spike_goes_on_and_ends(removed: Any, paper: Any) -> None:
    removed.hear("lost my coat again", categories=LOST)
    assert watch(removed.session, removed.config, NOW) == 1
    removed.deliver(paper)
    titles = [post.message.title for post in paper.posts] + [message.title for _, message in paper.updates]
    assert any(title.startswith("🌊 Over: many posts about Lost property") for title in titles), titles


def test_the_digest_and_the_report_hold_it(removed: Any, paper: Any) -> None:
    removed.deliver(paper, NOW + 2 * HOUR)
    assert any("who lost my coat" in str(post.message.blocks) for post in paper.posts)
    found = figures(removed.session, removed.config, named("2026-W47", removed.config.hospital.zone), NOW + HOUR)
    sections = report(found, list(known_sections()))
    assert "Lost property" in html(sections, found)
    assert "lost_property" not in html(sections, found)
    by_name = dict(zip(known_sections(), sections, strict=True))
    rows = {row[0]: row for row in by_name["categories"].tables[0].rows}
    assert rows["Lost property"][1] == 1, "its complaints are still counted"


@pytest.mark.parametrize("typed", ["lost_property", "Lost property", "lost"])
def test_a_search_finds_it_by_either_name(removed: Any, typed: str) -> None:
    found = search(removed.session, removed.config, "coat", Filters(category=typed))
    assert found.total == 2
    assert {row[4] for row in found_table(found.hits, removed.config).rows} == {"Lost property"}
    out = StringIO()
    console.print_found(Terminal(file=out, width=200), found, removed.config, True)
    assert "Lost property" in out.getvalue()


def test_a_change_of_urgency_does_not_take_it_off(removed: Any) -> None:
    doing = Doing(removed.session, removed.config, removed.case(), "ana", NOW)
    form = form_of(doing, "change")
    assert form is not None
    topics = next(field for field in form.fields if field.name == "topics")
    assert topics.initial == ("lost_property",)
    assert topics.choices[-1] == Choice("lost_property", "Lost property")
    shown = modal.view(form, "change", "1", "care")
    assert "Lost property" in str([block for block in shown["blocks"] if block.get("block_id") == "topics"])
    removed.act("change", urgency="serious", topics=("lost_property",), why="it was her father's coat")
    assert (removed.case().urgency, removed.case().topics) == ("serious", None)


def test_a_person_takes_it_off(removed: Any) -> None:
    removed.act("change", urgency="routine", topics=("facilities",), why="that is what it is about now")
    assert removed.case().topics == ["facilities"]


@pytest.mark.parametrize("name", sorted(known_actions()))
def test_whatever_can_be_done_with_it_can_be_asked(removed: Any, name: str) -> None:
    if name in offered(standing(removed.config, removed.case(), None)):
        form_of(Doing(removed.session, removed.config, removed.case(), "ana", NOW), name)


def test_it_stays_open_until_a_person_closes_it(removed: Any) -> None:
    removed.decide(NOW + HOUR)
    assert removed.case().state == "open"
    removed.act("claim")
    removed.act("answered")
    removed.act("close", outcome="fixed")
    assert removed.case().state == "closed"
