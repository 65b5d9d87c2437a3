"""Somebody is given a token, and comes in with it; others are told what to do."""

import pytest
from stories.conftest import Place

SECRET = "a secret of more than twenty characters"
SEATS = '[center.people]\nAna = { role = "care" }\nwall = { role = "viewer", stay = "90d", token = 2 }\n'


@pytest.fixture
def team(place: Place) -> Place:
    place.edit("care.toml", r"^\[targets\]$", f"{SEATS}[targets]")
    place.variables["CALL_LIGHT_WEB_TOKEN"] = SECRET
    return place


def test_a_token_is_printed_and_nothing_else(team: Place) -> None:
    done = team.call("token", "Ana")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.split()) == 1
    assert team.call("token", "ANA").stdout == done.stdout, "as it is written in care.toml, however it is typed"
    assert team.call("token", "wall").stdout != done.stdout
    assert SECRET not in done.stdout
    assert not team.data.exists(), "nothing is kept"


@pytest.mark.parametrize(
    ("name", "secret", "says"),
    [
        ("eve", SECRET, '(there are Ana, wall); add "eve" = { role = "care" }'),
        ("Ana", "", "openssl rand -base64 32"),
        ("Ana", "short", "shorter than 20 characters"),
    ],
)
def test_what_to_do_instead(team: Place, name: str, secret: str, says: str) -> None:
    team.variables["CALL_LIGHT_WEB_TOKEN"] = secret
    done = team.call("token", name)
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
