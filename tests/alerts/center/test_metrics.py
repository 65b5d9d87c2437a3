import importlib.metadata
import platform
import re
import shutil
import subprocess
from datetime import timedelta
from typing import Any

import pytest
import yaml
from conftest import NOW, PROJECT
from prometheus_client.parser import text_string_to_metric_families as parsed

from alerts.center.metrics import Process, Stuck, Totals, text
from alerts.delivery import GIVEN_UP, pending
from listener.keep import bill
from listener.watch import Alarm, Watch

PROCESS = Process(2, NOW - timedelta(seconds=3), 4096)


def told(desk: Any, totals: Totals | None = None, process: Process = PROCESS) -> dict[tuple[str, ...], float]:
    """Every number by its name and the values of its labels."""
    content, kind = text(desk.session, desk.config, totals or Totals(), Stuck(), process, NOW)
    assert kind.startswith("text/plain")
    samples = (sample for family in parsed(content.decode()) for sample in family.samples)
    return {(sample.name.removeprefix("call_light_"), *sample.labels.values()): sample.value for sample in samples}


def test_what_waits(desk: Any) -> None:
    desk.alert("he collapsed", urgency="danger", written_at=NOW - timedelta(hours=1))
    desk.alert("no reply", urgency="routine", written_at=NOW - timedelta(minutes=1))
    found = told(desk)
    assert (found["cases_waiting", "danger"], found["cases_waiting", "routine"]) == (1, 1)
    assert (found["cases_late",], found["oldest_case_age_seconds",]) == (1, 3600)
    desk.act("claim", case_id=1)
    desk.act("answered", case_id=1)
    assert (told(desk)["cases_waiting", "danger"], told(desk)["cases_late",]) == (0, 0)


def test_what_sleeps_is_not_late(desk: Any) -> None:
    desk.alert("bill", urgency="routine", written_at=NOW - timedelta(minutes=1))
    case = desk.case()
    case.due_at = NOW - timedelta(minutes=1)
    desk.session.commit()
    assert told(desk)["cases_late",] == 1
    case.snoozed_at, case.snoozed_until = NOW - timedelta(minutes=5), NOW + timedelta(hours=1)
    desk.session.commit()
    assert told(desk)["cases_late",] == 0


def test_totals_go_on_counting(desk: Any) -> None:
    desk.alert("one", source="x")
    desk.hear("two", source="reddit", read=False)
    totals = Totals()
    found = told(desk, totals)
    assert (found["posts_heard_total", "x"], found["posts_heard_total", "reddit"]) == (1, 1)
    assert ("posts_read_total", "reddit") not in found
    assert found["cases_opened_total", "x"] == 1
    desk.hear("three", source="x", collector="x")
    again = told(desk, totals)
    assert again == told(desk)
    assert (again["posts_heard_total", "x"], again["posts_read_total", "x"]) == (2, 2)


def test_a_place_that_a_file_named_makes_no_label_of_its_own(desk: Any) -> None:
    for number in range(5):
        desk.hear("hello", source=f"<b>@someone{number}</b>")
    content, _ = text(desk.session, desk.config, Totals(), Stuck(), PROCESS, NOW)
    assert "someone" not in content.decode()
    assert told(desk)["posts_heard_total", "other"] == 5


def test_the_outbox_by_door(desk: Any) -> None:
    ago = NOW - timedelta(minutes=4)
    for number, (kind, state) in enumerate(
        [("card", "pending"), ("hook", GIVEN_UP), ("page", "sending"), ("card", "sent")]
    ):
        row = pending(kind, f"about {number}", "care", 0, ago)
        row.state = state
        desk.session.add(row)
    desk.session.commit()
    found = told(desk)
    assert [found["outbox_waiting", door] for door in ("people", "pager", "hooks")] == [1, 1, 0]
    assert [found["outbox_oldest_age_seconds", door] for door in ("people", "pager", "hooks")] == [240, 240, 0]
    assert found["outbox_given_up", "hooks"] == 1


def test_collectors_that_are_on(desk: Any) -> None:
    collectors = {
        name: settings.model_copy(update={"on": name == "x", "daily_reads": 100})
        for name, settings in desk.config.collectors.items()
    }
    desk.config = desk.config.model_copy(update={"collectors": collectors})
    heard, asked = NOW - timedelta(minutes=5), NOW - timedelta(minutes=1)
    for name in ("x", "reddit"):
        desk.session.add(Watch(name=name, heard_at=heard, asked_at=asked, failures=2))
    bill(desk.session, "x", 40, 0.2, NOW - timedelta(days=40))
    bill(desk.session, "x", 30, 0.15, NOW)
    desk.session.add(Alarm(collector="x", kind="failing", why="it fails", raised_at=NOW))
    desk.session.commit()
    found = told(desk)
    assert (found["collector_heard_age_seconds", "x"], found["collector_asked_age_seconds", "x"]) == (300, 60)
    assert (found["collector_failures", "x"], found["alarms",]) == (2, 1)
    assert ("collector_failures", "reddit") not in found
    assert (found["reads_total", "x"], found["spent_dollars_total", "x"]) == (70, pytest.approx(0.35))
    assert found["reads_left", "x"] == 70


@pytest.mark.parametrize(
    ("flowed_at", "age"), [(NOW - timedelta(seconds=3), 3), (NOW + timedelta(hours=1), 0), (None, None)]
)
def test_the_process(desk: Any, flowed_at: Any, age: float | None) -> None:
    found = told(desk, process=Process(7, flowed_at, 4096))
    assert (found["open_pages",], found["database_bytes",], found.get(("flow_age_seconds",))) == (7, 4096, age)
    assert found["build_info", platform.python_version(), importlib.metadata.version("call-light")] == 1


def test_a_newer_scraper_gets_its_format(desk: Any) -> None:
    content, kind = text(
        desk.session, desk.config, Totals(), Stuck(), PROCESS, NOW, "application/openmetrics-text; version=1.0.0"
    )
    assert kind.startswith("application/openmetrics-text")
    assert content.endswith(b"# EOF\n")


# ---------------------------------------------------------------- stages


def test_what_waits_before_a_stage(desk: Any) -> None:
    desk.hear("one", read=False, heard_at=NOW - timedelta(minutes=3))
    desk.hear("two", read=False, heard_at=NOW - timedelta(minutes=1))
    desk.alert("three")
    desk.hear("four", heard_at=NOW - timedelta(minutes=2))
    found = told(desk)
    assert [found["stage_waiting", stage] for stage in ("read", "decide")] == [2, 1]
    assert [found["stage_oldest_age_seconds", stage] for stage in ("read", "decide")] == [180, 120]
    assert told(desk)["stage_seconds_count", "report"] >= 0


def test_danger_without_a_card(desk: Any, door: Any) -> None:
    desk.alert("he collapsed", urgency="danger")
    desk.case().opened_at = NOW - timedelta(seconds=90)
    desk.session.commit()
    assert told(desk)["danger_without_card_seconds",] == 90
    before = told(desk)["danger_card_seconds_count", "opened"]
    desk.deliver(door, NOW)
    found = told(desk)
    assert (found["danger_without_card_seconds",], found["danger_card_seconds_count", "opened"] - before) == (0, 1)


def test_posts_that_nobody_can_account_for(desk: Any) -> None:
    stuck = Stuck()
    assert stuck(desk.session, NOW) == 0
    desk.hear("lost", read=False, heard_at=NOW - timedelta(hours=1))
    assert stuck(desk.session, NOW + timedelta(minutes=9)) == 0, "it is summed up every ten minutes"
    assert stuck(desk.session, NOW + timedelta(minutes=10)) == 1
    assert stuck(desk.session, NOW) == 1, "also where a clock was put back"


# ---------------------------------------------------------------- the rules that ship

RULES = PROJECT / "deploy" / "prometheus"
OF_PROMETHEUS = {"up"}


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((RULES / "call-light.rules.yml").read_text(encoding="utf-8"))["groups"]
    return list(group["rules"])


def test_what_the_rules_ask_for_is_told(desk: Any) -> None:
    """With everything on: a name that /metrics does not know would be a rule that never fires."""
    on = {
        name: settings.model_copy(update={"on": True, "daily_reads": 9})
        for name, settings in desk.config.collectors.items()
    }
    desk.config = desk.config.model_copy(update={"collectors": on})
    desk.session.add(Watch(name="x", asked_at=NOW, heard_at=NOW))
    desk.session.commit()
    content, _ = text(desk.session, desk.config, Totals(), Stuck(), Process(1, NOW, 4096, 2**30, 1), NOW)
    known = {sample.name for family in parsed(content.decode()) for sample in family.samples}
    for rule in rules():
        asked = set(re.findall(r"call_light_\w+|\bup\b", rule["expr"]))
        assert asked, rule["alert"]
        assert asked <= known | OF_PROMETHEUS, rule["alert"]


def test_every_rule_leads_to_its_page() -> None:
    told = (PROJECT / "docs" / "runbook.md").read_text(encoding="utf-8")
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^## (.+)$", told, re.MULTILINE)}
    for rule in rules():
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert (page, anchor in anchors) == ("docs/runbook.md", True), rule["alert"]
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["labels"]["severity"] in ("page", "ticket")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed")
def test_the_rules_fire() -> None:
    subprocess.run(["promtool", "test", "rules", "call-light.test.yml"], cwd=RULES, check=True, capture_output=True)
