"""The outside calls of the product: how each is made to happen, which request it is, and what must be true afterwards.

One row each. `begin` is what went well before, `act` what happens while the fault lasts, `after` what people and the clock
do once it is over, and says in a few words what had become of the call; `check` is what must be true beside the rules that
hold for every cell (World.adds_up).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fakes.server import DropAfter, Request
from sqlmodel import select

from alerts import answer as answers
from alerts.answer import Answer
from alerts.case import Case
from faults.world import COLLAPSED, DAY, MINUTE, WAITED, World
from listener import collect
from listener.mention import Mention
from listener.post import Asking

GOOD = "Thank you for telling us. Long waits are hard for anyone. Please reach Patient Relations at 555-0100."
DONE = "Thank you for telling us. Please reach Patient Relations."
On = Callable[[Request], bool]
Step = Callable[[World], Any]


@dataclass(frozen=True)
class Call:
    """One row. `does` names the function of a collector, or the methods of Slack, that make it."""

    door: str
    name: str
    on: On
    begin: Step
    act: Step
    after: Step
    check: Step = lambda world: None
    at: str = "place"
    does: tuple[str, ...] = ()
    cannot: Mapping[str, str] = field(default_factory=dict)  # fault -> why it is not played
    main: bool = False  # played with every fault; the others use the same line and library, and meet a few of each kind
    writes: bool = False  # whether it has an effect that "after" can be said of
    patience: str | None = None  # a module whose _TIMEOUT is no socket's
    sooner: str = ""  # why it is asked again before the time that the other side stated; "": it is not

    def __str__(self) -> str:
        return f"{self.door}, {self.name}"


def to(path: str, method: str = "", **query: str) -> On:
    """The requests whose path fits this pattern, and whose query has these pieces."""

    def is_it(request: Request) -> bool:
        found = all(words in request.query.get(name, "") for name, words in query.items())
        return (
            re.search(path, request.path) is not None and (not method or request.method in method.split("|")) and found
        )

    return is_it


# ---------------------------------------------------------------- listening


def _listens(name: str, cold: bool = False, **settings: Any) -> Step:
    """One post was heard and told; another is there now. `cold`: the first pass of all is the one that fails."""

    def begin(world: World) -> None:
        world.listens_to(name, **settings)
        world.hears(WAITED)
        world.start()
        if not cold:
            world.works()
        world.at += 5 * MINUTE
        world.hears(COLLAPSED, author="lee")

    return begin


def _hears(world: World) -> None:
    world.collects()
    world.heard_all = len(world.mentions()) == len(world.refs)


def _heard(world: World) -> str:
    world.rests()
    return "heard all the same" if world.heard_all else "asked again, nothing lost"


def listens(door: str, what: str, name: str, on: On, cold: bool = False, **more: Any) -> Call:
    """What brings posts in."""
    settings = more.pop("settings", {})
    does = (f"{name}.fetch",)
    return Call(door, what, on, _listens(name, cold, **settings), _hears, _heard, does=does, **more)


def own(door: str, what: str, name: str, on: On, **more: Any) -> Call:
    """What hears that the hospital answered by hand: the clock of the case stops."""

    def begin(world: World) -> None:
        _listens(name, **more.get("settings", {}))(world)
        world.place.answer(world.first, DONE, world.at - MINUTE)

    def act(world: World) -> None:
        world.collects()
        world.heard_all = bool(world.own())

    def check(world: World) -> None:
        assert _state(world) == "answered"

    rest = {key: value for key, value in more.items() if key != "settings"}
    return Call(door, what, on, begin, act, _heard, check, does=(f"{name}.own_replies",), **rest)


def looks(door: str, what: str, name: str, on: On, **more: Any) -> Call:
    """What looks whether kept posts are still there: the one that was deleted goes, here and in Slack, and no other."""

    def begin(world: World) -> None:
        _listens(name, **more.get("settings", {}))(world)
        world.works()
        world.at += DAY + 5 * MINUTE
        world.place.delete(world.first)

    def act(world: World) -> None:
        world.works(look=True)
        world.heard_all = world.gone() == {world.first}
        assert world.gone() <= {world.first}, "a post that is there was taken for gone"

    def after(world: World) -> str:
        world.rests(look=True)
        return "seen all the same" if world.heard_all else "looked again; gone here too, and nothing else"

    def check(world: World) -> None:
        assert world.gone() == {world.first}
        assert "six hours" not in str(world.messages()), "what is gone is still in Slack"

    rest = {key: value for key, value in more.items() if key != "settings"}
    return Call(door, what, on, begin, act, after, check, does=(f"{name}.lookup",), **rest)


# ---------------------------------------------------------------- answering in public


def _drafted(name: str) -> Step:
    """A post has a case, and somebody wrote an answer to it."""

    def begin(world: World) -> None:
        world.listens_to(name)
        world.hears(WAITED)
        world.start()
        world.works()
        with world.session() as session:
            mention = session.exec(select(Mention).where(Mention.ref == world.first)).one()
            answers.write(session, 1, mention.id or 0, GOOD, "U0ANA1", world.at, needs_second=False)
            session.commit()
        world.at += MINUTE

    return begin


def _lost(name: str) -> Step:
    """The answer was sent, and nobody knows whether it is public."""

    def begin(world: World) -> None:
        _drafted(name)(world)
        server = world.server("place")
        server.fail_next(DropAfter(), on=_says)
        world.presses("send")
        server.heal()
        world.at += MINUTE
        assert _answer(world).state == "unknown"
        world.told.clear()

    return begin


def _presses(action: str) -> Step:
    def act(world: World) -> None:
        world.said = world.presses(action)

    return act


def _pressed_on(world: World) -> str:
    """What people do until the answer is public, as the sentences tell them; what had become of it."""
    steps = []
    for _ in range(8):
        world.at += 3 * MINUTE
        state = _answer(world).state
        if state == "sent":
            break
        if state == "sending":  # its process was killed: after a while nobody waits for it any more
            world.at += 20 * MINUTE
            world.service.clocks()
            continue
        steps.append("look" if state == "unknown" else "send")
        world.presses(steps[-1])
    world.told = [sentence for sentence in world.told if sentence == world.said]
    world.flows()
    return {
        (): "public, and known at once",
        ("send",): "not sent; pressed again, public once",
        ("look",): "looked for it and found it: public once",
        ("look", "send"): "looked for it, it was not there; pressed again, public once",
    }[tuple(steps)]


def _public_once(world: World) -> None:
    assert _answer(world).state == "sent"
    assert _state(world) == "answered"
    world.at += MINUTE
    asking = Asking(world.service.config.hospital, world.at, world.secrets)
    settings = world.service.config.collectors[world.name]
    pages = list(collect.pages(world.name, "own_replies", settings, {}, asking))
    said = [post for page in pages for post in page.posts if post.answers == world.first]
    assert len(said) == 1, "the answer is public exactly once"


def replies(door: str, name: str, on: On, before: On, look: On, **more: Any) -> list[Call]:
    """An answer in public, what is asked before it, and the look whether it is there."""
    rows = (
        ("reply", on, _drafted, "send", "reply"),
        ("before a reply: whose account, which post", before, _drafted, "send", "reply"),
        ("is the reply there?", look, _lost, "look", "find_reply"),
    )
    return [
        Call(
            *(door, what, request, begin(name), _presses(pressed), _pressed_on, _public_once),
            does=(f"{name}.{does}",),
            writes=what == "reply",
            main=what == "reply",
            **more,
        )
        for what, request, begin, pressed, does in rows
    ]


def _says(request: Request) -> bool:
    """Whether a request makes something public; the others that are no GET ask for tokens."""
    return request.method != "GET" and "token" not in request.path and "Session" not in request.path


def _answer(world: World) -> Answer:
    with world.session() as session:
        found = session.exec(select(Answer)).one()
        session.expunge(found)
        return found


def _state(world: World, case_id: int = 1) -> str:
    with world.session() as session:
        return session.get_one(Case, case_id).state
