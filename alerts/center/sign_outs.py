"""Who signed out: their browser has forgotten its cookie then, and whoever copied it before gets nowhere with it."""

from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from alerts.center.access import Visitor
from alerts.people import Press, first_time
from listener.database import reading

_KEPT = timedelta(days=3650)  # as long as anybody may stay signed in


def sign_out(engine: Engine, visitor: Visitor, now: datetime) -> None:
    """From now on this sign-in is worth nothing, for every copy of the service."""
    with Session(engine) as session:
        first_time(session, _key(visitor), now + _KEPT)
        session.commit()


def is_signed_out(engine: Engine, visitor: Visitor) -> bool:
    """Whether they have signed out since."""
    with reading(engine) as session:
        return session.get(Press, _key(visitor)) is not None


def _key(visitor: Visitor) -> str:
    return f"out:{visitor.sign_in}"
