from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import visit
from conftest import NOW
from sqlalchemy import Engine
from sqlmodel import create_engine

from config.schema import Config

STRANGER = {"host": "10.1.2.3:8765", "accept": "*/*"}  # who watches over it asks by any name


@pytest.mark.parametrize(
    ("flowed_at", "status", "said"),
    [
        (NOW - timedelta(seconds=59), 200, "It works."),
        (NOW - timedelta(seconds=61), 503, "has not come round since 2026-11-16 14:58:59 UTC"),
        (None, 503, "has not come round yet"),
    ],
)
def test_ready(engine: Engine, config: Config, tmp_path: Path, flowed_at: Any, status: int, said: str) -> None:
    room = visit.room(engine, config, tmp_path, flowed_at=lambda: flowed_at)
    found = visit.visit(room, address="10.0.0.9").get("/readyz", headers=STRANGER)
    assert (found.status_code, said in found.text) == (status, True)


def test_alive_though_nothing_else_is(config: Config, tmp_path: Path) -> None:
    away = create_engine(f"sqlite:////{tmp_path}/no/such/folder/call-light.db")
    room = visit.room(away, config, tmp_path, flowed_at=lambda: NOW)
    client = visit.visit(room, address="10.0.0.9")
    assert client.get("/healthz", headers=STRANGER).status_code == 200
    found = client.get("/readyz", headers=STRANGER)
    assert (found.status_code, found.text) == (503, "The database does not answer.\n")
