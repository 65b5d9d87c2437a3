"""One copy of the service collects: two that ask for the same posts would pay twice and wear out the rate limit.

A lease is a row with an end. Its holder renews it with every pass; when it stops doing so, another copy takes over.
"""

import os
import socket
from datetime import datetime, timedelta

from sqlmodel import Session

from listener.watch import Lease

_NAME = "collect"
_LASTS = timedelta(seconds=90)


def holder() -> str:
    """This process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def take(session: Session, me: str, now: datetime) -> Lease | None:
    """Take or renew the lease, and commit; the lease of the other copy if it holds it."""
    lease = session.get(Lease, _NAME, with_for_update=True)
    is_held = lease is not None and now < lease.until <= now + 10 * _LASTS  # a later end is of a clock that was wrong
    if lease is not None and lease.holder != me and is_held and not is_dead(lease.holder):
        session.expunge(lease)
        session.rollback()
        return lease
    if lease is not None and lease.holder == me and is_held and lease.until - now > _LASTS / 2:
        session.rollback()  # no need to write with every poll
        return None
    if lease is None or lease.holder != me:
        lease = session.merge(Lease(name=_NAME, holder=me, since=now, until=now))
    lease.until = now + _LASTS
    session.add(lease)
    session.commit()
    return None


def give_back(session: Session, me: str) -> None:
    """End the lease at once, if it is ours; commit."""
    lease = session.get(Lease, _NAME)
    if lease is not None and lease.holder == me:
        session.delete(lease)
    session.commit()


def is_dead(other: str) -> bool:
    """Whether the other copy was a process of this machine that is no more: after a kill nobody has to wait."""
    host, _, pid = other.rpartition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:  # somebody else's process
        return False
    return False
