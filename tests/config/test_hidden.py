"""No secret may stand in a config file, and none is repeated by who finds it."""

from pathlib import Path

import pytest
from conftest import PROJECT
from sqlmodel import Session

from config.hidden import secrets_in, without_secrets
from config.load import NAMES, ConfigError, load
from listener import versions
from listener.collect import settings_of_all

LONG = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6"
SECRETS = [
    f"xoxb-123456789012-{LONG}",
    f"xoxp-{LONG}",
    f"xapp-1-A0123-456-{LONG}",
    f"https://hooks.slack.com/services/T000/B000/{LONG}",
    f"whsec_{LONG}==",
    f"Bearer {LONG}",
    f"AAAAAAAAAAAAAAAAAAAAAMLhe{LONG}%3D{LONG}",
    f"ya29.{LONG}",
    f"1//0{LONG}",
    f"GOCSPX-{LONG}",
    f"AIza{LONG}{LONG}",
    f"AGE-SECRET-KEY-1{LONG.upper()}",
    "-----BEGIN OPENSSH PRIVATE KEY-----",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_secret(secret: str) -> None:
    text = f"[care]\n# once it was {secret}, no more"
    assert list(secrets_in(text)) == [(2, 15)]
    assert secret not in without_secrets(text)


@pytest.mark.parametrize(
    "text",
    [
        "the xoxb token stands in .env",
        'phrases = ["standard bearer of hope"]',
        "xapp-…",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAH it hurts",
        'url = "https://news.example/feed?key=12"',
        "<!subteam^S0123ABCD>",
        *((PROJECT / "config" / name).read_text(encoding="utf-8") for name in NAMES),
    ],
)
def test_what_is_none(text: str) -> None:
    assert list(secrets_in(text)) == []
    assert without_secrets(text) == text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name).write_bytes((PROJECT / "config" / name).read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    "line", ['\n[slack.more]\ntoken = "{}"\n', "\n# {}\n", '\n[broken\nx = "{}"\n', '\n[hospital]\nnames = "{}"\n']
)
def test_a_file_with_a_secret_is_refused_without_repeating_it(folder: Path, line: str) -> None:
    path, secret = folder / "care.toml", f"xoxb-123-{LONG}"
    path.write_text(path.read_text(encoding="utf-8") + line.format(secret), encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        load(folder, settings_of_all())
    assert "secrets stand in the environment or in .env" in str(told.value)
    assert LONG not in str(told.value)


def test_no_version_keeps_a_secret(session: Session, now: object) -> None:
    """One that was refused is kept too, so that people see what was wrong with it."""
    texts = {"care.toml": f'token = "xoxb-123-{LONG}"'}
    version = versions.write_down(session, texts, "ana", now, "refused")  # type: ignore[arg-type]
    assert version.texts == {"care.toml": 'token = "…"'}
    assert versions.write_down(session, texts, "ana", now, "refused").number == version.number  # type: ignore[arg-type]
