"""A sign-in that is over stays so, for every copy of the service, and longer than any cookie lives."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from alerts import people
from alerts.center.access import Visitor
from alerts.center.sign_outs import is_signed_out, sign_out

ANA = Visitor("ana", "Ana", "care", "mark", "token", "one sign-in")


def test_only_this_sign_in_is_over(engine: Engine, now: datetime) -> None:
    sign_out(engine, ANA, now)
    sign_out(engine, ANA, now)  # pressed twice
    assert is_signed_out(engine, ANA)
    assert not is_signed_out(engine, replace(ANA, sign_in="another"))


def test_it_outlives_every_cookie(engine: Engine, now: datetime) -> None:
    sign_out(engine, ANA, now)
    for years, is_out in ((9, True), (11, False)):
        with Session(engine) as session:
            people.forget(session, now + timedelta(days=365 * years))
        assert is_signed_out(engine, ANA) == is_out
