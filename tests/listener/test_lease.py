"""One copy of the service collects; another one takes over when it stops."""

import os
import socket
import subprocess
import sys
from datetime import datetime, timedelta

from sqlmodel import Session

from listener.lease import give_back, holder, take
from listener.watch import Lease

ME, OTHER = "here:1", "elsewhere:2"
MINUTE = timedelta(minutes=1)


def test_the_first_has_it_and_keeps_it(session: Session, now: datetime) -> None:
    assert take(session, ME, now) is None
    held = take(session, OTHER, now + MINUTE)
    assert held is not None
    assert (held.holder, held.since) == (ME, now)
    assert take(session, ME, now + MINUTE) is None
    assert take(session, OTHER, now + 2 * MINUTE) is not None, "it was renewed"


def test_after_its_end_another_takes_it(session: Session, now: datetime) -> None:
    take(session, ME, now)
    assert take(session, OTHER, now + 3 * MINUTE) is None
    held = take(session, ME, now + 3 * MINUTE)
    assert held is not None
    assert (held.holder, held.since) == (OTHER, now + 3 * MINUTE)


def test_given_back_it_is_free_at_once(session: Session, now: datetime) -> None:
    take(session, ME, now)
    give_back(session, OTHER)  # not theirs
    assert take(session, OTHER, now) is not None
    give_back(session, ME)
    assert take(session, OTHER, now) is None


def test_of_a_killed_process_of_this_machine_it_is_free_at_once(session: Session, now: datetime) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    take(session, f"{socket.gethostname()}:{gone.pid}", now)
    assert take(session, ME, now) is None
    assert holder() == f"{socket.gethostname()}:{os.getpid()}"


def test_of_a_living_process_it_is_not(session: Session, now: datetime) -> None:
    take(session, f"{socket.gethostname()}:{os.getpid()}", now)
    assert take(session, ME, now) is not None
    assert session.get(Lease, "collect") is not None
