"""What people type, what they see, and what they are told when something is not as it should be."""

import csv
import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from fakes.slack import FakeSlack
from fakes.x import FakeX
from sqlmodel import Session
from stories.conftest import Place, to_stop

from listener.database import open_database
from listener.mention import Mention

COLLAPSED = "My dad collapsed in your waiting room at St. Brigid's and nobody comes"


@pytest.mark.deep
def test_a_newcomer_plays_the_week_and_looks_around(place: Place) -> None:
    demo = place.call("demo", "--no-serve")
    assert demo.returncode == 0, demo.stderr
    assert "DANGER" in demo.stdout
    assert "It adds up." in demo.stdout
    (page,) = (place.data / "reports").glob("*.html")
    assert "Every post reviewed" in page.read_text(encoding="utf-8")

    ledger = json.loads(place.call("ledger", "--json").stdout)
    assert ledger["adds_up"]
    assert ledger["collected"] >= 400
    assert ledger["collected"] == ledger["alerted"] + ledger["in_digest"] + ledger["dismissed"]

    waiting = json.loads(place.call("cases", "--json").stdout)
    assert waiting[0]["urgency"] == "danger", "the worst is first"
    number = str(waiting[0]["id"])
    assert place.call("act", number, "claim", "--as", "maria").stdout == f"Case {number} is yours.\n"
    second = place.call("act", number, "claim", "--as", "bob")
    assert (second.returncode, "maria" in second.stderr) == (1, True), "the other is told who has it"
    assert [case["id"] for case in json.loads(place.call("cases", "--mine", "maria", "--json").stdout)] == [int(number)]
    assert place.call("cases", "--mine", "nobody").stdout == "No case fits.\n", "others still wait"
    assert place.call("report", "--week", "2026-W46").returncode == 0
    posted = place.call("report", "--post").stdout.splitlines()[-1]
    assert posted.startswith(("Sent to summary.", "Was sent before to summary, on ")), (
        "by the day on which it is played"
    )
    assert_marketing_takes_it_along(place)
    assert place.call("demo", "--no-serve").returncode == 0, "it can be played again"


def test_a_report_sent_by_hand(connected: Place, slack: FakeSlack) -> None:
    slack.scopes = tuple(scope for scope in slack.scopes if scope != "files:write")
    early = connected.call("report", "--post")
    assert early.stdout.splitlines()[-1].startswith("Not sent: nothing listened yet in "), early.stderr
    last_week = datetime.now(UTC) - timedelta(days=7)
    with Session(open_database(connected.data)) as session:
        text = {"collector": "x", "source": "x", "ref": "1", "author": "kim", "text": "a long wait"}
        session.add(Mention(**text, written_at=last_week, heard_at=last_week, looked_at=last_week))
        session.commit()
    first = connected.call("report", "--post").stdout.splitlines()
    assert first[-2] == "Sent to summary."
    assert "files:write" in first[-1]
    assert connected.call("report", "--post").stdout.splitlines()[-2].startswith("Was sent before to summary, on ")
    assert len(slack.messages("social-weekly")) == 1


def assert_marketing_takes_it_along(place: Place) -> None:
    """The tables of the week that was played, in each form, with the same numbers."""
    out = place.data.parent / "out"
    (page,) = (place.data / "reports").glob("*-to-*.html")
    before = page.read_bytes()
    done = place.call("report", "--csv", str(out), "--xlsx", str(out / "week.xlsx"), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    tables = {table["name"]: table for section in report["sections"] for table in section["tables"]}
    name = report["span"]["name"]
    assert {path.name for path in out.glob("*.csv")} == {f"{name}-{table}.csv" for table in tables}
    book = openpyxl.load_workbook(out / "week.xlsx")
    assert book.sheetnames == ["summary", *tables]
    assert book["summary"]["A1"].value == report["hospital"]

    printed = place.call("report", "--section", "categories", "--csv", "-")
    assert (printed.returncode, printed.stderr) == (0, "")
    from_csv = [row[:2] for row in csv.reader(printed.stdout.splitlines())][1:]
    from_json = [row[:2] for row in tables["topics"]["rows"]]
    from_book = [[row[0].value, row[1].value] for row in book["topics"].iter_rows(min_row=2)]
    assert from_csv == [[topic, str(count)] for topic, count in from_json]
    assert from_book == from_json
    assert (out / f"{name}-topics.csv").read_text(encoding="utf-8-sig").splitlines() == printed.stdout.splitlines()

    shown = place.call("report", "--section", "categories", "--section", "ledger").stdout
    assert ("What it was about" in shown, "It adds up." in shown, "Kind words" in shown) == (True, True, False)
    assert page.read_bytes() == before, "the page is left as it is"


@pytest.mark.slow
def test_what_is_listed_goes_into_a_spreadsheet(place: Place, tmp_path: Path) -> None:
    posts = tmp_path / "posts.csv"
    at = datetime.now(UTC) - timedelta(minutes=30)
    posts.write_text(
        f"id,date,message,network,author\n1,{at:%Y-%m-%dT%H:%M:%SZ},{COLLAPSED},=1+1,kim_of_port_alder\n",
        encoding="utf-8",
    )
    assert json.loads(place.call("import", str(posts), "--json").stdout)["new"] == 1
    place.call("tick")
    out = tmp_path / "out.xlsx"
    for command in (["ledger"], ["hooks", "list"], ["cases"]):
        printed = place.call(*command, "--csv", "-", "--xlsx", str(out))
        assert printed.returncode == 0, printed.stderr
        sheet = openpyxl.load_workbook(out).worksheets[0]
        assert [["" if cell is None else str(cell) for cell in row] for row in sheet.values] == [
            [cell.removeprefix("'") for cell in row] for row in csv.reader(printed.stdout.splitlines())
        ]
    (case,) = list(csv.reader(printed.stdout.splitlines()))[1:]
    assert (case[0], case[5]) == ("1", "'=1+1"), "its number, its place"
    saved = place.call("cases", "--csv", str(tmp_path / "out.csv"), "--json")
    assert (tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines() == printed.stdout.splitlines()
    assert "kim_of" not in printed.stdout + saved.stdout


def test_help_loads_nothing_heavy(place: Place) -> None:
    heavy = "{'spacy', 'sqlmodel', 'jinja2', 'xlsxwriter', 'alerts', 'nlp'}"
    program = f"import atexit, sys; from listener.cli import main; atexit.register(lambda: print({heavy} & set(sys.modules))); main()"
    done = place.call("report", "--help", program=program, is_cold=True)
    assert "--xlsx" in done.stdout
    assert done.stdout.splitlines()[-1] == "set()"


def test_read_answers_line_by_line_in_order(place: Place) -> None:
    lines = [
        json.dumps({"id": "a", "text": COLLAPSED}),
        "",
        "{broken",
        json.dumps({"id": 7, "text": "Thank you to the kind nurse at St. Brigid's"}),
        json.dumps({"id": "none"}),
        json.dumps({"id": "s", "text": "half a pair \ud83d and a \u0000"}),
    ]
    done = place.call("read", "-", stdin="\n".join(lines))
    readings = [json.loads(line) for line in done.stdout.splitlines()]
    assert [reading["id"] for reading in readings] == ["a", None, 7, None, "s"]
    assert readings[0]["urgency"] == "danger"
    assert readings[1]["line"] == 3
    assert "not JSON" in readings[1]["error"]
    assert readings[2]["kind"] == "praise"
    expected = {
        "id",
        "mentions_us",
        "voice",
        "kind",
        "categories",
        "stage",
        "mood",
        "urgency",
        "reasons",
        "language",
        "redacted_text",
    }
    assert expected <= set(readings[0])
    assert done.returncode == 1, "the bad lines are told"


@pytest.mark.slow
def test_any_hospital(place: Place) -> None:
    line = json.dumps({"id": 1, "text": "The staff were rude and we waited four hours"})
    about_us = json.loads(place.call("read", "--any-hospital", stdin=line).stdout)
    not_us = json.loads(place.call("read", stdin=line).stdout)
    assert (about_us["kind"], not_us["kind"]) == ("complaint", None)


@pytest.mark.slow
def test_import_names_bad_lines_and_takes_the_good_ones(place: Place, tmp_path: Path) -> None:
    export = tmp_path / "export.csv"
    export.write_text(
        "\ufeffid;date;message;network\n1;2026-11-16 09:00;Waited 5 hours at St. Brigid's;X\n2;someday;Rude;X\n3;2026-11-16;;X\n",
        encoding="utf-8",
    )
    done = place.call("import", str(export), "--json")
    assert json.loads(done.stdout)["new"] == 1
    assert [skip.split(":")[1] for skip in json.loads(done.stdout)["skips"]] == ["3", "4"]
    assert json.loads(place.call("import", str(export), "--json").stdout)["again"] == 1


@pytest.mark.slow
def test_a_terminal_without_emoji_that_obeys_no_stranger(place: Place, tmp_path: Path) -> None:
    words = (
        "\x1b[2J My dad collapsed in the waiting room at St. Brigid's, nobody comes \u202e \U0001f62d 漢字 wait\u00e9"
    )
    post = {"text": words, "written_at": datetime.now(UTC).isoformat(), "url": "https://x.example/\x1b[31m", "id": "1"}
    (tmp_path / "posts.jsonl").write_text(json.dumps(post) + "\n", encoding="utf-8")
    place.variables["PYTHONIOENCODING"] = "ascii"
    assert place.call("import", str(tmp_path / "posts.jsonl")).returncode == 0
    for stdin, command in (
        ("", ["tick"]),
        ("", ["cases"]),
        ("", ["search", "collapsed"]),
        ("", ["report", "--section", "ledger"]),
        (json.dumps({"text": words}), ["read", "--explain"]),
        (json.dumps({"reply": words}), ["check-reply", "--explain"]),
        (json.dumps({"text": words}), ["read"]),
        ("", ["search", "collapsed", "--json"]),
        ("", ["report", "--json"]),
    ):
        done = place.call(*command, stdin=stdin)
        assert done.returncode == 0, (command, done.stderr)
        said = done.stdout + done.stderr
        assert not {"\x1b", "\u202e"} & set(said), command
        if "--json" in command or command == ["read"]:
            assert "\U0001f62d" in said or command[0] == "report", "programs are given every letter"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--config", "nowhere", "tick"], "no such folder"),
        (["import", "missing.csv"], "cannot read missing.csv"),
        (["read", "missing.jsonl"], "cannot read missing.jsonl"),
        (["report", "--week", "2026-W99"], "no such week"),
        (["report", "--month", "2026-W46"], "no such month: '2026-W46'; write a month as 2026-10"),
        (["report", "--week", "2026-W46", "--against", "2026-10"], "no such week: '2026-10'"),
        (["report", "--month", "last", "--post"], "only the summary of a week"),
        (["ledger", "--since", "soon"], "soon"),
        (["act", "999", "claim", "--as", "me"], "no case 999"),
        (["act", "1", "dance", "--as", "me"], "no action 'dance'"),
        (["collect", "--source", "myspace"], "no collector 'myspace'"),
        (["run"], "no collector is on"),
        (["report", "--csv", "-"], "name a section that has one"),
        (["report", "--section", "headline", "--csv", "-"], "prints one table, not 0"),
        (["report", "--section", "topics"], "no section 'topics'; there are areas, categories"),
        (["report", "--json", "--post"], "are for the page"),
        (["ledger", "--csv", "-", "--json"], "both go to standard output"),
        (["ledger", "--csv", "missing/ledger.csv"], "cannot write missing/ledger.csv (No such file or directory)"),
        (["cases", "--xlsx", "."], "cannot write . (Is a directory)"),
        (["report", "--csv", "config/care.toml"], "cannot write config/care.toml (File exists)"),
    ],
)
def test_an_error_is_one_sentence(place: Place, arguments: list[str], says: str) -> None:
    done = place.call(*arguments)
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ledger", "--sinse", "7d"], "sinse"),
        (["report", "--month", "2026-10", "--week", "2026-W46"], "only one of"),
        (["report", "--days", "2026-11-01-to-2026-11-03", "--against", "2026-10-01-to-2026-10-02"], "2 days"),
    ],
)
def test_wrong_usage_has_its_own_status(place: Place, arguments: list[str], says: str) -> None:
    done = place.call(*arguments)
    assert (done.returncode, says in " ".join(done.stderr.split())) == (2, True)


def test_a_report_of_any_time(place: Place) -> None:
    for arguments, name in (
        (["--month", "2026-9"], "2026-09"),
        (["--quarter", "2026-Q3"], "2026-Q3"),
        (["--days", "2026-11-01-to-2026-11-20"], "2026-11-01-to-2026-11-20"),
        (["--month", "2026-10", "--against", "2025-10"], "2026-10-against-2025-10"),
    ):
        done = place.call("report", *arguments)
        assert done.returncode == 0, done.stderr
        page = (place.data / "reports" / f"{name}.html").read_text(encoding="utf-8")
        assert "Did it stay fixed" in page
    assert "October 2025" in page


def test_a_database_that_is_none(place: Place) -> None:
    place.data.mkdir()
    (place.data / "call-light.db").write_bytes(b"this is no database at all" * 100)
    done = place.call("ledger")
    assert done.returncode == 1
    assert "database" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_typo_is_named_with_its_place(place: Place) -> None:
    place.edit("care.toml", "^oncall = ", "on_call = ")
    done = place.call("config", "check")
    assert done.returncode == 1
    assert "care.toml:13:1: slack.on_call: found an unknown key" in done.stderr
    assert "did you mean 'oncall'" in done.stderr
    assert place.call("tick").returncode == 1, "nothing runs on a broken configuration"


@pytest.mark.slow
def test_an_example_that_no_phrase_finds(place: Place) -> None:
    place.edit("keywords.toml", r'^match = \["Billed twice for one scan"', 'match = ["Nothing here is about money"')
    done = place.call("config", "check")
    assert done.returncode == 1
    assert "categories.billing.match" in done.stderr


@pytest.mark.slow
def test_a_wrong_token_and_no_network_are_told(connected: Place, x: FakeX, slack: FakeSlack) -> None:
    connected.variables["X_BEARER_TOKEN"] = "wrong"
    wrong = connected.call("tick")
    assert wrong.returncode == 1
    assert wrong.stderr == "x: X does not accept X_BEARER_TOKEN; copy it again from the developer console\n"
    connected.variables["SLACK_BOT_TOKEN"] = "xoxb-wrong"
    x.post(COLLAPSED, author="kim", at=datetime.now(UTC) - timedelta(minutes=2))
    connected.variables["X_BEARER_TOKEN"] = "test-bearer"
    told = connected.call("tick")
    assert told.returncode == 1
    assert told.stderr == "Slack: Slack does not accept SLACK_BOT_TOKEN; copy it again from the app's page\n"
    doctor = connected.call("doctor", "--json")
    assert doctor.returncode == 1
    assert any("SLACK_BOT_TOKEN" in (finding["todo"] or "") for finding in json.loads(doctor.stdout))
    x.close()
    done = connected.call("tick")
    assert done.returncode == 1
    assert "no answer from X (ConnectionError); check the network" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_doctor_is_green_when_all_is_well(connected: Place, x: FakeX, slack: FakeSlack) -> None:
    assert connected.call("tick").returncode == 0
    doctor = connected.call("doctor", "--json")
    findings = json.loads(doctor.stdout)
    assert [finding for finding in findings if finding["ok"] is False] == []
    assert sum(finding["what"].startswith("Slack channel") for finding in findings) == 8


def test_no_word_of_a_post_no_name_and_no_token_in_the_logs(connected: Place, x: FakeX, slack: FakeSlack) -> None:
    x.post(
        "Zanzibarbecue at St. Brigid's: waited five hours, nurse Quillfeather was rude",
        author="handleofmine",
        at=datetime.now(UTC) - timedelta(minutes=2),
    )
    logs = connected.call("tick", "--debug").stderr
    assert "send" in logs
    for secret in ("Zanzibarbecue", "Quillfeather", "handleofmine", "test-bearer", "xoxb-test-token"):
        assert secret not in logs


@pytest.mark.slow
def test_the_service_delivers_and_ends_when_told(connected: Place, x: FakeX, slack: FakeSlack) -> None:
    x.post(COLLAPSED, author="kim", at=datetime.now(UTC) - timedelta(minutes=2))
    command = [sys.executable, "-c", "from listener.cli import main; main()", "run"]
    service = subprocess.Popen(command, env=connected.environment(), cwd=connected.data.parent, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 30
        while not slack.messages("social-care-danger") and time.monotonic() < until:
            time.sleep(0.05)
        (card,) = slack.messages("social-care-danger")
        assert "<!here>" in card["text"]
        service.send_signal(signal.SIGTERM)
        assert service.wait(to_stop()) == 0
    finally:
        service.kill()
        connected.said(service.communicate()[1].decode())
    assert json.loads(connected.call("ledger", "--json").stdout)["adds_up"]


def test_a_service_says_when_it_starts_that_others_may_read_its_secrets(place: Place) -> None:
    place.data.parent.chmod(0o755)
    (place.data.parent / ".env").touch(0o644)
    started = place.call(program="from listener import shell; shell.open_service(is_service=True)")
    assert started.stderr.splitlines()[0] == (
        ".env may be read by other accounts of this machine (mode 644); type: chmod 600 .env"
    )
