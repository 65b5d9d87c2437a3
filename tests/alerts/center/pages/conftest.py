"""A center with three people: two of the care team, and one who only looks."""

from pathlib import Path

import pytest
from conftest import NOW
from fakes.center import FAR, House, signed_in
from sqlalchemy import Engine
from starlette.testclient import TestClient

from config.schema import Config

PEOPLE = {
    "ana": {"role": "care", "name": "Ana Ruiz", "slack": "U0ANA1"},
    "ben": {"role": "care", "name": "Ben Ode"},
    "vera": {"role": "viewer"},
}


@pytest.fixture
def house(config: Config, engine: Engine, tmp_path: Path) -> House:
    house = House(config, engine, tmp_path, NOW)
    house.set(address=FAR, people=PEOPLE)
    return house


@pytest.fixture
def ana(house: House) -> TestClient:
    return signed_in(house, "ana")


@pytest.fixture
def ben(house: House) -> TestClient:
    return signed_in(house, "ben")


@pytest.fixture
def vera(house: House) -> TestClient:
    return signed_in(house, "vera")
