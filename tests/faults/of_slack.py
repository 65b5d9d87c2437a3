"""What is asked of Slack, of the pager and of other systems: cards and their edits, charts, modals, the line of the buttons."""

import json
from concurrent.futures import Future
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from conftest import NOW
from fakes.server import DropAfter
from fakes.slack_lines import Delivery as Delivered
from fakes.slack_people import Person
from slack_bolt import App, BoltRequest
from sqlmodel import col, select

from alerts.case import CaseEvent
from alerts.slack import Slack
from alerts.slack_app import SlackApp
from alerts.slack_link import SocketLine, watch_over
from faults.calls import Call, On, Step, _state, to
from faults.world import COLLAPSED, DAY, MINUTE, WAITED, World
from listener.watch import Alarm

CARE = "social-care"
SECONDS = timedelta(seconds=1)


def slack(method: str) -> On:
    """The requests of one method."""
    return to(f"/api/{method}$")


class Direct:
    """Presses reach the product without a line; what it does after it has acknowledged is waited for."""

    patience = 3.0

    def __init__(self, app: App) -> None:
        self._app = app
        self._begun: list[Future[Any]] = []
        executor = app.listener_runner.listener_executor
        begin = executor.submit

        def noted(*given: Any, **more: Any) -> Future[Any]:
            self._begun.append(begin(*given, **more))
            return self._begun[-1]

        executor.submit = noted  # type: ignore[method-assign]

    def send(self, kind: str, payload: Any, **more: Any) -> Delivered:
        """One payload."""
        body = urlencode(payload if kind == "slash_commands" else {"payload": json.dumps(payload)})
        headers = {"content-type": ["application/x-www-form-urlencoded"]}
        answer = self._app.dispatch(BoltRequest(body=body, headers=headers))
        for one in self._begun:
            one.result(30)
        self._begun.clear()
        return Delivered(answer.status == 200, 0.0, json.loads(answer.body) if answer.body else None, answer.status)


def of_care(world: World, *texts: str) -> None:
    """Cases with their cards, and a team that may press."""
    world.start()
    for text in texts:
        world.brings(text)
    world.works()
    world.at += 5 * MINUTE
    world.ana, world.ben = Person(world.slack, "U0ANA1", "ana"), Person(world.slack, "U0BEN1", "ben")


def _listens(world: World, **permissions: tuple[str, ...]) -> None:
    """Buttons are heard."""
    service = world.service
    if permissions:
        care = service.config.care.model_copy(update={"permissions": permissions})
        service.in_force.config = service.config.model_copy(update={"care": care})
    door = service.door
    assert isinstance(door, Slack)
    app = SlackApp(lambda: service.config, world.engine, door, {}, world.now)
    world.slack.line = Direct(app.bolt)


def whispers(world: World) -> list[str]:
    """What only one person was told, here or in a message to them."""
    said = [one for person in (world.ana, world.ben) for one in (*person.ephemerals(), *person.direct_messages())]
    return [str(one["text"]) for one in said]


def card(world: World, number: int = 1) -> tuple[str, str]:
    """Where the card of a case is: channel and ts."""
    found = next(one for one in world.messages() if str(one["metadata"]["event_payload"].get("case_id")) == str(number))
    return found["in"], found["ts"]


# ---------------------------------------------------------------- messages


def _card(*before: str) -> Step:
    def begin(world: World) -> None:
        of_care(world, *before)
        world.brings(COLLAPSED)

    return begin


def _answer_lost(*before: str) -> Step:
    """A card was sent and nobody knows whether it arrived."""

    def begin(world: World) -> None:
        _card(*before)(world)
        world.slack.fail_next(DropAfter(), on="chat.postMessage")

    return begin


def _tells(world: World) -> None:
    world.works()
    world.heard_all = len(world.cards()) == len(world.refs)


def _told(world: World) -> str:
    world.rests()
    looked = bool(world.slack.seen("conversations.history"))
    if world.heard_all and not looked:
        return "sent once, and known"
    if not looked:
        return "waited; sent once"
    return f"looked for it{' and found it' if world.heard_all else ', it was not there'}; sent once"


def _claims(world: World) -> None:
    world.presses("claim")
    world.works()
    world.heard_all = world.is_true()


def _edited(world: World) -> str:
    world.rests()
    return "edited all the same" if world.heard_all else "edited again; the card says what is so"


def _is_true(world: World) -> None:
    assert world.is_true(), "a card does not say what is so"


UNSEEN = "a card that perhaps nobody sees is looked for within a minute; Slack counts each method by itself"
MESSAGES = (
    Call("Slack", "chat.postMessage, a card", slack("chat.postMessage"), _card(WAITED), _tells, _told, _is_true,
         at="slack", does=("chat.postMessage",), writes=True, main=True),
    Call("Slack", "chat.update, a card that changed", slack("chat.update"), lambda world: of_care(world, WAITED),
         _claims, _edited, _is_true, at="slack", does=("chat.update",), writes=True, main=True),
    Call("Slack", "conversations.history, did the card arrive?", slack("conversations.history"), _answer_lost(WAITED),
         _tells, _told, _is_true, at="slack", does=("conversations.history",), sooner=UNSEEN),
    Call("Slack", "conversations.list, where would it be?", slack("conversations.list"), _answer_lost(),
         _tells, _told, _is_true, at="slack", does=("conversations.list",), sooner=UNSEEN),
)  # fmt: skip


# ---------------------------------------------------------------- charts and pages


def _week(world: World) -> None:
    """A week with one post in it, whose summary with a chart and a page is due."""
    world.reports(charts=("volume_by_day",), slack=("headline",))
    world.at = NOW - 4 * DAY
    of_care(world, WAITED)
    world.at = NOW


def _summarised(world: World) -> None:
    world.works()
    world.heard_all = _summary(world) is not None


def _summary(world: World) -> dict[str, Any] | None:
    return next((one for one in world.messages() if one["in"] == "social-weekly"), None)


def _with_charts(world: World) -> str:
    for _ in range(6):
        world.rests()
    kinds = [block["type"] for block in (_summary(world) or {}).get("blocks", [])]
    how = "with its chart and its page" if "image" in kinds else "as words alone"
    return f"{'sent' if world.heard_all else 'uploaded again; sent'} once, {how}"


def _no_file_twice(world: World) -> None:
    names = [file.name for file in world.slack.files()]
    assert len(names) == len(set(names)), "a file is there twice"


def _quotes_what_is_gone(world: World) -> None:
    """The summary was sent, and a post in it is deleted: its files are made anew, and the old ones taken back."""
    _week(world)
    world.works()
    world.old = {file.id for file in world.slack.files()}
    assert world.old
    world.at += 2 * 60 * MINUTE
    world.loses(world.first)


def _taken_back(world: World) -> str:
    for _ in range(6):
        world.rests()
    return "taken back all the same" if world.heard_all else "taken back later"


def _forgets(world: World) -> None:
    world.works()
    world.heard_all = not world.old & {file.id for file in world.slack.files()}


def _old_is_gone(world: World) -> None:
    assert not world.old & {file.id for file in world.slack.files()}, "a file with what is gone stays in Slack"
    _no_file_twice(world)


UPLOADS = {
    "files.getUploadURLExternal, a chart": ("files.getUploadURLExternal", slack("files.getUploadURLExternal")),
    "upload of the bytes": ("upload", to("/upload/")),
    "files.completeUploadExternal": ("files.completeUploadExternal", slack("files.completeUploadExternal")),
}
FILES = (
    *(
        Call("Slack", what, on, _week, _summarised, _with_charts, _no_file_twice, at="slack", does=(method,), writes=True,
             main=method == "upload")
        for what, (method, on) in UPLOADS.items()
    ),
    Call("Slack", "files.delete, a chart that quotes what is gone", slack("files.delete"), _quotes_what_is_gone,
         _forgets, _taken_back, _old_is_gone, at="slack", does=("files.delete",), writes=True,
         cannot={"wrong types": "all that Slack says is ok, which this says too"}),
)  # fmt: skip


# ---------------------------------------------------------------- presses


def _someone(*, permissions: dict[str, tuple[str, ...]] | None = None, claimed: bool = False) -> Step:
    def begin(world: World) -> None:
        of_care(world, WAITED)
        world.slack.add_group("care", ["U0ANA1"], id="S0CARE")
        _listens(world, **(permissions or {}))
        world.slack.users["U0BEN1"]["name"] = "ben"
        if claimed:
            world.presses("claim")
        world.told.clear()

    return begin


def _wants_form(world: World) -> None:
    where, ts = card(world)
    world.ana.choose(where, ts, "menu", "assign:1")
    world.told += whispers(world)
    world.heard_all = world.ana.sees_view() and world.ana.view()["callback_id"] == "do:assign"


def _form_again(world: World) -> str:
    if world.ana.sees_view():
        world.ana.close_view(everything=True)
    _listens(world)
    where, ts = card(world)
    world.ana.choose(where, ts, "menu", "assign:1")
    assert world.ana.view()["callback_id"] == "do:assign"
    world.rests()
    return "the form came all the same" if world.heard_all else "nothing was done; the form comes at the next press"


def _claimed_already(world: World) -> None:
    of_care(world, WAITED)
    _listens(world)
    where, ts = card(world)
    world.pressed = world.ben.pressing(where, ts, "do:claim")
    world.presses("claim")
    world.told.clear()


def _presses_old(world: World) -> None:
    world.ben.send(world.pressed)
    world.told += whispers(world)
    world.heard_all = bool(world.ben.ephemerals())


def _was_told(world: World) -> str:
    told = bool(world.told)
    world.rests()
    with world.session() as session:
        claims = session.exec(select(CaseEvent).where(CaseEvent.kind == "claimed")).all()
    assert [one.who for one in claims] == ["U0ANA1"], "one person has it"
    return "told where they pressed" if world.heard_all else "told in a message to them" if told else \
        "done once; that they were too late, the card says"  # fmt: skip


def _wants_to_claim(world: World) -> None:
    where, ts = card(world)
    world.ana.press(where, ts, "do:claim")
    world.told += whispers(world)
    world.heard_all = _state(world) == "claimed"


def _claims_again(world: World) -> str:
    if not world.heard_all:
        assert _state(world) == "open", "who is not known to be allowed does nothing"
        _listens(world, claim=("S0CARE",))
        where, ts = card(world)
        world.ana.press(where, ts, "do:claim")
    assert _state(world) == "claimed"
    world.rests()
    return "done" if world.heard_all else "nothing was done; done at the next press"


def _asks(world: World) -> None:
    said = world.ana.command("/calllight", "open", CARE)
    world.heard_all = said.answer is not None
    world.told += whispers(world)


def _asks_again(world: World) -> str:
    _listens(world)
    assert world.ana.command("/calllight", "open", CARE).answer is not None
    world.rests()
    return "answered" if world.heard_all else "no answer; the next command is answered"


PRESSES = (
    Call("Slack", "views.open, a form", slack("views.open"), _someone(), _wants_form, _form_again, at="slack",
         does=("views.open",), main=True),
    Call("Slack", "views.update, what is in it", slack("views.update"), _someone(), _wants_form, _form_again, at="slack",
         does=("views.update",)),
    Call("Slack", "chat.postEphemeral, a word to one person", slack("chat.postEphemeral"), _claimed_already, _presses_old,
         _was_told, at="slack", does=("chat.postEphemeral",)),
    Call("Slack", "usergroups.users.list, who may press", slack("usergroups.users.list"),
         _someone(permissions={"claim": ("S0CARE",)}), _wants_to_claim, _claims_again, at="slack",
         does=("usergroups.users.list",)),
    Call("Slack", "response_url, the answer to a command", to("^/commands/"), _someone(), _asks, _asks_again,
         at="slack", does=("response_url",)),
)  # fmt: skip


# ---------------------------------------------------------------- the line of the buttons, and who the bot is


def _line(world: World) -> SocketLine:
    door = world.service.door
    assert isinstance(door, Slack)
    app = SlackApp(lambda: world.service.config, world.engine, door, {}, world.now)
    line = SocketLine(app.bolt, world.slack.app_token, door.client, ping=1, now=world.now)
    return line


def _hang_up(world: World, line: SocketLine) -> None:
    world.slack.socket().drop()
    line._handler.client.closed = True
    line._handler.client.enqueue_message("{}")
    line.close()


def _opens(world: World) -> None:
    line = _line(world)
    for _ in range(2):
        watch_over(world.engine, world.service.door, line, world.at)
        world.at += 61 * SECONDS
    watch_over(world.engine, world.service.door, line, world.at)
    world.heard_all = line.is_up()
    world.told += [alarm.why for alarm in _alarms(world)]
    _hang_up(world, line)


def _opened(world: World) -> str:
    line = _line(world)
    watch_over(world.engine, world.service.door, line, world.at)
    assert world.slack.socket().wait_for(links=1)
    world.at += MINUTE
    watch_over(world.engine, world.service.door, line, world.at)
    assert line.is_up()
    assert all(alarm.over_at for alarm in _alarms(world)), "the alarm is over"
    _hang_up(world, line)
    world.rests()
    return "the line is up" if world.heard_all else "asked again; the line is up, and the alarm over"


def _alarms(world: World) -> list[Alarm]:
    with world.session() as session:
        found = list(session.exec(select(Alarm).order_by(col(Alarm.id))).all())
        session.expunge_all()
        return found


def _looks_at_channel(world: World) -> None:
    try:
        world.service.door.about_channel("#social-care")  # type: ignore[attr-defined]
        world.heard_all = True
    except Exception as error:
        world.told.append(f"{error}")


def _looked_at_channel(world: World) -> str:
    assert world.service.door.about_channel("#social-care")["is_member"]  # type: ignore[attr-defined]
    world.rests()
    return "doctor says what is so" if world.heard_all else "doctor says so; asked again it says what is so"


LINE = (
    Call("Slack", "apps.connections.open, the line of the buttons", slack("apps.connections.open"),
         lambda world: of_care(world, WAITED), _opens, _opened, at="slack", does=("apps.connections.open",)),
    Call("Slack", "auth.test, who the bot is", slack("auth.test"), lambda world: of_care(world, WAITED), _opens, _opened,
         at="slack", does=("auth.test",)),
    Call("Slack", "conversations.info, is the bot in the channel?", slack("conversations.info"),
         lambda world: of_care(world, WAITED), _looks_at_channel, _looked_at_channel, at="slack",
         does=("conversations.info",)),
)  # fmt: skip


# ---------------------------------------------------------------- pager and hooks


def _on_call(world: World) -> None:
    world.pages()
    of_care(world, WAITED)
    world.brings(COLLAPSED)


def _pages(world: World) -> None:
    world.works()
    world.heard_all = bool(world.pager.pages())


def _paged(world: World) -> str:
    world.at += MINUTE
    world.works()
    assert world.pager.pages(), "somebody is paged"
    world.presses("claim", case_id=2)
    world.rests()
    if world.heard_all and len(world.pager.pages()) > 1:
        return "paged, and paged again: twice beats never"
    return "paged" if world.heard_all else "paged as soon as it was back; the card came meanwhile"


def _danger_is_told(world: World) -> None:
    assert 2 in world.cards()


def _hooked(world: World) -> None:
    world.hooks()
    of_care(world, WAITED)
    world.brings(COLLAPSED)


def _tells_hook(world: World) -> None:
    world.works()
    world.heard_all = len(world.hook.events) == 2


def _hook_told(world: World) -> str:
    world.rests()
    times = len([one for one in world.hook.requests if one.status == 204])
    assert len(world.hook.events) == 2, "each event is there once"
    if world.heard_all and times > 2:
        return "told again with the same number: the receiver drops it"
    return "told once" if world.heard_all else "told again; there once"


TAKEN = dict.fromkeys(
    ("slow drip", "endless body", "200 page", "broken JSON", "a list", "missing keys", "wrong types", "empty body"),
    "a status of 2xx says that it was taken; the body is not read",
)
ANY_SIZE = {"endless body": "apprise, which pages, takes an answer of any size; it is of an address that you chose"}
OTHERS = (
    Call("Pager", "a page to who is on call", to("/oncall"), _on_call, _pages, _paged, _danger_is_told, at="pager",
         does=("pager",), writes=True, main=True, cannot=ANY_SIZE,
         sooner="apprise, which pages, does not tell for how long; twice beats never"),
    Call("Hooks", "an event of a case", to("/events"), _hooked, _tells_hook, _hook_told, at="hook", does=("hook",),
         writes=True, main=True, cannot=TAKEN),
)  # fmt: skip
OF_SLACK: tuple[Call, ...] = (*MESSAGES, *FILES, *PRESSES, *LINE, *OTHERS)
