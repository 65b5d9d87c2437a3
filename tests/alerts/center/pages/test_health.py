from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import visit
from conftest import NOW
from sqlalchemy import Engine

from config.schema import Config
from listener.watch import Alarm, Gap, Watch


def test_what_is_wrong_comes_first(desk: Any, engine: Engine, config: Config, tmp_path: Path) -> None:
    desk.session.add(Alarm(collector="x", kind="failing", why="x failed <b>3</b> times", raised_at=NOW))
    desk.session.add(Gap(collector="x", since=NOW, until=NOW, why="older than <i>7 days</i>", found_at=NOW))
    desk.session.commit()
    client = visit.visit(visit.room(engine, config, tmp_path, flowed_at=lambda: None))
    page = client.get("/health")
    assert page.status_code == 200
    main = page.text.partition("<main")[2]
    assert "x failed &lt;b&gt;3&lt;/b&gt; times" in main.partition("Where it listens")[0]
    assert "older than &lt;i&gt;7 days&lt;/i&gt;" in main
    part = client.get("/health/part").text
    assert part.partition("MB are free")[0].rpartition("<dd>")[0] in page.text  # others write on the disk meanwhile


@pytest.mark.parametrize(
    ("kind", "asked", "said"),
    [
        (None, NOW, "✓</span> works"),
        (None, NOW - timedelta(days=1), "▲</span> is not asked"),
        ("budget of the day used up", NOW, "▲</span> budget used up"),
        ("silent", NOW, "▲</span> quiet for too long"),
        (None, None, "<td>not asked yet"),
    ],
)
def test_no_collector_works_that_hears_nothing(
    desk: Any, engine: Engine, config: Config, tmp_path: Path, kind: str | None, asked: datetime | None, said: str
) -> None:
    on = {name: settings.model_copy(update={"on": name == "rss"}) for name, settings in config.collectors.items()}
    desk.session.add(Watch(name="rss", asked_at=asked))
    if kind:
        desk.session.add(Alarm(collector="rss", kind=kind, why="rss", raised_at=NOW))
    desk.session.commit()
    room = visit.room(engine, config.model_copy(update={"collectors": on}), tmp_path)
    assert said in visit.visit(room).get("/health").text


def test_all_is_well_is_said(engine: Engine, config: Config, tmp_path: Path) -> None:
    fine = {name: settings.model_copy(update={"on": name == "rss"}) for name, settings in config.collectors.items()}
    room = visit.room(engine, config.model_copy(update={"collectors": fine}), tmp_path)
    assert "Everything works." in visit.visit(room).get("/health").text


def test_an_open_page_is_told_the_time_and_nothing_else(engine: Engine, config: Config, tmp_path: Path) -> None:
    from alerts.center.pages import health

    assert list(health.news(None)) == []  # type: ignore[arg-type]  # it looks at nothing


def test_a_scraper_shows_its_token(desk: Any, engine: Engine, config: Config, tmp_path: Path) -> None:
    desk.alert("he collapsed", urgency="danger")
    seated = visit.seated(config, prometheus={"role": "viewer"})
    room = visit.room(engine, seated, tmp_path)
    away = visit.visit(room, {"accept": "text/plain"}, address="10.0.0.9")
    assert away.get("/metrics").status_code == 401
    found = away.get("/metrics", headers=visit.token(room, "prometheus"))
    assert (found.status_code, found.headers["content-type"][:25]) == (200, "text/plain; version=0.0.4")
    assert 'call_light_cases_waiting{urgency="danger"} 1.0' in found.text
    assert visit.visit(room).get("/metrics").text.count("# HELP") == found.text.count("# HELP")


@pytest.mark.parametrize("path", ["/health", "/health/part"])
def test_nobody_else_sees_it(engine: Engine, config: Config, tmp_path: Path, path: str) -> None:
    away = visit.visit(visit.room(engine, config, tmp_path), {"accept": "text/plain"}, address="10.0.0.9")
    assert away.get(path).status_code == 401
