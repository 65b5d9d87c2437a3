"""What a place answers may be wrong in any way: the rest is heard, people read one sentence, and nobody stays deaf."""

import importlib
import json
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from desk import Clock
from fakes.place import Place
from fakes.server import Answer, Request
from fuzz.odd import chances, changed, examples, garbled, watched
from hypothesis import given
from sqlalchemy import Engine
from sqlmodel import Session, select

from alerts.console import Console
from config.schema import Config
from listener.collect import known_collectors
from listener.database import open_database
from listener.mention import Mention
from listener.service import Service

MINUTE = timedelta(minutes=1)
# The others have tests of their own for what arrives: a stream, a folder of files, a form.
ASKED = ("bluesky", "google_reviews", "mastodon", "reddit", "rss", "x", "x_mentions")


@contextmanager
def hearing(
    name: str, config: Config, empty: Path, folder: Path
) -> Iterator[tuple[Place, Clock, Engine, Callable[[], Any]]]:
    """A place, a database, and one pass of its collector."""
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    shutil.copy(empty, data)
    clock, engine = Clock(), open_database(data)
    with importlib.import_module(f"fakes.{name}").place(clock, folder) as place:
        settings = known_collectors()[name].Settings(**{"on": True, **place.settings})
        only = config.model_copy(update={"collectors": {name: settings}})
        service = Service(only, engine, Console({}), place.secrets, clock.now)

        def hear() -> Any:
            with watched():
                passed = service.collect(name)
            clock.at += 20 * MINUTE
            return passed

        yield place, clock, engine, hear
        place.heal()
    engine.dispose()


def breaks(place: Place, chance: random.Random, marks: list[str], gone: set[str]) -> Callable[[], None]:
    """Some answers of the place are wrong from now on, until what this gives is called. `gone`: those of the
    `marks` that are no more in an answer."""
    server: Any = place.server
    right: Callable[[Request], Answer] = server.answer

    def wrong(request: Request) -> Answer:
        answer = right(request)
        if chance.random() < 0.3:
            return answer
        if isinstance(answer.body, str):
            body = garbled(answer.body.encode(), chance).decode("utf-8", "replace")
        else:
            body = changed(answer.body, chance)
            body = json.dumps(body) if isinstance(body, str) else body
        gone.update(mark for mark in marks if mark in str(answer.body) and mark not in str(body))
        return replace(answer, body=body)

    server.answer = wrong
    return lambda: setattr(server, "answer", right)


def kept(engine: Engine) -> dict[str, str]:
    with Session(engine) as session:
        return {mention.ref: mention.text for mention in session.exec(select(Mention))}


@pytest.mark.slow
@pytest.mark.parametrize("name", ASKED)
def test_whatever_a_place_answers_nobody_stays_deaf(
    name: str, config: Config, empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prawcore.sessions.FiniteRetryStrategy._sleep_seconds", lambda self: None)

    @examples(6)
    @given(chances)
    def heard(chance: random.Random) -> None:
        with hearing(name, config, empty_database, tmp_path) as (place, clock, engine, hear):
            marks = [f"number {n} of four" for n in range(4)]
            for mark in marks:
                place.post(f"Four hours in the ER at St. Brigid's, {mark}", clock.at - MINUTE, mark[7])
            gone: set[str] = set()
            heal, skipped = breaks(place, chance, marks, gone), 0
            for _ in range(2):
                passed = hear()
                skipped += passed.skipped
                assert all(said.startswith(f"{name}: ") and "\n" not in said for said in passed.trouble)
            heal()
            later = place.post("Nobody comes at St. Brigid's", clock.at - MINUTE, "late")
            for _ in range(3):
                passed = hear()
            assert passed.trouble == []
            assert later in kept(engine), "deaf since a wrong answer"
            lost = [mark for mark in marks if mark not in gone and mark not in str(kept(engine).values())]
            assert len(lost) <= skipped, "lost by a wrong answer, and nobody is told"

    heard()
