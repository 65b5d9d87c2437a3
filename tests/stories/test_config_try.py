"""An admin sees what changed files would do before they are live."""

import hashlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from stories.conftest import Place

POSTS = (
    "My dad has been in the ER at St. Brigid's for nine hours, the nurse was rude",
    "sitting in the ER at St. Brigid's, my leg is purple and nobody comes",
    "the valet at St. Brigid's was so rude to my mother and scratched my car",
    "a lovely day in Port Alder",
)


@pytest.fixture
def kept(place: Place) -> Place:
    """An installation without the model in which four posts were heard, two days ago, by people who are named."""
    place.edit("keywords.toml", r"^model = true", "model = false")
    file = place.data.parent / "posts.jsonl"
    lines = [
        {"source": "x", "ref": f"{n}", "text": text, "author": f"jo_smith_{n}", "written_at": "2026-11-14T12:00:00Z"}
        for n, text in enumerate(POSTS)
    ]
    file.write_text("\n".join(map(json.dumps, lines)))
    done = place.call("import", str(file))
    assert done.returncode == 0, done.stderr
    done = place.call("tick")
    assert done.returncode == 0, done.stderr
    return place


def changed(place: Place, *files: str) -> Place:
    """A copy of some of the files, to change."""
    folder = place.data.parent / "changed"
    folder.mkdir(exist_ok=True)
    for name in files:
        shutil.copy(place.config / name, folder)
    return Place(folder, place.data, place.warm)


def state(place: Place) -> tuple[str, ...]:
    """The rows of the database, and the files."""
    with sqlite3.connect(place.data / "call-light.db") as database:
        rows = "\n".join(database.iterdump())
    files = [path.read_text() for path in sorted(place.config.glob("*.toml"))]
    return tuple(hashlib.sha256(text.encode()).hexdigest() for text in (rows, *files))


def test_what_a_change_would_do_is_seen_before_it_is_saved_and_nothing_is_written(kept: Place) -> None:
    other = changed(kept, "keywords.toml")
    other.edit("keywords.toml", r'"nobody\|noone comes\|helps", ', "")
    other.edit("keywords.toml", r'^phrases = \["softball league"', 'phrases = ["valet", "softball league"')
    before = state(kept)
    done = kept.call("config", "try", str(other.config), "--since", "3650d")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "Danger: 1 post would no longer be danger."
    assert lines[1].startswith(
        "1 post that was danger holds a phrase that [urgency.danger] lost; the reader does not find"
    )
    assert lines[2].startswith("0 new cards, 1 dropped, 1 less urgent")
    assert "− nobody|noone comes|helps (urgency.danger)" in done.stdout
    assert "+ valet (exclude)" in done.stdout
    assert "DANGER → " in done.stdout
    assert "scratched my car" in done.stdout
    assert "jo_smith" not in done.stdout
    assert state(kept) == before


def test_the_page_and_the_values_for_programs(kept: Place, tmp_path: Path) -> None:
    other = changed(kept, "keywords.toml")
    other.edit("keywords.toml", r'^phrases = \["softball league"', 'phrases = ["valet", "softball league"')
    page = tmp_path / "change.html"
    one_file = str(other.config / "keywords.toml")
    done = kept.call("config", "try", one_file, "--since", "3650d", "--html", str(page), "--json")
    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)
    assert values["changes"] == ["exclude.phrases: 'valet' added"]
    assert [card["why"] for card in values["dropped"]] == [["+ valet (exclude)"]]
    assert (values["cards_before"], values["cards_after"], values["danger_lost"]) == (3, 2, [])
    text = page.read_text()
    assert "scratched my car" in text
    assert "jo_smith" not in text + done.stdout
    assert "https://" not in text


def test_what_is_wrong_in_the_changed_files_is_said_where_it_stands(kept: Place) -> None:
    other = changed(kept, "keywords.toml")
    other.edit("keywords.toml", r"^\[exclude\]", "[exclud]")
    done = kept.call("config", "try", str(other.config))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{other.config / 'keywords.toml'}:")
    assert "did you mean 'exclude'?" in done.stderr
    other = changed(kept, "keywords.toml")
    other.edit("keywords.toml", r"^\[categories.billing\]", "[categories.money]")
    done = kept.call("config", "try", str(other.config))
    assert done.returncode == 1
    assert f"{kept.config / 'care.toml'}:" in done.stderr, "care.toml names it, and that is where it stands"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        ("none", "name the folder with the changed files"),
        ("same", "Nothing was changed"),
        ("comment", "Nothing would differ: only comments"),
        ("empty", "holds none of the five files: hospital.toml"),
        ("other", "is none of the five files"),
        ("missing", "no such folder"),
    ],
)
def test_where_there_is_nothing_to_replay(place: Place, make: str, sentence: str) -> None:
    other = changed(place, *(["care.toml"] if make in ("same", "comment") else []))
    if make == "comment":
        (other.config / "care.toml").write_text("# a note\n" + (other.config / "care.toml").read_text())
    if make == "other":
        (other.config / "notes.toml").write_text("")
    path = {"other": other.config / "notes.toml", "missing": other.config / "nowhere"}.get(make, other.config)
    done = place.call("config", "try", *([] if make == "none" else [str(path)]))
    assert sentence in done.stdout + done.stderr
    assert done.returncode == (0 if make in ("same", "comment") else 1)
    assert "Traceback" not in done.stderr


def test_the_files_in_use_beside_those_of_another_folder(kept: Place) -> None:
    """What was saved already, beside a copy from before."""
    old = changed(kept, "hospital.toml", "listening.toml", "keywords.toml", "care.toml", "report.toml")
    kept.edit("keywords.toml", r'^phrases = \["softball league"', 'phrases = ["valet", "softball league"')
    done = kept.call("config", "try", "--against", str(old.config), "--since", "3650d")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("0 new cards, 1 dropped")
