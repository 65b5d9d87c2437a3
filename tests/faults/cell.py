"""One cell: a call goes wrong, the fault is over, a new process goes on, everything comes to rest and is looked at."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
from fakes.server import RateLimited, Status

from faults.calls import Call
from faults.troubles import Line, Stranger, Trouble, impatient, self_signed
from faults.world import MINUTE, World
from listener.collect import known_collectors

SOON = 8.0  # seconds of ours in which the product has given up, whatever it waits for
FLOOD = 60_000_000  # bytes of an answer that nobody may take
OF_THE_LINE = ("refused", "DNS error")
ASKED_TO_WAIT, WAIT = "429 with a time", 2 * MINUTE
FOR_ALL = ("refused", "reset after", "stall", ASKED_TO_WAIT, "500", "wrong types")
SAME_LINE = "the same line and library as another call of this door, which is played with it"
NOT_FIRST = "the connection is there by then: an earlier call of the same door meets it"


@dataclass(frozen=True)
class Seen:
    """What a cell came to. `told`: the sentences that people read meanwhile, without what differs from run to run."""

    became: str
    told: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        return f"{self.became}; people are told: {' | '.join(self.told)}" if self.told else self.became


def impossible(call: Call, trouble: Trouble, before: int) -> str | None:
    """Why a cell is not played; None where it is. `before`: requests of the same pass that go first."""
    if trouble.name in call.cannot:
        return call.cannot[trouble.name]
    if not call.main and trouble.name not in FOR_ALL:
        return SAME_LINE
    if trouble.name == "TLS error" and before:
        return NOT_FIRST
    if trouble.name == "stall after" and not call.writes:
        return "nothing is done by it, so it is the same as a stall"
    return None


def requests_before(call: Call, world: World) -> int:
    """How many requests of the same pass go before the call."""
    call.begin(world)
    server = world.server(call.at)
    known = len(server.requests)
    call.act(world)
    made = [call.on(request) for request in server.requests[known:]]
    assert True in made, f"{call} does not happen"
    return made.index(True)


def play(call: Call, trouble: Trouble, world: World, before: int) -> Seen:
    """Play a cell; raises AssertionError where a rule does not hold."""
    began = time.perf_counter()
    call.begin(world)
    known = len(world.server(call.at).requests)
    with _broken(call, trouble, world, before) as happened:
        world.told.clear()
        call.act(world)
        took = time.perf_counter() - began
    assert happened() or len(world.server(call.at).requests) == known or trouble.name in OF_THE_LINE, (
        "it did not happen"
    )
    assert took < SOON, f"it waits for {took:.1f} s"
    assert world.server(call.at).poured < FLOOD, "it takes an answer of any size"
    world.start()
    if trouble.name == ASKED_TO_WAIT:
        _waits(call, world)
    became = call.after(world)
    call.check(world)
    world.adds_up()
    world.says_nothing_else()
    return Seen(became, tuple(dict.fromkeys(map(_steady, world.told))), time.perf_counter() - began)


def _waits(call: Call, world: World) -> None:
    """A minute later the other side, which asked for two, is not asked by a new process either; or the table says why."""
    if any(does.endswith(("reply", "response_url")) for does in call.does):
        return  # people ask whenever they press
    known = len(world.server(call.at).requests)
    world.at += WAIT / 2
    world.works(look=any(does.endswith(".lookup") for does in call.does))
    asked = any(map(call.on, world.server(call.at).requests[known:]))
    assert asked == bool(call.sooner), "it asks sooner than it was told to" if asked else "it waits, which is better"


@contextmanager
def _broken(call: Call, trouble: Trouble, world: World, before: int) -> Iterator[Callable[[], bool]]:
    """The fault, as long as the block lasts; what it gives says whether the call met it."""
    server = world.server(call.at)
    known = len(server.requests)
    with ExitStack() as around:
        if trouble.name in OF_THE_LINE:
            line = Line(server)
            around.enter_context(line.resolves())
            line.breaks_at(before, trouble.name)
            yield lambda: line.is_down
            line.mended()
        elif trouble.name == "TLS error":
            world.start(**{call.at: around.enter_context(self_signed(world.folder))})
            yield lambda: True
        elif trouble.name == "redirect":
            stranger = around.enter_context(Stranger())
            server.fail_next(Status(302, "", {"location": f"{stranger.base_url}/elsewhere"}), times=None, on=call.on)
            yield lambda: any(map(call.on, server.requests[known:]))
            assert stranger.told() == [], "a stranger was told a login, or words"
        else:
            assert trouble.played is not None
            played = trouble.played
            if trouble.name == ASKED_TO_WAIT:  # X says when, the others how long
                played = RateLimited(world.clock() + WAIT.total_seconds(), int(WAIT.total_seconds()))
            server.fail_next(played, times=None, on=call.on)
            if trouble.waits:
                around.enter_context(impatient())
            yield lambda: any(map(call.on, server.requests[known:]))
        server.heal()


@contextmanager
def patience(call: Call) -> Iterator[None]:
    """A stream is listened to until it is silent for a while: a short one."""
    with pytest.MonkeyPatch.context() as patch:
        if call.patience is not None:
            patch.setattr(known_collectors()[call.patience], "_TIMEOUT", 0.6)
        yield


def _steady(sentence: str) -> str:
    """A sentence without the ports of this run."""
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1", sentence)
