"""doctor finds what is wrong and says what to do."""

import contextlib
import re
import shutil
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT
from fakes.slack import CARE_CHANNELS, FakeSlack
from sqlmodel import Session

from alerts.doctor import Finding, _center, examine
from config.schema import Center
from listener import health
from listener.database import open_database
from listener.environment import Environment
from listener.mention import Mention
from listener.watch import Alarm, Lease, Spend, Watch

FILES = "Slack files: charts and page of the weekly message"
SLACK = {"SLACK_BOT_TOKEN": "xoxb-test-token", "SLACK_APP_TOKEN": "xapp-test-token"}


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """An installation as it ships."""
    shutil.copytree(PROJECT / "config", tmp_path / "config", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return tmp_path


@pytest.fixture
def folder(shipped: Path) -> Path:
    """One with a phrase a list and no model: to fill the reader takes longer than to look at all the rest."""
    path = shipped / "config" / "keywords.toml"
    text = re.sub(r'(\nphrases = \[)\s*("[^"]+")[^\]]*\]', r"\1\2]", path.read_text(encoding="utf-8"))
    path.write_text(text.replace("\nmodel = true\n", "\nmodel = false\n"), encoding="utf-8")
    return shipped


def found(folder: Path, now: datetime, **secrets: str) -> dict[str, Finding]:
    findings = list(examine(Environment(folder / "config", folder / "data", None, secrets), now))
    assert {one.code for one in findings if one.ok is False} <= codes(), "each leads to its heading"
    return {finding.what: finding for finding in findings}


def codes() -> set[str | None]:
    """The headings of the runbook that are codes."""
    return set(re.findall(r"^### (.+)$", (PROJECT / "docs" / "runbook.md").read_text(encoding="utf-8"), re.MULTILINE))


def wrong(findings: dict[str, Finding]) -> dict[str, str | None]:
    return {what: finding.todo for what, finding in findings.items() if finding.ok is False}


def edit(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / "config" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_new_installation_is_green(shipped: Path, now: datetime) -> None:
    findings = found(shipped, now)
    assert wrong(findings) == {}
    assert [finding.ok for what, finding in findings.items() if what.startswith("reader ")] == [True]
    assert findings["Slack"].ok is None, "not in use is not wrong"


def test_a_broken_config_ends_it(folder: Path, now: datetime) -> None:
    edit(folder, "care.toml", "oncall =", "on_call =")
    assert "1 mistakes" in str(next(iter(wrong(found(folder, now)).values())))


def test_a_secret_is_missing(folder: Path, now: datetime) -> None:
    edit(folder, "listening.toml", "[collectors.x]\non = false", "[collectors.x]\non = true")
    assert wrong(found(folder, now)) == {"collector x": "set X_BEARER_TOKEN in the environment or in .env"}
    assert wrong(found(folder, now, X_BEARER_TOKEN="t")) == {}


def test_a_key_that_others_may_read(folder: Path, now: datetime) -> None:
    (folder / "data").mkdir(mode=0o755)
    (folder / "data" / "center.key").touch(0o644)
    assert "chmod 600" in str(wrong(found(folder, now))["files with secrets"])


def test_no_database(folder: Path, now: datetime) -> None:
    (folder / "data").write_text("a file where the folder belongs")
    assert "database" in wrong(found(folder, now))


@pytest.mark.parametrize(
    ("watch", "what"),
    [
        ({"trouble": "x: no answer from X (Timeout)", "failures": 3}, "x: failing"),
        ({"heard_at": timedelta(days=3)}, "x: silent"),
        ({"heard_at": timedelta(hours=1), "kept": 4}, None),
        ({"heard_at": timedelta(hours=1), "asked_at": timedelta(hours=1)}, "x: not asked since 2026-11-16 14:00 UTC"),
        ({"heard_at": timedelta(hours=1), "trouble": "x: X answers 503", "failures": 1}, "x: the last pass failed"),
    ],
)
def test_a_collector_that_fails_or_is_silent(
    folder: Path, now: datetime, watch: dict[str, Any], what: str | None
) -> None:
    edit(folder, "listening.toml", "[collectors.x]\non = false", "[collectors.x]\non = true")
    watch = {"asked_at": timedelta(minutes=1), **watch}
    watch = {name: now - value if isinstance(value, timedelta) else value for name, value in watch.items()}
    engine = open_database(folder / "data")
    with Session(engine) as session:
        session.add(Watch(name="x", **watch))
        session.commit()
    engine.dispose()
    assert set(wrong(found(folder, now, X_BEARER_TOKEN="t"))) == ({what} if what else set())


def test_what_was_spent(folder: Path, now: datetime) -> None:
    edit(folder, "listening.toml", "[collectors.x]\non = false", "[collectors.x]\non = true\nmonthly_reads = 9000")
    engine = open_database(folder / "data")
    with Session(engine) as session:
        session.add(Watch(name="x", asked_at=now, heard_at=now, kept=1200))
        session.add(Spend(collector="x", day=now.date(), reads=40, cost=0.2))
        session.add(Spend(collector="x", day=now.date() - timedelta(days=1), reads=1000, cost=5.0))
        session.add(Spend(collector="x", day=now.date() - timedelta(days=40), reads=7, cost=9.0))
        session.commit()
    engine.dispose()
    sentence = "x: 1,200 posts kept; 40 of 2,000 reads today, 1,040 of 9,000 this month, $5.20"
    assert found(folder, now, X_BEARER_TOKEN="t")[sentence].ok


def test_posts_that_are_stuck(folder: Path, now: datetime) -> None:
    engine = open_database(folder / "data")
    with Session(engine) as session:
        old = now - timedelta(hours=1)
        session.add(
            Mention(collector="x", source="x", ref="1", text="hello", written_at=old, heard_at=old, looked_at=old)
        )
        session.commit()
    engine.dispose()
    assert "1 not read" in str(wrong(found(folder, now))["ledger of seven days, 1 posts"])


@pytest.mark.parametrize(
    ("breaks", "what"),
    [
        ({}, None),
        ({"archived": True}, "archived"),
        ({"member": False}, "/invite"),
    ],
)
def test_slack_channels(folder: Path, now: datetime, breaks: dict[str, bool], what: str | None) -> None:
    with FakeSlack() as slack:
        for name in CARE_CHANNELS:
            slack.add_channel(name)
        if breaks:
            slack.change_channel("social-care-danger", **breaks)
        edit(folder, "care.toml", "\n[slack]\n", f'\n[slack]\nbase_url = "{slack.base_url}"\n')
        todo = wrong(found(folder, datetime.now(now.tzinfo), **SLACK))
    assert list(todo) == (["Slack channel danger (#social-care-danger)"] if what else [])
    assert what is None or what in str(next(iter(todo.values())))


def test_slack_token_scopes_and_clock(folder: Path, now: datetime) -> None:
    with FakeSlack(scopes=["chat:write", "channels:read", "groups:read", "channels:history"]) as slack:
        for name in CARE_CHANNELS:
            slack.add_channel(name)
        edit(folder, "care.toml", "\n[slack]\n", f'\n[slack]\nbase_url = "{slack.base_url}"\n')
        assert "SLACK_BOT_TOKEN" in str(wrong(found(folder, now, SLACK_BOT_TOKEN="wrong"))["Slack"])
        todo = wrong(found(folder, now, SLACK_BOT_TOKEN="xoxb-test-token"))
        files = found(folder, now, SLACK_BOT_TOKEN="xoxb-test-token")[FILES]
        slack.scopes = (*slack.scopes, "files:write")
        assert found(folder, now, SLACK_BOT_TOKEN="xoxb-test-token")[FILES] == Finding(FILES, True)
    assert (files.ok, "add files:write" in str(files.todo)) == (None, True), "not wrong without: words alone then"
    assert "groups:history" in str(todo["Slack permissions"])
    assert "NTP" in str(todo["clock"]), "the test's time is far from Slack's"


def test_the_pager(folder: Path, now: datetime) -> None:
    assert found(folder, now)["pager"].ok is None
    urls = "json://a:hunter2@127.0.0.1/x hunter2"
    what = "pager: 2 addresses (JSON, unknown); call-light page --test tries them"
    todo = "apprise knows no address like number 2 of CALL_LIGHT_PAGER_URLS; docs/handoff.md says how"
    assert wrong(found(folder, now, CALL_LIGHT_PAGER_URLS=urls)) == {what: todo}


def test_hooks(folder: Path, now: datetime) -> None:
    path = folder / "config" / "care.toml"
    hook = '\n[[hooks]]\nname = "crm"\nurl = "https://crm.example/hook"\n'
    path.write_text(path.read_text(encoding="utf-8") + hook, encoding="utf-8")
    what = "hook crm (crm.example): no event yet, 0 wait, 0 given up"
    assert "set CALL_LIGHT_HOOK_SECRET_CRM" in str(wrong(found(folder, now))[what])
    assert found(folder, now, CALL_LIGHT_HOOK_SECRET=f"whsec_{'A' * 40}")[what].ok


def test_what_people_were_told_of_the_desk(folder: Path, now: datetime) -> None:
    engine = open_database(folder / "data")
    with Session(engine) as session:
        session.add(Alarm(collector="the pager", kind="pager", why="nobody could be paged: …", raised_at=now))
        session.add(Alarm(collector="care", kind="channel", why="archived", raised_at=now, over_at=now))
        session.commit()
    engine.dispose()
    assert wrong(found(folder, now)) == {"the pager": "nobody could be paged: …"}


@pytest.mark.parametrize(("mode", "lacks"), [("socket", "SLACK_APP_TOKEN"), ("http", "SLACK_SIGNING_SECRET")])
def test_buttons_that_nobody_hears(folder: Path, now: datetime, mode: str, lacks: str) -> None:
    with FakeSlack() as slack:
        for name in CARE_CHANNELS:
            slack.add_channel(name)
        edit(folder, "care.toml", "\n[slack]\n", f'\n[slack]\nbase_url = "{slack.base_url}"\n')
        edit(folder, "care.toml", '\nmode = "socket"\n', f'\nmode = "{mode}"\n')
        todo = wrong(found(folder, datetime.now(now.tzinfo), SLACK_BOT_TOKEN="xoxb-test-token"))
    assert list(todo) == [f"Slack buttons ({mode})"]
    assert lacks in str(todo[f"Slack buttons ({mode})"])


LONG = {"CALL_LIGHT_WEB_TOKEN": "a secret of more than twenty characters"}
TEAM: dict[str, Any] = {
    "address": "https://care.example.org",
    "people": {"ana": {"role": "care"}, "wall": {"role": "viewer"}},
}
SSO = TEAM | {"proxies": ["10.0.0.5"], "user_header": "X-Forwarded-User"}


def center(given: dict[str, Any], secrets: dict[str, str]) -> dict[str, Finding]:
    """What is said of the Listening Center, without its name."""
    environment = Environment(Path("config"), Path("data"), None, secrets)
    return {
        one.what.removeprefix("Listening Center: "): one for one in _center(Center.model_validate(given), environment)
    }


@pytest.mark.parametrize(
    ("given", "secrets", "wrongs"),
    [
        ({}, {}, {}),
        (TEAM, LONG, {}),
        (SSO, {}, {}),
        (TEAM, {}, {"sign-in by token": "nobody can sign in"}),
        (TEAM, {"CALL_LIGHT_WEB_TOKEN": "short"}, {"sign-in by token": "fewer than 20 characters"}),
        (SSO, {"CALL_LIGHT_WEB_TOKEN": "short"}, {"sign-in by X-Forwarded-User or token": "fewer than 20"}),
        (TEAM | {"people": {}}, LONG, {"sign-in by token": "nobody comes in but who holds"}),
        (SSO | {"people": {}}, {}, {"sign-in by X-Forwarded-User or token": "nobody comes in: name people"}),
        (SSO | {"people": {}, "everyone": "viewer"}, {}, {}),
        (TEAM | {"address": "http://care.example.org"}, LONG, {"no TLS": "web server with TLS"}),
        (TEAM | {"address": "http://127.0.0.1:8765"}, LONG, {}),
        (SSO | {"proxies": ["10.0.0.5", "10.0.0.0/16"]}, {}, {"whose word is believed": "10.0.0.0/16"}),
        (SSO | {"proxies": ["10.0.0.0/24"]}, {}, {}),
        (TEAM | {"proxies": ["10.0.0.0/16"]}, LONG, {}),  # whose word counts for nothing but the count of tries
    ],
)
def test_the_center(given: dict[str, Any], secrets: dict[str, str], wrongs: dict[str, str]) -> None:
    said = center(given, secrets)
    todo = {what: str(one.todo) for what, one in said.items() if one.ok is False}
    assert todo.keys() == wrongs.keys()
    assert all(word in todo[what] for what, word in wrongs.items())
    assert "twenty characters" not in str(said)


def test_where_the_center_is(folder: Path, now: datetime) -> None:
    assert found(folder, now)["Listening Center: http://127.0.0.1:8765, this machine alone, without sign-in"].ok
    assert center(TEAM, LONG)["https://care.example.org, 2 people named in care.toml"].ok
    assert center({"on": False}, {})["Listening Center"].ok is None


def test_people_who_are_somebody_else_in_slack() -> None:
    what = "people without their ID in Slack"
    said = center(TEAM, LONG | SLACK)[what]
    assert said.ok is None
    assert str(said.todo).startswith("ana: what they take up")
    assert what not in center(TEAM, LONG), "nobody has one"
    with_id = {"ana": {"role": "care", "slack": "U0123ABCD"}}
    assert what not in center(TEAM | {"people": with_id}, LONG | SLACK)


# ---------------------------------------------------------------- the commonest mistakes, each made


def _database(folder: Path, *rows: Any) -> None:
    engine = open_database(folder / "data")
    with Session(engine) as session:
        session.add_all(rows)
        session.commit()
    engine.dispose()


def _x(folder: Path, now: datetime, **watch: Any) -> None:
    edit(folder, "listening.toml", "[collectors.x]\non = false", "[collectors.x]\non = true")
    _database(folder, Watch(name="x", **{"asked_at": now, "heard_at": now, **watch}))


def _damage(folder: Path, now: datetime) -> None:
    posts = [
        Mention(collector="x", source="x", ref=f"{n}", text="words " * 200, written_at=now, heard_at=now, looked_at=now)
        for n in range(50)
    ]
    _database(folder, *posts)
    path = folder / "data" / "call-light.db"
    content = bytearray(path.read_bytes())
    content[-40_000:-20_000] = b"\xff" * 20_000
    path.write_bytes(content)


def _newer(folder: Path, now: datetime) -> None:
    _database(folder)
    with contextlib.closing(sqlite3.connect(folder / "data" / "call-light.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()


def _no_reports(folder: Path, now: datetime) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "reports").write_text("a file where the folder belongs")


def _open_env(folder: Path, now: datetime) -> None:
    _database(folder)
    (folder / "data").chmod(0o755)
    (folder / "data" / "call-light.db").chmod(0o644)


def _closed(folder: Path, now: datetime) -> None:
    path = folder / "config" / "hospital.toml"
    text = re.sub(
        r'^(mon|tue|wed|thu|fri|sat|sun) = ".*"', r'\1 = ""', path.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    path.write_text(text, encoding="utf-8")


def _alarm(kind: str) -> Callable[[Path, datetime], None]:
    return lambda folder, now: _database(folder, Alarm(collector="it", kind=kind, why="…", raised_at=now))


def _no_model(folder: Path, now: datetime) -> None:
    edit(folder, "keywords.toml", "\nmodel = false\n", f'\nmodel = true\nfolder = "{folder}"\n')


Mistake = Callable[[Path, datetime], None]
MISTAKES: dict[str, tuple[Mistake, str]] = {
    "config-broken": (lambda folder, now: edit(folder, "care.toml", "oncall =", "on_call ="), "config check"),
    "collector-secret": (_x, "X_BEARER_TOKEN"),
    "collector-failing": (
        lambda folder, now: _x(folder, now, failures=3, trouble="Reddit does not accept the password; correct it"),
        "does not accept the password",
    ),
    "collector-silent": (lambda folder, now: _x(folder, now, heard_at=now - timedelta(days=3)), "search"),
    "collector-no-match": (
        lambda folder, now: _x(
            folder,
            now,
            filters={
                "brigd": {"since": (now - timedelta(days=90)).isoformat(), "asked": now.isoformat(), "last": None}
            },
        ),
        "brigd",
    ),
    "service-stopped": (lambda folder, now: _x(folder, now, asked_at=now - timedelta(hours=1)), "call-light run"),
    "database-unusable": (lambda folder, now: (folder / "data").write_text("a file"), "--data DIR"),
    "database-damaged": (_damage, "call-light restore"),
    "database-newer": (_newer, "newer version"),
    "secrets-exposed": (_open_env, "chmod 600"),
    "reports-folder": (_no_reports, "cannot be written"),
    "coverage-missing": (_closed, "coverage"),
    "model-missing": (_no_model, "model = false"),
    "desk-buttons": (_alarm("buttons"), "…"),  # two installations share one app token, say
    "desk-pager": (_alarm("pager"), "…"),
    "desk-channel": (_alarm("channel"), "…"),
}


@pytest.mark.parametrize("code", MISTAKES)
def test_each_mistake_has_its_finding(folder: Path, now: datetime, code: str) -> None:
    make, todo = MISTAKES[code]
    make(folder, now)
    said = {one.code: str(one.todo) for one in found(folder, now).values() if one.ok is False}
    assert code in said
    assert todo in said[code]


def test_a_budget_that_is_used_up(folder: Path, now: datetime) -> None:
    _x(folder, now)
    _database(folder, Spend(collector="x", day=now.date(), reads=2_000, cost=10.0))
    assert "collector-budget" in {
        one.code for one in found(folder, now, X_BEARER_TOKEN="t").values() if one.ok is False
    }


def test_an_app_token_that_slack_refuses(folder: Path, now: datetime) -> None:
    with FakeSlack() as slack:
        for name in CARE_CHANNELS:
            slack.add_channel(name)
        edit(folder, "care.toml", "\n[slack]\n", f'\n[slack]\nbase_url = "{slack.base_url}"\n')
        wrongs = found(folder, datetime.now(now.tzinfo), **{**SLACK, "SLACK_APP_TOKEN": "xapp-old"})
    said = {one.code: str(one.todo) for one in wrongs.values() if one.ok is False}
    assert said.keys() == {"slack-app-token"}
    assert "connections:write" in said["slack-app-token"]


def test_who_collects(folder: Path, now: datetime) -> None:
    _database(folder, Lease(name="collect", holder="care-2:71", since=now, until=now + timedelta(minutes=1)))
    assert f"collecting: care-2:71, since {now:%Y-%m-%d %H:%M} UTC" in found(folder, now)
    assert not any(what.startswith("collecting") for what in found(folder, now + timedelta(minutes=2)))


def test_no_collector_is_on(folder: Path, now: datetime) -> None:
    assert found(folder, now)["collectors"].code == "no-collector"


def test_every_code_of_the_runbook_is_one_of_ours() -> None:
    text = "".join((PROJECT / "alerts" / f"{name}.py").read_text(encoding="utf-8") for name in ("doctor", "machine"))
    ours = {*re.findall(r'"([a-z]+(?:-[a-z]+)+)"', text), *(f"desk-{kind}" for kind in health.DESK)}
    assert codes() <= ours


def test_a_look_before_the_first_start_makes_nothing(folder: Path, now: datetime) -> None:
    """By root perhaps, and then the service could not write there."""
    seen = found(folder, now)
    assert [what for what in seen if what.startswith("database: there is none")]
    assert not (folder / "data").exists()
