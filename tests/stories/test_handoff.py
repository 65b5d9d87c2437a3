"""Danger reaches the people on call and the hospital's CRM, by the commands that an admin types."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fakes.hook_receiver import OTHER, SECRET, HookReceiver
from fakes.pager import FakePager
from fakes.server import Status
from fakes.slack import FakeSlack
from fakes.x import FakeX
from stories.conftest import Place

COLLAPSED = "My dad collapsed in your waiting room at St. Brigid's and nobody comes"


@pytest.fixture
def services() -> Iterator[FakePager]:
    with FakePager() as services:
        yield services


@pytest.fixture
def crm() -> Iterator[HookReceiver]:
    with HookReceiver() as crm:
        yield crm


@pytest.fixture
def joined(connected: Place, services: FakePager, crm: HookReceiver, x: FakeX) -> Place:
    """An installation with a pager and a hook, and a post of danger to be heard."""
    hook = f'\n[[hooks]]\nname = "crm"\nurl = "{crm.base_url}/hook"\n'
    care = connected.config / "care.toml"
    care.write_text(care.read_text(encoding="utf-8") + hook, encoding="utf-8")
    connected.variables |= {"CALL_LIGHT_PAGER_URLS": services.json(), "CALL_LIGHT_HOOK_SECRET_CRM": SECRET}
    x.post(COLLAPSED, author="kim", at=datetime.now(UTC) - timedelta(minutes=2))
    return connected


def test_danger_is_paged_and_the_crm_is_told(
    joined: Place, services: FakePager, crm: HookReceiver, slack: FakeSlack
) -> None:
    tick = joined.call("tick", "--debug")
    assert tick.returncode == 0, tick.stderr
    (page,) = services.pages()
    assert page.startswith("Call Light: DANGER, case 1 | ")
    assert page.endswith("nobody has it. Slack #social-care-danger")
    (opened,) = crm.events.values()
    assert (opened["type"], opened["data"]["urgency"]) == ("case.opened", "danger")
    for secret in ("hunter2", "whsec", SECRET[6:], "collapsed", "kim"):
        assert secret not in tick.stderr


@pytest.mark.slow
def test_when_slack_is_down_people_are_paged(joined: Place, services: FakePager, slack: FakeSlack) -> None:
    slack.close()
    joined.call("tick")
    assert len(services.pages()) == 1


@pytest.mark.slow
def test_hooks_are_listed_and_replayed(joined: Place, crm: HookReceiver) -> None:
    crm.fail_next(Status(500))
    tick = joined.call("tick")
    assert (tick.returncode, tick.stderr) == (1, "hook crm: answers 500\n")
    (listed,) = json.loads(joined.call("hooks", "list", "--json").stdout)
    assert (listed["name"], listed["waiting"], listed["trouble"]) == ("crm", 1, "hook crm: answers 500")
    assert "hook crm: answers 500" in joined.call("hooks", "list").stdout
    found = json.loads(joined.call("doctor", "--json").stdout)
    (hook,) = [finding for finding in found if finding["what"].startswith("hook crm (127.0.0.1): no event yet, 1 wait")]
    assert (hook["ok"], hook["todo"]) == (False, "hook crm: answers 500")

    done = joined.call("hooks", "replay", "--since", "7d", "--json")
    assert (done.returncode, json.loads(done.stdout)["sent"]) == (0, 1)
    (key,) = crm.events
    again = joined.call("hooks", "replay", "--since", "7d", "--hook", "crm", "--case", "1", "--json")
    assert (again.returncode, json.loads(again.stdout)["sent"]) == (0, 1)
    assert [request.headers["webhook-id"] for request in crm.requests] == [key] * len(crm.requests)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["hooks", "replay", "--since", "7d", "--hook", "erp"], "no hook 'erp' in care.toml; there are crm"),
        (["hooks", "replay", "--since", "soon"], "--since: 'soon' is not a number and one of"),
    ],
)
def test_what_cannot_be_replayed(joined: Place, arguments: list[str], says: str) -> None:
    done = joined.call(*arguments)
    assert (done.returncode, says in done.stderr) == (1, True)


@pytest.mark.slow
def test_a_secret_that_is_not_the_same(joined: Place, crm: HookReceiver) -> None:
    crm.secret = OTHER
    tick = joined.call("tick")
    assert tick.stderr == "hook crm: answers 401; does its receiver have the same secret as CALL_LIGHT_HOOK_SECRET?\n"
    joined.variables.pop("CALL_LIGHT_HOOK_SECRET_CRM")
    found = json.loads(joined.call("doctor", "--json").stdout)
    missing = "hook crm: set CALL_LIGHT_HOOK_SECRET_CRM or CALL_LIGHT_HOOK_SECRET in the environment or in .env and start the service again"
    assert missing in [finding["todo"] for finding in found]


@pytest.mark.slow
def test_a_page_is_tried(joined: Place, services: FakePager) -> None:
    joined.variables["CALL_LIGHT_PAGER_URLS"] += f" {services.ntfy()} hunter2"
    assert joined.call("page").stdout == "1. JSON\n2. ntfy\n3. unknown\n"
    done = joined.call("page", "--test")
    assert (done.returncode, done.stdout) == (1, "1. JSON: took it\n2. ntfy: took it\n")
    unknown = "the 3rd address of CALL_LIGHT_PAGER_URLS (unknown) is none that apprise knows"
    assert done.stderr.startswith(unknown)
    assert services.pages() == ["Call Light: TEST | This is only a test; nobody is in danger."] * 2
    found = {finding["what"]: finding for finding in json.loads(joined.call("doctor", "--json").stdout)}
    pager = found["pager: 3 addresses (JSON, ntfy, unknown); call-light page --test tries them"]
    assert (pager["ok"], "number 3 of CALL_LIGHT_PAGER_URLS" in pager["todo"]) == (False, True)
    joined.variables.pop("CALL_LIGHT_PAGER_URLS")
    nobody = joined.call("page", "--test")
    assert (nobody.returncode, "names no address" in nobody.stderr) == (1, True)
