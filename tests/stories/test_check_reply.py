"""What people type to have drafts checked, and what they see."""

import json

from stories.conftest import Place


def test_drafts_are_judged_line_by_line_in_order(place: Place) -> None:
    lines = [
        json.dumps({"id": "a", "reply": "Hi Cathy, sorry about your surgery wait"}),
        "",
        "{broken",
        json.dumps({"id": 7, "reply": "We take concerns seriously, please call 555-0100"}),
        json.dumps({"id": "none"}),
        json.dumps({"reply": "Six hours is too long", "post": "waited 6 hours"}),
        json.dumps({"id": "s", "reply": "half a pair \ud83d"}),
        json.dumps({"id": "p", "reply": "Thank you", "post": 5}),
    ]
    done = place.call("check-reply", "-", stdin="\n".join(lines))
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [verdict["id"] for verdict in verdicts] == ["a", None, 7, None, 6, "s", None]
    assert verdicts[0]["ok"] is False
    assert {why["rule"] for why in verdicts[0]["why"]} >= {"name", "confirms"}
    assert all(set(why) == {"words", "rule", "instead"} for why in verdicts[0]["why"])
    assert "not JSON" in verdicts[1]["error"]
    assert verdicts[1]["line"] == 3
    assert verdicts[2] == {"id": 7, "ok": True, "why": []}
    assert verdicts[3]["error"] == "not an object with reply"
    assert verdicts[4]["ok"] is False
    assert done.returncode == 1
    assert "3 lines could not be read" in done.stderr


def test_good_lines_alone_are_no_failure(place: Place) -> None:
    done = place.call("check-reply", stdin='{"id": 1, "reply": "Sorry about your stay"}\n')
    assert (done.returncode, done.stderr) == (0, "")


def test_explained_for_people(place: Place) -> None:
    done = place.call("check-reply", "--explain", stdin="Sorry about your stay\nThank you for your message.\n[1, 2]\n")
    assert "“your stay”: it says or implies that somebody is" in done.stdout
    assert "Instead: these concerns" in done.stdout
    assert "    refused" in done.stdout
    assert "Thank you for your message.\n    may go out" in done.stdout
    assert done.returncode == 0
