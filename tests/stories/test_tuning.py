"""An admin adds "portal" on the day of the migration: sees what it does, saves it, makes a typo, takes it back."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from stories.conftest import Place
from stories.test_live import Running

REMARKS = (
    *("is green now", "was moved to another page", "opens in a new window", "greets me by name", "shows a map"),
    *("has bigger letters", "speaks Polish now", "plays a tune", "knows my birthday", "asks for a picture"),
    *("is on channel four's website", "counts the steps to the door", "comes with a handbook", "got a new logo"),
)
RAFFLES = ("the raffle tickets were rude nonsense", "raffle again, terrible food there", "raffle: awful, filthy tables")
OTHERS = (
    "waited four hours in the ER",
    "filthy bathroom on the third floor",
    "the lobby has plants",
    "saw a heron today",
)


@pytest.fixture
def hospital(place: Place) -> Place:
    """Twenty-one posts of five days, of which two remarks are of today."""
    place.edit("keywords.toml", "^model = true$", "model = false")
    place.edit("listening.toml", r"(\[collectors\.file\]\n)on = false", r"\1on = true")
    heard(place, *(f"The portal {remark} at St. Brigid's" for remark in REMARKS[2:]), days=3)
    heard(place, *(f"{words} at St. Brigid's" for words in (*RAFFLES, *OTHERS)), days=3)
    heard(place, *(f"The portal {remark} at St. Brigid's" for remark in REMARKS[:2]), days=0.1)
    assert place.call("tick").returncode == 0
    return place


def heard(place: Place, *texts: str, days: float = 0) -> None:
    at = datetime.now(UTC) - timedelta(days=days, minutes=1)
    posts = [
        {"id": f"{days}-{text}", "author": text, "text": text, "created_at": at.isoformat(), "url": ""}
        for text in texts
    ]
    file = place.data.parent / "export.jsonl"
    file.write_text("".join(json.dumps(post) + "\n" for post in posts))
    done = place.call("import", str(file))
    assert f"{len(posts)} new" in done.stdout, done.stdout + done.stderr


def cards(place: Place) -> int:
    return len(json.loads(place.call("cases", "--json").stdout))


def with_portal(text: str) -> str:
    found = text.replace("[urgency.here_now]\nphrases = [", '[urgency.here_now]\nphrases = [\n    "portal",', 1)
    found = found.replace('phrases = ["softball league"', 'phrases = ["raffle", "softball league"', 1)
    assert found.count('"portal",') == text.count('"portal",') + 1
    assert '"raffle", "softball' in found
    return found


@pytest.mark.deep
def test_no_change_is_a_surprise(hospital: Place, tmp_path: Path) -> None:
    before = cards(hospital)
    draft, file = tmp_path / "draft", hospital.config / "keywords.toml"
    draft.mkdir()
    good = file.read_text()
    (draft / "keywords.toml").write_text(with_portal(good))

    # What it would do, before it is saved.
    tried = hospital.call("config", "try", str(draft))
    assert tried.returncode == 0, tried.stderr
    assert "14 new cards, 3 dropped" in tried.stdout
    assert "the raffle tickets were rude nonsense" in tried.stdout
    found = json.loads(hospital.call("config", "try", str(draft), "--json").stdout)
    assert (len(found["added"]), len(found["dropped"])) == (14, 3)
    assert cards(hospital) == before

    # Saved, it is taken up without a restart; what can still be answered in time becomes a card.
    service = Running(hospital)
    try:
        service.waits_for("Listening to file")
        file.write_text(with_portal(good))
        service.waits_for(
            "version 2 is in force now. urgency.here_now.phrases: 'portal' added; exclude.phrases: 'raffle' added"
        )
        service.waits_for("The portal was moved to another page")
        assert cards(hospital) == before + 2

        # A typo is refused, and the rules of version 2 go on.
        file.write_text(file.read_text().replace("[urgency.here_now]\n", "[urgency.here_know]\n"))
        service.waits_for("did you mean 'here_now'?")
        heard(hospital, "The portal sings at St. Brigid's")
        service.waits_for("The portal sings")

        # Back.
        assert hospital.call("config", "back", "1").returncode == 0
        assert file.read_text() == good
        service.waits_for("urgency.here_now.phrases: 'portal' taken out")
        heard(hospital, "The portal dances at St. Brigid's", "the soup was cold and awful at St. Brigid's")
        service.waits_for("the soup was cold")
        assert "The portal dances" not in service.heard()
    finally:
        service.ends()
    history = json.loads(hospital.call("config", "history", "--json").stdout)
    assert [(one["version"], bool(one["refused"])) for one in history] == [
        (4, False),
        (3, True),
        (2, False),
        (1, False),
    ]
    assert json.loads(hospital.call("ledger", "--json").stdout)["adds_up"]


@pytest.mark.deep
def test_an_editor_that_shows_what_it_does_first(hospital: Place) -> None:
    editor = hospital.data.parent / "editor.sh"
    editor.write_text('#!/bin/sh\nsed -i "s/phrases = \\["softball/phrases = [\\"raffle\\", "softball/" "$1"\n')
    change = 's/^phrases = \\["softball/phrases = ["raffle", "softball/'
    editor.write_text(f"#!/bin/sh\nsed -i '{change}' \"$1\"\n")
    editor.chmod(0o755)
    hospital.variables["EDITOR"] = str(editor)
    file = hospital.config / "keywords.toml"
    good = file.read_text()
    left = hospital.call("config", "edit", stdin="leave\n")
    assert "exclude.phrases: 'raffle' added" in left.stdout
    assert "3 dropped" in left.stdout
    assert "Nothing was saved; your draft is " in left.stdout
    assert file.read_text() == good
    saved = hospital.call("config", "edit", "keywords", stdin="s\n")
    assert saved.returncode == 0
    assert "Saved." in saved.stdout
    assert file.read_text() == good.replace('["softball', '["raffle", "softball')
    assert "Beside version 1" in (tried := hospital.call("config", "try")).stderr
    assert "3 dropped" in tried.stdout
    editor.write_text("#!/bin/sh\necho 'x = ' >> \"$1\"\n")
    wrong = hospital.call("config", "edit", stdin="save\nleave\n")  # what is wrong cannot be saved
    assert "1 to mend. What now? (edit, leave)" in wrong.stdout
    assert "x = " not in file.read_text()
    editor.write_text('#!/bin/sh\nsed -i "/^.exclude/,\\$d" "$1"\n')
    short = hospital.call("config", "edit", stdin="leave\n")  # the service would take it for half a file
    assert "put a comment under its last line" in short.stderr
    assert "1 to mend" in short.stdout
    editor.write_text("#!/bin/sh\ntrue\n")
    assert "Nothing was changed." in hospital.call("config", "edit", "care").stdout
    assert "there is no cares.toml" in hospital.call("config", "edit", "cares").stderr
