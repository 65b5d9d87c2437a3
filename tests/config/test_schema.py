"""What the tables of the five files take."""

import tomllib
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import PROJECT
from pydantic import TypeAdapter, ValidationError

from config.schema import (
    Accounts,
    Care,
    Center,
    CollectorSettings,
    Config,
    Coverage,
    Hook,
    Hospital,
    Hours,
    Listen,
    Report,
    Seat,
    Slack,
    Zone,
    parse_duration,
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("60s", timedelta(seconds=60)),
        ("5m", timedelta(minutes=5)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        (" 7 d ", timedelta(days=7)),
        ("3650d", timedelta(days=3650)),
        ("1s", timedelta(seconds=1)),
        (timedelta(minutes=3), timedelta(minutes=3)),
    ],
)
def test_durations(written: Any, meant: timedelta) -> None:
    assert parse_duration(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "",
        "5",
        "m",
        "5 minutes",
        "5M",
        "0s",
        "05m",
        "-5m",
        "1.5h",
        "5m5s",
        "3651d",
        "999999h",
        "٥m",
        5,
        5.0,
        True,
        None,
        [],
    ],
)
def test_what_is_no_duration(written: Any) -> None:
    with pytest.raises(ValueError, match=r"a number and one of s, m, h, d|at most"):
        parse_duration(written)


@pytest.mark.parametrize(
    ("written", "spans"),
    [
        ("", ()),
        (" ", ()),
        ("00:00-24:00", ((0, 1440),)),
        ("08:00-20:00", ((480, 1200),)),
        ("08:00-12:30, 13:00-20:00", ((480, 750), (780, 1200))),
        ("22:00-06:00", ((1320, 1800),)),
        ("22:00-24:00", ((1320, 1440),)),
        ("23:59-00:00", ((1439, 1440),)),
        ("00:00-00:00", ((0, 1440),)),
    ],
)
def test_hours(written: str, spans: tuple[tuple[int, int], ...]) -> None:
    assert TypeAdapter(Hours).validate_python(written) == spans


@pytest.mark.parametrize(
    "written",
    [
        "8-20",
        "8:00-20:00",
        "08:00",
        "08:00-25:00",
        "24:00-24:00",
        "08:60-20:00",
        "08:00 - 20:00",
        "closed",
        8,
        True,
        ["08:00-20:00"],
    ],
)
def test_what_are_no_hours(written: Any) -> None:
    with pytest.raises(ValidationError, match="08:00-20:00"):
        TypeAdapter(Hours).validate_python(written)


def test_without_a_word_somebody_is_always_there() -> None:
    assert set(Coverage().model_dump().values()) == {((0, 1440),)}


@pytest.mark.parametrize("zone", ["America/Chicago", "Europe/Berlin", "UTC", "Asia/Kolkata"])
def test_zones(zone: str) -> None:
    assert TypeAdapter(Zone).validate_python(zone) == zone


@pytest.mark.parametrize("zone", ["Chicago", "CST6", "America/Chicgo", "", "../etc/passwd", "/usr", "America"])
def test_what_is_no_zone(zone: str) -> None:
    with pytest.raises(ValidationError, match="IANA"):
        TypeAdapter(Zone).validate_python(zone)


# the hospital's own accounts


@pytest.mark.parametrize(
    ("written", "name"),
    [("StBrigid", "StBrigid"), (" @StBrigid ", "StBrigid"), ("@care@social.example", "care@social.example"), ("", "")],
)
def test_accounts(written: str, name: str) -> None:
    assert Accounts(x=written).x == name


@pytest.mark.parametrize("written", ["https://x.com/StBrigid", "u/StBrigid", "St Brigid", "@@a@b@c", 5, None])
def test_what_is_no_account(written: Any) -> None:
    with pytest.raises(ValidationError):
        Accounts(x=written)


@pytest.mark.parametrize(
    ("source", "author", "own"),
    [
        ("x", "StBrigidCares", True),
        ("x", "@stbrigidcares", True),
        ("x", "StBrigid", False),
        ("x", "", False),
        ("x", None, False),
        ("reddit", "StBrigidCares", True),
        ("google_reviews", "StBrigidCares", False),
        ("mastodon", "care@social.stbrigid.example", True),
        *((name, "StBrigidCares", False) for name in ("json", "copy", "model_fields", "__class__", "model_dump", "")),
    ],
)
def test_whose_word_it_is(config: Config, source: str, author: str | None, own: bool) -> None:
    assert config.hospital.is_own_account(source, author) is own


def test_a_hospital_without_accounts_has_no_own_posts() -> None:
    hospital = Hospital(name="A", timezone="UTC", aliases=("A",), town="B")
    assert not hospital.is_own_account("x", "")
    assert hospital.zone == ZoneInfo("UTC")


# the rest


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("http://127.0.0.1:9", True),
        ("https://gateway.example/x/", True),
        ("gateway.example", False),
        ("ftp://gateway.example", False),
        ("https://", False),
        ("https://a b", False),
        ("https://a/b c", False),
    ],
)
def test_addresses(url: str, fits: bool) -> None:
    if fits:
        assert CollectorSettings(base_url=url).base_url == url
    else:
        with pytest.raises(ValidationError):
            CollectorSettings(base_url=url)


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://crm.example/hook", True),
        ("http://127.0.0.1:9/", True),
        ("http://localhost:9/hook", True),
        ("http://[::1]:9/", True),
        ("http://[::1]x", False),
        ("http://crm.example/hook", False),
        ("http://10.0.0.7/", False),
        ("http://localhost.example/", False),
        ("http://127.0.0.1.example/", False),
        ("http://[::2]/", False),
        ("https://[crm/", False),
    ],
)
def test_nothing_of_a_case_goes_unencrypted(url: str, fits: bool) -> None:
    if fits:
        assert Hook(name="crm", url=url).url == url
    else:
        with pytest.raises(ValidationError, match="https://"):
            Hook(name="crm", url=url)


@pytest.mark.parametrize(
    "wrong", [{"on": 1}, {"on": "true"}, {"daily_reads": 0}, {"daily_reads": True}, {"daily_reads": 1.0}]
)
def test_settings_are_taken_as_they_are_written(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CollectorSettings(**wrong)


@pytest.mark.parametrize(
    ("oncall", "fits"),
    [
        ("@here", True),
        ("@channel", True),
        ("<!subteam^S0123ABCD>", True),
        ("<@U0123ABCD>", True),
        ("@everyone", False),
        ("oncall", False),
        ("", False),
        ("<@U1> <@U2>", False),
        ("@here\n", False),
    ],
)
def test_who_is_paged(oncall: str, fits: bool) -> None:
    if fits:
        assert Slack(oncall=oncall, channels={}).oncall == oncall
    else:
        with pytest.raises(ValidationError):
            Slack(oncall=oncall, channels={})


@pytest.mark.parametrize(
    ("do", "to", "fits"),
    [
        ("alert", "care", True),
        ("digest", "care", True),
        ("dismiss", None, True),
        ("alert", None, False),
        ("dismiss", "care", False),
    ],
)
def test_a_rule_that_tells_somebody_says_whom(do: str, to: str | None, fits: bool) -> None:
    rule = {"name": "one", "do": do} | ({} if to is None else {"to": to})
    care = {"slack": {"channels": {}}, "rules": [rule]}
    if fits:
        assert Care.model_validate(care).rules[0].do == do
    else:
        with pytest.raises(ValidationError, match='"to" names a channel'):
            Care.model_validate(care)


@pytest.mark.parametrize(
    ("hour", "fits"), [(0, True), (23, True), (24, False), (-1, False), (8.0, False), ("8", False)]
)
def test_the_hour_of_the_summary(hour: Any, fits: bool) -> None:
    if fits:
        assert Report(hour=hour, sections=("a",)).hour == hour
    else:
        with pytest.raises(ValidationError):
            Report(hour=hour, sections=("a",))


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ("https://reports.example.org/", True),
        ("https://reports.example.org", True),
        ("http://10.0.0.7:8080/call-light", True),
        ("ftp://reports.example.org/", False),
        ("https://", False),
        ("https:///weeks", False),
        ("https://reports.example.org/?week=", False),
        ("https://reports.example.org/a b", False),
        ("https://reports.example.org/|evil>", False),
        ("", False),
    ],
)
def test_where_the_pages_are(address: str, fits: bool) -> None:
    if fits:
        assert Report(address=address, sections=("a",)).address == address
    else:
        with pytest.raises(ValidationError):
            Report(address=address, sections=("a",))


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [
        ("127.0.0.1:8765", "127.0.0.1", 8765),
        ("localhost:1", "localhost", 1),
        ("[::1]:65535", "::1", 65535),
        ("8765", None, None),
        ("127.0.0.1", None, None),
        ("127.0.0.1:0", None, None),  # any port: nobody would find it
        ("127.0.0.1:65536", None, None),
        ("127.0.0.1:08", None, None),
        ("::1:8765", None, None),
        ("[::1::]:8765", None, None),
        ("[1]:8765", None, None),
        (":8765", None, None),
        ("http://127.0.0.1:8765", None, None),
        ("127.0.0.1:8765 ", None, None),
    ],
)
def test_where_the_center_listens(listen: str, host: str | None, port: int | None) -> None:
    if host is not None:
        assert (Center(listen=listen).host, Center(listen=listen).port) == (host, port)
    else:
        with pytest.raises(ValidationError):
            TypeAdapter(Listen).validate_python(listen)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://care.example.org", "https://care.example.org"),
        ("https://Care.Example.ORG/", "https://care.example.org"),
        ("https://care.example.org:443", "https://care.example.org"),
        ("http://care.example.org:80/", "http://care.example.org"),
        ("https://care.example.org:8443", "https://care.example.org:8443"),
        ("http://[fd00::7]:8765", "http://[fd00::7]:8765"),
        ("http://10.0.0.7:8765", "http://10.0.0.7:8765"),
        ("https://example.org/care", None),  # pages link to "/inbox"
        ("https://example.org//", None),
        ("https://example.org?x", None),
        ("https://ana@example.org", None),
        ("https://müller.example", None),  # browsers send xn--...
        ("https://example.org:99999", None),
        ("https://[::1", None),
        ("https://[1]", None),
        ("care.example.org", None),
        ("ftp://example.org", None),
        ("https://", None),
        ("", None),
    ],
)
def test_what_people_type(address: str, expected: str | None) -> None:
    if expected is not None:
        assert Center(address=address).address == expected
    else:
        with pytest.raises(ValidationError):
            Center(address=address)


FAR = "https://care.example.org"
SSO = {"address": FAR, "proxies": ["10.0.0.5"], "user_header": "X-Forwarded-User"}


@pytest.mark.parametrize(
    ("center", "says"),
    [
        ({"listen": "0.0.0.0:8765", "address": FAR}, None),
        ({"listen": "0.0.0.0:8765"}, "address = "),
        ({"listen": "[::]:8765"}, "address = "),
        ({"listen": "care:8765"}, "address = "),
        (SSO, None),
        (SSO | {"everyone": "viewer"}, None),
        (SSO | {"address": None}, "address = "),
        (SSO | {"proxies": []}, "proxies = "),
        (SSO | {"user_header": None, "everyone": "care"}, "user_header = "),
        (SSO | {"everyone": "admin"}, "'viewer' or 'care'"),
        (SSO | {"user_header": "X_User"}, "pattern"),
        (SSO | {"proxies": ["10.0.0.0/8", "fd00::/32"]}, None),
        (SSO | {"proxies": ["0.0.0.0/0"]}, "nearly everybody"),
        (SSO | {"proxies": ["::/0"]}, "nearly everybody"),
        (SSO | {"proxies": ["care.example.org"]}, "an address such as"),
    ],
)
def test_what_of_the_center_goes_together(center: dict[str, Any], says: str | None) -> None:
    if says is None:
        Center.model_validate(center)
    else:
        with pytest.raises(ValidationError, match=says):
            Center.model_validate(center)


@pytest.mark.parametrize(
    ("names", "fits"),
    [
        (["ana@example.org", "wall", "Ana Ruiz", "José", "EXAMPLE\\ana"], True),
        (["ana", "Ana"], False),  # who signs in as ANA would be either
        (["admin"], False),  # so is written down who signs in with the secret itself
        (["Call-Light"], False),
        (["ana,boss"], False),
        ([" ana"], False),
        (["ana\n"], False),
        (["Ana  Ruiz"], False),
        ([""], False),
        (["a" * 201], False),
    ],
)
def test_names_under_people(names: list[str], fits: bool) -> None:
    people = {"people": {name: {"role": "care"} for name in names}}
    if fits:
        assert list(Center.model_validate(people).people) == names
    else:
        with pytest.raises(ValidationError):
            Center.model_validate(people)


@pytest.mark.parametrize(
    ("seat", "fits"),
    [
        ({"role": "viewer", "stay": "90d"}, True),
        ({"role": "care", "slack": "U0123ABCD", "name": "Ana", "token": 2}, True),
        ({}, False),
        ({"role": "owner"}, False),
        ({"role": "care", "slack": "ana"}, False),
        ({"role": "care", "slack": "S0123ABCD"}, False),  # a group is nobody
        ({"role": "care", "token": 0}, False),
        ({"role": "care", "token": True}, False),
        ({"role": "care", "password": "x"}, False),
    ],
)
def test_a_seat(seat: dict[str, Any], fits: bool) -> None:
    if fits:
        Seat.model_validate(seat)
    else:
        with pytest.raises(ValidationError):
            Seat.model_validate(seat)


def test_what_ships_is_what_is_meant_without_a_word() -> None:
    """An admin who deletes a part of care.toml gets what stood there."""
    shipped = tomllib.loads((PROJECT / "config" / "care.toml").read_text(encoding="utf-8"))
    words = {"runbooks", "replies"}  # a hospital's own, and gone when they are deleted
    settings = {
        "recognition",
        "targets",
        "escalation",
        "bursts",
        "spikes",
        "digest",
        "rules",
        "outcomes",
        "permissions",
        "center",
    }
    assert set(shipped) - words == {"slack", *settings}
    full = Care.model_validate(shipped)
    short = Care.model_validate({"slack": shipped["slack"]})
    assert short.model_copy(update={word: getattr(full, word) for word in words}) == full
    assert len(full.rules) == 10


def test_nothing_changes_after_it_was_read(config: Config) -> None:
    with pytest.raises(ValidationError):
        config.hospital.name = "Another"  # type: ignore[misc]
