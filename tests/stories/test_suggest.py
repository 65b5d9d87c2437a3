"""The team says "not for us" and corrects topics; the admin asks what the files could say better, and has two lines written."""

import json
import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import PROJECT
from rich.console import Console as Terminal
from sqlalchemy import Engine
from sqlmodel import Session, col, select
from stories.conftest import Place

from alerts.act import act
from alerts.case import Case
from alerts.console import Console
from alerts.known import load_config
from alerts.proposals import watch
from config.schema import Config
from listener.post import Page, Post
from listener.service import Service

GALA = "i hate my new shirt for the harbor dragon boat gala at St. Brigid's, terrible, nobody told me it is pink"
GALA_AGAIN = "awful, nobody told me where St. Brigid's table at the Harbor Dragon Boat Gala is"
TRAM = "The tram stop was moved and nobody told my mother, terrible, St. Brigid's"
TRAM_AGAIN = "nobody told us where the tram stop is now, awful. my dad walked a mile to St. Brigid's"
SAFE = "nobody told us about the delay at St. Brigid's, terrible"


@dataclass
class Desk:
    """An installation in which posts go through every stage, and a team that presses buttons."""

    config: Config
    engine: Engine

    def hears(self, *texts: str) -> None:
        now = datetime.now(UTC)
        door = Console(self.config.care.slack.channels, Terminal(quiet=True))
        service = Service(self.config, self.engine, door, {}, lambda: now)
        posts = [
            Post(source="x", ref=text[:40], text=text, written_at=now - timedelta(minutes=at), author=f"author{at}")
            for at, text in enumerate(texts, 1)
        ]
        list(service.bring_in("file", [Page(tuple(posts), {})]))
        service.flow(clocks=False)

    def case_of(self, text: str) -> int:
        from listener.mention import Mention

        with Session(self.engine) as session:
            found = select(Case.id).where(Case.mention_id == Mention.id, col(Mention.text) == text)
            return session.exec(found).one() or 0

    def presses(self, name: str, text: str, **answers: object) -> None:
        with Session(self.engine) as session:
            act(session, self.config, name, self.case_of(text), "ana", datetime.now(UTC), answers)
            while watch(session, self.config, datetime.now(UTC)):
                pass


def suggested(place: Place) -> list[dict[str, object]]:
    done = place.call("config", "suggest", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["suggestions"]  # type: ignore[no-any-return]


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")


@pytest.fixture
def desk(place: Place, engine: Engine) -> Desk:
    place.edit("keywords.toml", "^model = true$", "model = false")
    desk = Desk(load_config(place.config, replies=False), engine)
    desk.hears(GALA, GALA_AGAIN, TRAM, TRAM_AGAIN, SAFE)
    for text in (GALA, GALA_AGAIN):
        desk.presses("not_for_us", text, reason="joke")
    for text in (TRAM, TRAM_AGAIN):
        desk.presses("change", text, urgency="routine", topics=["parking"], why="it is about getting here")
    return desk


@pytest.mark.slow
def test_what_people_did_becomes_two_lines_and_nothing_else(place: Place, desk: Desk) -> None:
    shown = place.call("config", "suggest")
    assert shown.returncode == 0, shown.stderr
    assert (
        'Add "tram stop" to the topic "Parking and getting here" ([categories.parking] in keywords.toml)'
        in shown.stdout
    )
    assert 'dd "dragon boat gala" to what is left out ([exclude] in keywords.toml)' in shown.stdout
    first, second = sorted((desk.case_of(TRAM), desk.case_of(TRAM_AGAIN)))
    assert f"Why: cases {first} and {second} were moved into it and say it." in shown.stdout
    assert "not for us (joke)" in shown.stdout
    assert "2 posts of the last 30 days hold it" in shown.stdout
    assert shown.stdout == place.call("config", "suggest").stdout, "a number means the same each time"

    before = {path.name: lines_of(path) for path in place.config.glob("*.toml")}
    rows = {str(one["phrase"]): one for one in suggested(place)}
    assert set(rows) == {"tram stop", "dragon boat gala"}
    done = place.call("config", "suggest", "--apply", str(rows["tram stop"]["number"]))
    assert done.returncode == 0, done.stderr
    place_of_it = re.search(r"keywords\.toml:(\d+): added \"tram stop\"", done.stdout)
    assert place_of_it, done.stdout
    assert "To undo it" in done.stdout
    after = lines_of(place.config / "keywords.toml")
    at = int(place_of_it[1]) - 1
    assert after[at] == f'    "tram stop",  # suggested by cases {first}, {second}'.encode()
    assert after[:at] + after[at + 1 :] == before["keywords.toml"], "no other byte"
    assert [one["phrase"] for one in suggested(place)] == ["dragon boat gala"], "once is enough"

    assert place.call("config", "suggest", "--apply", "all").returncode == 0
    read = tomllib.loads((place.config / "keywords.toml").read_text(encoding="utf-8"))
    assert read["exclude"]["phrases"][-1] == "dragon boat gala"
    assert len(lines_of(place.config / "keywords.toml")) == len(after)
    assert {path.name: lines_of(path) for path in place.config.glob("*.toml") if path.name != "keywords.toml"} == {
        name: lines for name, lines in before.items() if name != "keywords.toml"
    }
    assert place.call("config", "check").returncode == 0
    assert suggested(place) == []
    empty = place.call("config", "suggest")
    assert "Nothing to suggest" in empty.stdout


@pytest.mark.slow
def test_what_cannot_be_applied_is_one_sentence_and_nothing_is_written(place: Place, desk: Desk) -> None:
    before = {path.name: path.read_bytes() for path in place.config.glob("*.toml")}
    for arguments, says in (
        (("--apply", "7"), "no suggestion '7'; there are 1 to 2"),
        (("--apply", "gala"), "no suggestion 'gala'"),
        (("3",), "goes with --apply"),
        (("--since", "soon"), "--since"),
        (("--missed", "nowhere.txt"), "cannot read nowhere.txt"),
    ):
        done = place.call("config", "suggest", *arguments)
        assert done.returncode in (1, 2), arguments
        assert says in done.stderr
        assert "Traceback" not in done.stderr
    place.edit("keywords.toml", r"^\[categories.food\]$", "[categories.food")
    broken = place.call("config", "suggest", "--apply", "1")
    assert broken.returncode == 1
    assert "keywords.toml:" in broken.stderr
    for name, content in before.items():
        if name != "keywords.toml":
            assert (place.config / name).read_bytes() == content


@pytest.mark.slow
def test_files_as_windows_saves_them_and_a_link_are_changed_as_they_are(
    place: Place, desk: Desk, tmp_path: Path
) -> None:
    path = place.config / "keywords.toml"
    crlf = b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n")
    real = tmp_path / "elsewhere.toml"
    real.write_bytes(crlf)
    path.unlink()
    path.symlink_to(real)
    done = place.call("config", "suggest", "--apply", "1", "2")
    assert done.returncode == 0, done.stderr
    new = real.read_bytes()
    assert path.is_symlink()
    assert new.startswith(b"\xef\xbb\xbf")
    assert new.count(b"\n") == new.count(b"\r\n") == crlf.count(b"\n") + 1
    assert place.call("config", "check").returncode == 0


@pytest.mark.deep
def test_missed_posts_say_why_and_are_not_kept(place: Place, desk: Desk, tmp_path: Path) -> None:
    missed = tmp_path / "missed.txt"
    lines = [
        "my dad waited nine hours at St Bridgets and nobody came",
        json.dumps({"text": "St. Brigid's horoscope app made me wait, my bill is wrong"}),
        json.dumps({"text": "the gluten tray at St. Brigid's was cold, terrible", "category": "privacy"}),
        "my bill at St. Brigid's is wrong, terrible",
    ]
    missed.write_text("\n".join(lines), encoding="utf-8")
    done = place.call("config", "suggest", "--missed", str(missed), "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    whys = [one["why"] for one in said["missed"]]
    assert whys[0] == 'it calls us "St Bridgets", which is none of the names in hospital.toml'
    assert whys[1] == 'it names us, but "horoscope" under [exclude] speaks against it'
    assert whys[2] == 'it was not read as "Privacy"'
    assert whys[3].startswith("today it would be a card in #")
    by_phrase = {one["phrase"]: one for one in said["suggestions"]}
    assert (by_phrase["St Bridgets"]["file"], by_phrase["St Bridgets"]["do"]) == ("hospital.toml", "add")
    assert by_phrase["horoscope"]["do"] == "take out"
    done = place.call("config", "suggest", "--missed", str(missed), "--apply", str(by_phrase["St Bridgets"]["number"]))
    assert done.returncode == 0, done.stderr
    assert '"St Bridgets",' in (place.config / "hospital.toml").read_text(encoding="utf-8")
    # What an example needs is not taken out: the check of the result says so.
    place.edit("keywords.toml", r"^\[voices.promo\]$", '[voices.promo]\nmatch = ["RSVP by noon"]')
    missed.write_text("RSVP: dinner at St. Brigid's", encoding="utf-8")
    refused = place.call("config", "suggest", "--missed", str(missed), "--apply", "all")
    assert refused.returncode == 1
    assert "voices.promo.match[0]: found 'RSVP by noon'" in refused.stderr
    assert "Nothing was written." in refused.stderr
    assert '"rsvp"' in (place.config / "keywords.toml").read_text(encoding="utf-8")
    kept = b"".join(path.read_bytes() for path in place.data.iterdir() if path.is_file())
    assert b"Bridgets" not in kept
    assert (PROJECT / "config" / "hospital.toml").read_bytes().count(b"\n") + 1 == (
        place.config / "hospital.toml"
    ).read_bytes().count(b"\n")
