import importlib.metadata
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import visit
from conftest import NOW

from alerts.center.health import Health, health, model_of, size_of
from alerts.center.page import Words
from alerts.delivery import GIVEN_UP, pending
from alerts.today import today
from config.schema import Config
from listener import versions
from listener.keep import bill
from listener.watch import Alarm, Gap, Watch

SECRETS = dict.fromkeys(("X_BEARER_TOKEN", "REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET"), "s")


@pytest.fixture
def listening(config: Config) -> Config:
    """Only X is switched on."""
    collectors = {name: settings.model_copy(update={"on": name == "x"}) for name, settings in config.collectors.items()}
    return config.model_copy(update={"collectors": collectors})


def look(desk: Any, config: Config, data: Path, **others: Any) -> Health:
    room = visit.room(desk.session.get_bind(), config, data, **{"secrets": SECRETS, **others})
    return health(desk.session, room, Words("en"))


def wrong(found: Health) -> list[str]:
    return [one.what for one in found.wrong]


@pytest.fixture
def watch(desk: Any) -> Watch:
    """X was asked a minute ago."""
    ago = NOW - timedelta(minutes=1)
    row = Watch(name="x", started_at=NOW - timedelta(days=9), asked_at=ago, heard_at=ago, kept=12)
    desk.session.add(row)
    desk.session.commit()
    return row


def test_all_is_well(desk: Any, listening: Config, tmp_path: Path, watch: Watch) -> None:
    found = look(desk, listening, tmp_path)
    assert wrong(found) == []
    assert [(ear.name, ear.sound) for ear in found.ears][:2] == [("x", "heard"), ("x_mentions", "off")]
    assert (found.flowed_at, found.program, found.version) == (NOW, importlib.metadata.version("call-light"), None)


@pytest.mark.parametrize(
    ("flowed_at", "sentence"),
    [
        (None, "The service has not come round yet"),
        (NOW - timedelta(minutes=5), "The service does not come round any more"),
        (NOW - timedelta(seconds=50), None),
    ],
)
def test_the_flow(
    desk: Any, listening: Config, tmp_path: Path, watch: Watch, flowed_at: Any, sentence: str | None
) -> None:
    found = wrong(look(desk, listening, tmp_path, flowed_at=lambda: flowed_at))
    assert [one.startswith(sentence or "-") for one in found] == ([True] if sentence else [])


def test_nothing_is_listened_to(desk: Any, config: Config, tmp_path: Path) -> None:
    off = {name: settings.model_copy(update={"on": False}) for name, settings in config.collectors.items()}
    found = look(desk, config.model_copy(update={"collectors": off}), tmp_path)
    assert wrong(found) == ["Nothing is listened to: every collector is off."]


@pytest.mark.parametrize(
    ("fields", "alarm"),
    [
        ({}, None),
        ({"started_at": None, "asked_at": None}, None),
        ({"failures": 2}, None),
        ({"failures": 3}, "failing"),
        ({"paused_until": NOW + timedelta(minutes=3)}, None),
        ({"asked_at": NOW - timedelta(hours=2)}, None),
        ({}, "budget of the day used up"),
    ],
)
def test_a_collector_fares_as_the_wall_says(
    desk: Any, listening: Config, tmp_path: Path, watch: Watch, fields: dict[str, Any], alarm: str | None
) -> None:
    for name, value in fields.items():
        setattr(watch, name, value)
    if alarm:
        desk.session.add(Alarm(collector="x", kind=alarm, why="x", raised_at=NOW))
    desk.session.commit()
    walls = {ear.name: ear.sound for ear in today(desk.session, listening, NOW).ears}
    assert look(desk, listening, tmp_path).ears[0].sound == walls["x"]


def test_one_that_is_silent(desk: Any, listening: Config, tmp_path: Path, watch: Watch) -> None:
    desk.session.add(Alarm(collector="x", kind="silent", why="x has heard nothing. It may be deaf", raised_at=NOW))
    desk.session.commit()
    found = look(desk, listening, tmp_path)
    assert (found.ears[0].sound, wrong(found)) == ("quiet", ["x has heard nothing. It may be deaf."])
    assert found.wrong[0].since == NOW


def test_one_without_its_secrets_and_one_that_nobody_asks(
    desk: Any, listening: Config, tmp_path: Path, watch: Watch
) -> None:
    watch.asked_at = NOW - timedelta(hours=2)
    desk.session.commit()
    found = wrong(look(desk, listening, tmp_path, secrets={}))
    assert found == ["x lacks its access: X_BEARER_TOKEN.", "x has not been asked for longer than it should."]


def test_what_was_billed_and_missed(desk: Any, listening: Config, tmp_path: Path, watch: Watch) -> None:
    bill(desk.session, "x", 10, 0.05, NOW)
    bill(desk.session, "x", 20, 0.10, NOW - timedelta(days=3))
    bill(desk.session, "x", 40, 0.20, NOW - timedelta(days=40))
    for days in (1, 8):
        at = NOW - timedelta(days=days)
        desk.session.add(Gap(collector="x", since=at, until=at, why="too long ago", found_at=at))
    desk.session.commit()
    found = look(desk, listening, tmp_path)
    ear = found.ears[0]
    assert (ear.today.reads, ear.month.reads, ear.month.dollars) == (10, 30, pytest.approx(0.15))
    assert [gap.found_at for gap in found.gaps] == [NOW - timedelta(days=1)]


def test_what_waits_long_or_was_given_up(desk: Any, listening: Config, tmp_path: Path, watch: Watch) -> None:
    for number, (kind, state) in enumerate([("card", "pending"), ("hook", GIVEN_UP)]):
        row = pending(kind, f"about {number}", "care", 0, NOW - timedelta(minutes=11))
        row.state, row.trouble = state, "Slack is down" if kind == "card" else None
        desk.session.add(row)
    desk.session.commit()
    assert wrong(look(desk, listening, tmp_path)) == [
        "1 message to the care team waits, the oldest for 11 min. Slack is down",
        "1 message to other systems was given up.",
    ]


def test_refused_files(desk: Any, listening: Config, tmp_path: Path, watch: Watch) -> None:
    versions.write_down(desk.session, {"care.toml": "a = 1"}, "ana", NOW)
    versions.write_down(desk.session, {"care.toml": "a = 2"}, "bo", NOW, "care.toml:1:1: a: found 2; allowed: 1\nmore")
    found = look(desk, listening, tmp_path)
    assert wrong(found) == [
        "2 mistakes in the config files, so they are not used. care.toml:1:1: a: found 2; allowed: 1"
    ]
    assert found.wrong[0].todo.startswith("bo saved them last.")
    assert found.version is not None
    assert found.version.number == 1
    versions.put_aside(desk.session, {"care.toml": "a = 3"}, "bo", NOW)
    assert wrong(look(desk, listening, tmp_path)) == []


def test_the_model(config: Config, tmp_path: Path) -> None:
    def with_reader(**fields: Any) -> Config:
        reader = config.keywords.reader.model_copy(update=fields)
        return config.model_copy(update={"keywords": config.keywords.model_copy(update={"reader": reader})})

    (tmp_path / "model.json").write_text(json.dumps({"version": "abc"}))
    assert model_of(with_reader(folder=str(tmp_path))) == "abc"
    assert model_of(with_reader(folder=str(tmp_path / "none"))) == "?"
    assert model_of(with_reader(model=False)) is None


def test_how_large_the_database_is(desk: Any) -> None:
    assert (size_of(desk.session.get_bind()) or 0) > 100_000
