"""Drafts: the template that fits, what fills it, how long it may be, and what the config refuses."""

import shutil
from pathlib import Path

import pytest
from conftest import PROJECT

from alerts.known import load_config
from alerts.privacy.check import check
from alerts.replies import About, beyond, checked, draft, objections, template_problems, too_long
from config.load import ConfigError
from config.schema import Config, Replies, Template, TemplateWhen


@pytest.mark.parametrize(
    ("about", "known", "outcome", "words"),
    [
        (About(kind="complaint", categories=("waiting",)), None, None, "Waiting is hard for anyone"),
        (About(kind="complaint", categories=("waiting",)), "The lift is out of order.", None, "know. The lift is out of order. For"),
        (About(kind="complaint", categories=("billing", "attitude")), None, None, "kindness and respect"),
        (About(kind="question", categories=("billing",)), None, None, "bills can be confusing"),
        (About(kind="complaint", categories=("digital",)), None, None, "portal"),
        (About(kind="complaint", categories=("privacy",)), None, None, "privacy very seriously"),
        (About(kind="complaint", categories=("safety",)), None, None, "safety comes first"),
        (About(kind="complaint", categories=("facilities",)), None, None, "buildings"),
        (About(kind="complaint", categories=("parking",)), None, None, "Getting here"),
        (About(kind="complaint", categories=("access",)), None, None, "reaching someone by phone"),
        (About(kind="complaint", categories=("communication",)), None, None, "clear answers"),
        (About(kind="praise"), None, None, "kind words"),
        (About(kind="question"), None, None, "Thank you for asking"),
        (About(kind="complaint"), None, None, "We take concerns like this seriously"),
        (About(kind="complaint", urgency="danger", danger_of="self_harm"), None, None, "988"),
        (About(kind="complaint", urgency="danger", danger_of="emergency"), None, None, "nearest member of staff"),
        (About(kind="complaint", categories=("waiting",), language="es"), None, None, "esperar es difícil"),
        (About(kind="complaint", urgency="danger", danger_of="self_harm", language="es"), None, None, "988"),
        (About(kind="comment", language="es"), None, None, "Gracias por su mensaje"),
        (About(kind="complaint"), None, "fixed", "fixed now"),
        (About(kind="complaint"), None, "billing_corrected", "question about a bill"),
        (About(kind="complaint", language="es"), None, "fixed", "arreglado"),
    ],
)  # fmt: skip
def test_the_template_that_fits(
    about: About, known: str | None, outcome: str | None, words: str, config: Config
) -> None:
    text = draft(about, config.care.replies, config.hospital, known, outcome)
    assert text is not None
    assert words in text
    assert "{" not in text


def test_an_outcome_without_a_template_proposes_nothing(config: Config) -> None:
    assert draft(About(kind="complaint"), config.care.replies, config.hospital, None, "no_answer") is None


def test_every_shipped_template_may_go_out_and_fits_in_a_post_on_x(config: Config) -> None:
    replies = config.care.replies
    assert len(replies.templates) >= 30
    for template in replies.templates:
        text = template.text.format(contact=replies.contact, known="", hospital=config.hospital.name)
        assert check(text, config.hospital, None, (replies.contact,)) == [], template.name
        assert too_long("x", text) is None, template.name


def test_what_is_filled_in_is_not_filled_again(config: Config) -> None:
    replies = Replies(contact="{known} {hospital}", templates=(Template(name="a", text="At {contact}: {known}"),))
    assert draft(About(), replies, config.hospital, "the lift is {out}") == "At {known} {hospital}: the lift is {out}"


def test_the_first_that_fits_wins(config: Config) -> None:
    short = Template(name="short", when=TemplateWhen(stage=("after",), urgency=("routine",)), text="first")
    replies = Replies(templates=(short, Template(name="long", text="second")))
    assert draft(About(stage="after"), replies, config.hospital) == "first"
    assert draft(About(stage="stay"), replies, config.hospital) == "second"


def test_objections_are_sentences_one_for_each_rule(config: Config) -> None:
    found = objections("Hi Cathy, sorry about your visit and your stay", config.hospital, None, config.care.replies)
    assert any(one.startswith("“your visit”, “your stay”: it says or implies that somebody is") for one in found)
    assert all("Instead: " in one for one in found)
    assert objections("Thank you for your message.", config.hospital, None, config.care.replies) == []


@pytest.mark.parametrize(
    ("source", "text", "over"),
    [
        ("x", "a" * 280, None),
        ("x", "a" * 281, "X takes 280 characters, these are 281: shorten it by 1."),
        ("x", "漢" * 141, "X takes 280 characters, these are 282"),
        ("x", "a" * 256 + " https://stbrigid.example/" + "b" * 100, None),
        ("bluesky", "a" * 300, None),
        ("bluesky", "e\u0301" * 300, None),
        ("bluesky", "👨\u200d👩\u200d👧" * 300, None),
        ("bluesky", "a" * 301, "Bluesky takes 300 characters"),
        ("mastodon", "a" * 501, "Mastodon takes 500 characters"),
        ("mastodon", "a" * 470 + " https://stbrigid.example/" + "b" * 100, None),
        ("google_reviews", "a" * 4097, "a Google review takes 4,096 characters"),
        ("reddit", "a" * 10_001, "Reddit takes 10,000 characters"),
        ("rss", "a" * 20_000, None),
    ],
)
def test_how_long_a_reply_may_be(source: str, text: str, over: str | None) -> None:
    told = too_long(source, text)
    assert told is None if over is None else told is not None and told.startswith(over)


@pytest.mark.parametrize(
    ("text", "found", "allowed"),
    [
        ("Thank you. {contac}", "'{contac}'", "{contact}, {known}, {hospital}"),
        ("Thank you. {contact", "'{contact'", "{contact}, {known}, {hospital}"),
        ("Sorry about your stay. {contact}", "“your stay” (it says", "words such as: these concerns"),
    ],
)
def test_a_template_that_cannot_be_used(text: str, found: str, allowed: str, config: Config) -> None:
    problems = template_problems(text, config.hospital, config.care.replies)
    assert any(one.startswith(found) and other == allowed for one, other in problems), problems


@pytest.mark.parametrize(
    ("old", "new", "key", "found"),
    [
        ('outcome = ["explained"]', 'outcome = ["explaned"]', "replies.templates[2].when.outcome[0]", "'explaned'"),
        ('category = ["parking"] }\ntext', 'category = ["parkin"] }\ntext', ".when.category[0]", "'parkin'"),
        ("Thank you for asking. We", "Call about your stay. We", ".text", "“your stay”"),
        ("Thank you for asking. We", "{contcat} We", ".text", "'{contcat}'"),
        ('name = "question"', 'name =  "parking"', ".name", "'parking' twice"),
        ('language = ["es"]', 'language = ["Spanish"]', ".when.language[0]", "'Spanish'"),
        ("send = []", 'send = ["facebook"]', "replies.send[0]", "'facebook'"),
    ],
)  # fmt: skip
def test_the_config_tells_where_and_why(tmp_path: Path, old: str, new: str, key: str, found: str) -> None:
    folder = tmp_path / "config"
    shutil.copytree(PROJECT / "config", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    care = folder / "care.toml"
    text = care.read_text(encoding="utf-8")
    assert old in text
    changed = text.replace(old, new, 1)
    care.write_text(changed, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(folder)
    problem = next(one for one in caught.value.problems if one.key.endswith(key))
    assert found in problem.found
    lines = range(changed[: changed.index(new)].count("\n"), changed[: changed.index(new) + len(new)].count("\n") + 3)
    assert problem.line in lines
    assert problem.allowed


def test_what_no_place_takes_is_not_looked_at(config: Config) -> None:
    """The check of half a megabyte takes minutes, in the process that reads danger."""
    one = "We set your son's broken arm on Monday. "
    assert checked(one, config.hospital, None, config.care.replies)
    said = objections(one * 5_000, config.hospital, None, config.care.replies)
    assert said == ["No place takes 200,000 characters: shorten it to 10,000."]
    assert checked(one * 5_000, config.hospital, None, config.care.replies) == []
    assert beyond("a" * 10_000) is None
