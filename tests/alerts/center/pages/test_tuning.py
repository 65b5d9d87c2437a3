"""Tuning in a browser: who may see and try what, mistakes at their line, and nothing that somebody typed is lost."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import visit
from conftest import NOW, PROJECT
from sqlalchemy import Engine
from starlette.testclient import TestClient

from alerts.center import rehearsals
from alerts.center.room import Room
from alerts.known import config_of
from config.files import digest
from config.load import NAMES
from listener import versions
from listener.database import reading
from listener.errors import NeedsPerson

TEXTS = {name: (PROJECT / "config" / name).read_text() for name in NAMES}
TEXTS["keywords.toml"] = TEXTS["keywords.toml"].replace("model = true", "model = false")
PEOPLE = {f"the {name}": {"role": name, "name": name.title()} for name in ("viewer", "care", "admin")}
CHANGED = TEXTS["keywords.toml"].replace('"fish fry"', '"fish fry", "circling"')
CONFIG = visit.seated(config_of(TEXTS, Path("config"), replies=False), **PEOPLE)


@pytest.fixture
def room(desk: Any, engine: Engine, tmp_path: Path) -> Iterator[Room]:
    for name, text in TEXTS.items():
        (tmp_path / name).write_text(text)
    desk.alert("circling the garage for an hour at St. Brigid's <b>again</b>", categories=[])
    yield visit.room(engine, CONFIG, tmp_path, files=tmp_path)
    visit.ended("rehearsal")


@pytest.fixture
def client(room: Room) -> TestClient:
    """An admin at the machine itself."""
    return visit.visit(room)


def send(client: TestClient, **texts: str) -> Any:
    """Files as a browser sends them, with the line ends of a browser."""
    page = client.get("/tuning").text
    typed = {f"{name}.toml": text.replace("\n", "\r\n") for name, text in texts.items()}
    asked = {"csrf": visit.csrf(page), "shown": page.partition('name="shown" value="')[2][:16], "since": "7", **typed}
    page = client.post("/tuning/try", data=asked)
    visit.ended("rehearsal")
    return client.get("/tuning/try") if "It is being tried" in page.text else page


def typed(page: Any, name: str) -> str:
    """What stands in the text area of a file."""
    from html import unescape

    return unescape(page.text.partition(f'name="{name}" rows')[2].partition(">\n")[2].partition("</textarea>")[0])


@pytest.mark.parametrize("role", ["viewer", "care", "admin"])
def test_everybody_sees_what_is_in_force_and_only_admins_the_files(room: Room, engine: Engine, role: str) -> None:
    with reading(engine) as session:
        versions.write_down(session, TEXTS, "ana", NOW)
        versions.write_down(session, {**TEXTS, "keywords.toml": CHANGED}, "<i>bo</i>", NOW)
        versions.write_down(session, {**TEXTS, "care.toml": "x"}, "cy", NOW, "care.toml:1:1: x: found <b>nothing</b>")
    page = visit.visit(room, visit.token(room, f"the {role}"), address="10.0.0.9").get("/tuning").text
    assert "Version 2 of the config files" in page
    assert ("exclude.phrases: &#39;circling&#39; added" in page) == (role != "viewer"), (
        "it may name people and addresses"
    )
    assert ("found &lt;b&gt;nothing&lt;/b&gt;" in page) == (role != "viewer")
    assert "&lt;i&gt;bo" in page
    assert '<li dir="auto">softball league</li>' in page
    assert ("<textarea" in page, "[urgency.danger]" in page) == (role == "admin", role == "admin")


@pytest.mark.parametrize("role", ["viewer", "care"])
@pytest.mark.parametrize("path", ["try", "stop", "save"])
def test_others_may_not_try(room: Room, role: str, path: str) -> None:
    theirs = visit.visit(room, visit.cookie(room, f"the {role}"), address="10.0.0.9")
    found = theirs.post(f"/tuning/{path}", data={"csrf": visit.csrf(theirs.get("/tuning").text)})
    assert (found.status_code, "admin" in found.text) == (403, True)
    assert {theirs.get(f"/tuning/try{rest}").status_code for rest in ("", "/keywords.toml")} == {403}


def test_a_form_of_another_site_begins_nothing(client: TestClient) -> None:
    assert client.post("/tuning/try", data={"keywords.toml": CHANGED}).status_code == 403
    assert client.post("/tuning/try", data={"csrf": "x", "keywords.toml": CHANGED}).status_code == 403


def test_files_are_shown_as_they_are(client: TestClient) -> None:
    page = client.get("/tuning")
    assert {name: typed(page, name) for name in NAMES} == TEXTS
    assert f'value="{digest(TEXTS)}"' in page.text


def test_where_no_file_is_known(desk: Any, engine: Engine, tmp_path: Path) -> None:
    page = visit.visit(visit.room(engine, CONFIG, tmp_path)).get("/tuning").text
    assert ("<textarea" in page, "The files are not known here yet" in page) == (False, True)


@pytest.mark.slow
def test_what_it_would_do_and_saving_it(client: TestClient, room: Room, engine: Engine) -> None:
    page = send(client, keywords=CHANGED)
    assert "exclude.phrases: &#39;circling&#39; added" in page.text
    assert "St. Brigid&#39;s &lt;b&gt;again" in page.text
    assert page.text.index("Dropped cards") < page.text.index("And now?")
    assert client.get("/tuning/try/keywords.toml").text == CHANGED
    assert "Dropped cards" in client.get("/tuning/try/rehearsal.html").text
    assert client.get("/tuning/try/..%2Fsecret").status_code == 404
    assert typed(client.get("/tuning?draft=yes"), "keywords.toml") == CHANGED
    token, tried = visit.csrf(page.text), page.text.partition('name="tried" value="')[2][:16]
    assert client.post("/tuning/save", data={"csrf": token, "tried": "other"}).status_code == 409
    saved = client.post("/tuning/save", data={"csrf": token, "tried": tried})
    assert "Saved. The service takes it up" in saved.text
    assert room.files is not None
    assert (room.files / "keywords.toml").read_text() == CHANGED
    with reading(engine) as session:
        newest = versions.newest(session)
    assert newest is not None
    assert (newest.trouble, newest.texts["keywords.toml"]) == (versions.SAVED, CHANGED)


@pytest.mark.parametrize(
    ("file", "old", "new", "saved"),
    [
        ("listening.toml", "[collectors.x]", '[collectors.x]\nbase_url = "https://evil.example"', False),
        ("listening.toml", "[collectors.bluesky]", '[collectors.bluesky]\nservice = "https://evil.example"', False),
        ("care.toml", "\n[slack]", '\n[slack]\nbase_url = "https://evil.example"', False),
        ("care.toml", "\n[slack]", '\n# base_url = "https://evil.example"\n[slack]', True),
    ],
)
def test_no_page_says_to_whom_tokens_are_shown(
    room: Room, engine: Engine, file: str, old: str, new: str, saved: bool
) -> None:
    """Who is an admin of the pages would have every token of the service otherwise."""
    texts = TEXTS | {file: TEXTS[file].replace(old, new, 1)}
    assert texts != TEXTS
    task = SimpleNamespace(result=rehearsals.Outcome())
    attempt = rehearsals.Attempt("boss", NOW, texts, TEXTS, NOW, task)  # type: ignore[arg-type]
    assert room.files is not None
    with contextlib.nullcontext() if saved else pytest.raises(NeedsPerson, match="say to whom tokens are shown"):
        rehearsals.save(engine, room.files, attempt, "boss", NOW)
    assert ("evil.example" in (room.files / file).read_text()) == saved


@pytest.mark.slow
def test_mistakes_at_their_line_and_the_text_as_it_was_typed(client: TestClient) -> None:
    wrong = "# <script>alert(1)</script>\n" + CHANGED.replace("[exclude]", "[exclde]")
    page = send(client, keywords=wrong)
    line = wrong.split("[exclde]")[0].count("\n") + 1
    assert (page.status_code, f"keywords.toml, line {line}" in page.text) == (422, True)
    assert "[exclde]</code>" in page.text
    assert typed(page, "keywords.toml") == wrong
    assert "<script>alert" not in page.text


@pytest.mark.slow
def test_no_table_is_longer_than_people_read(client: TestClient, desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from alerts.center.pages import tuning

    desk.alert("circling the garage for two hours at St. Brigid's", categories=[])
    monkeypatch.setattr(tuning, "_ROWS", 1)
    page = send(client, keywords=CHANGED).text
    assert ("(the first 1 of 2)" in page, "--all" in page) == (True, False)


def test_somebody_else_saved_meanwhile(client: TestClient, room: Room) -> None:
    page = client.get("/tuning").text
    assert room.files is not None
    (room.files / "report.toml").write_text(TEXTS["report.toml"] + "\n# theirs\n")
    asked = {"csrf": visit.csrf(page), "shown": digest(TEXTS), "keywords.toml": CHANGED}
    found = client.post("/tuning/try", data=asked)
    assert (found.status_code, "Somebody else has saved the files" in found.text) == (422, True)
    assert typed(found, "keywords.toml") == CHANGED


def test_how_far_it_is_and_stopping_it(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, begun = threading.Event(), threading.Event()

    def slow(room: Any, texts: Any, was: Any, since: Any, now: Any, progress: Any) -> Any:
        progress(1200, 5000)
        begun.set()
        go_on.wait(30)
        progress(1300, 5000)

    from alerts.center.pages import tuning

    monkeypatch.setattr(rehearsals, "_tried", slow)
    monkeypatch.setattr(tuning, "_AT_ONCE", 0)
    page = client.get("/tuning").text
    asked = {"csrf": visit.csrf(page), "shown": digest(TEXTS), "keywords.toml": CHANGED}
    client.post("/tuning/try", data=asked)
    assert begun.wait(30)
    page = client.get("/tuning/try")
    assert ("1,200 of 5,000 posts" in page.text, page.headers["refresh"]) == (True, "2")
    other = client.post("/tuning/try", data=asked)
    assert "is trying something already" in other.text
    assert typed(other, "keywords.toml") == CHANGED
    client.post("/tuning/stop", data={"csrf": asked["csrf"]})
    go_on.set()
    visit.ended("rehearsal")
    page = client.get("/tuning/try")
    assert ("It was stopped." in page.text, "refresh" in page.headers) == (True, False)
    assert typed(page, "keywords.toml") == CHANGED


def test_what_is_not_kept_any_longer(client: TestClient) -> None:
    page = client.get("/tuning/try")
    assert (page.url.path, "not kept any longer" in page.text) == ("/tuning", True)
    assert client.get("/tuning/try/keywords.toml").status_code == 404
    assert client.post("/tuning/save", data={"csrf": visit.csrf(page.text)}).status_code == 409
