"""What comes back from Slack: buttons, menus, modals and /calllight, through slack-bolt.

Slack waits three seconds for an answer, and as long for a modal: so first the acknowledgement, then the modal, then the
database. Nothing is decided here: a press becomes an action of alerts/actions/, which the database allows once.
"""

import logging
import re
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from slack_bolt import Ack, App, BoltResponse, Respond
from slack_bolt.authorization import AuthorizeResult
from sqlalchemy import Engine
from sqlmodel import Session

from alerts import desk, modal
from alerts.act import Doing, Done, act, case_of, check, form_of, known_actions, offered, standing
from alerts.answer import newest_answer
from alerts.card import MORE
from alerts.case import Case
from alerts.delivery import Delivery
from alerts.form import Refused
from alerts.message import escape, mrkdwn, plain
from alerts.notices.fold import folded
from alerts.people import first_time, met
from alerts.press import Press, allow, press
from alerts.replies import objections as objections_to
from alerts.slack import Slack
from alerts.spikes import KNOW, know
from config.schema import Config
from listener.database import reading
from listener.errors import CallLightError, NeedsPerson
from listener.logs import logger

log = logger(__name__)

_SOON = 1.0  # seconds in which Slack is answered, whatever the database or another place is doing
_PAGE = 40  # lines of a listing: Slack takes 100 blocks
_LISTED = 15  # of a command
_HELP = (
    "*/calllight open*: what nobody has · *mine*: what you have · *late*: what is past its target · "
    "*search WORDS*: cases with these words · *on*: who is there now"
)
_FAILED = (
    "That could not be done just now. Please press again; if it goes on, use call-light act and tell who runs this."
)
_AGAIN = "Slack did not let me open the form in time. Please press again."


@dataclass(frozen=True)
class Pressed:
    """Who pressed, and where."""

    who: str
    name: str
    channel: str
    key: str  # the same for the same press, however often it arrives
    trigger: str  # Slack's permission to open a modal
    seal: str | None = None  # of the exact words that they were shown


class SlackApp:
    """The listeners, and what they need."""

    def __init__(
        self,
        config: Callable[[], Config],
        engine: Engine,
        door: Slack,
        secrets: Mapping[str, str],
        now: Callable[[], datetime],
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """`config` gives what the files say now."""
        self._config_now, self._engine, self._door, self._secrets = config, engine, door, secrets
        self._now, self._wake = now, wake  # `wake` has the rest of what changed told at once
        self._workers = ThreadPoolExecutor(thread_name_prefix="act")
        quiet = logging.getLogger("slack_bolt")  # it would write whole payloads
        quiet.setLevel(logging.CRITICAL)
        self.bolt = App(
            client=door.client,
            # Without a question to Slack, which would have to be answered before the press is.
            authorize=lambda: AuthorizeResult(enterprise_id=None, team_id=door.team, bot_token=door.client.token),
            request_verification_enabled=False,  # slack_link.py does it: the check here fails on what is no signature
            ignoring_self_events_enabled=False,
            logger=quiet,
        )
        self.bolt.middleware(self._only_ours)
        self.bolt.error(self._failed)
        for pattern, listener in (
            ("do:", self._button),
            ("menu$", self._menu),
            ("open$", lambda ack: ack()),
            ("fold:next$", self._next),
            ("fold:(show|page)$", self._show),
            ("known$", self._spike),
        ):
            self.bolt.action(re.compile(f"^{pattern}"))(listener)
        self.bolt.view("do:more")(self._chosen)
        self.bolt.view("do:known")(self._know)
        self.bolt.view(re.compile("^do:"))(self._submitted)
        self.bolt.command("/calllight")(self._command)

    @property
    def _config(self) -> Config:
        return self._config_now()

    def _only_ours(self, body: dict[str, Any], next: Callable[[], BoltResponse]) -> BoltResponse:
        """A press from another workspace, or of a guest of another company, does nothing."""
        team = (body.get("team") or {}).get("id") or body.get("team_id")
        theirs = None if body.get("enterprise") else (body.get("user") or {}).get("team_id")
        ours = self._door.team
        if ours and (team != ours or theirs not in (None, ours)):
            log.warning("press", foreign=True)
            return BoltResponse(status=200, body="")
        return next()

    def _failed(self, error: Exception, body: dict[str, Any]) -> None:
        """Something that nobody thought of: who pressed is told, and the log gets its kind alone, as it may carry words."""
        log.error("press", error=error)
        pressed = _pressed(body)
        if pressed.who:
            self._door.whisper(pressed.channel, pressed.who, _FAILED)

    # ---------------------------------------------------------------- buttons and menus

    def _button(self, ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        ack()
        self._start(_pressed(body), str(action["action_id"]).removeprefix("do:"), str(action.get("value", "")))

    def _menu(self, ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        ack()
        name, _, number = str((action.get("selected_option") or {}).get("value", "")).partition(":")
        self._start(_pressed(body), name, number)

    def _start(self, pressed: Pressed, name: str, number: str) -> None:
        """Do an action, or ask first what it asks."""
        if not _is_number(number) or (name != MORE and name not in known_actions()):
            log.warning("press", unknown=True)
            return
        if name == MORE or hasattr(known_actions()[name], "form"):
            self._ask(pressed, name, int(number))
        else:
            self._do(pressed, name, int(number), {})

    def _ask(self, pressed: Pressed, name: str, case_id: int) -> None:
        """Open a modal at once, then fill it."""
        view_id = self._door.open_view(pressed.trigger, modal.waiting())
        if view_id is None or not self._door.update_view(view_id, self._form(pressed, name, case_id)):
            self._door.whisper(pressed.channel, pressed.who, _AGAIN)

    def _form(self, pressed: Pressed, name: str, case_id: int) -> dict[str, Any]:
        """The modal of an action for a case as it now is, or the sentence that says why it cannot be done."""
        try:
            with reading(self._engine) as session:
                case = case_of(session, case_id, lock=False)
                if name == MORE:
                    known, answer = known_actions(), newest_answer(session, case_id)
                    labels = [(one, known[one].LABEL) for one in offered(standing(self._config, case, answer))]
                    return modal.chooser(labels, str(case_id), pressed.channel)
                self._allow(pressed, name)
                form = form_of(Doing(session, self._config, case, pressed.who, self._now()), name)
        except CallLightError as error:
            return modal.told(str(error))
        assert form is not None
        return modal.view(form, name, str(case_id), pressed.channel)

    def _do(self, pressed: Pressed, name: str, case_id: int, given: Mapping[str, Any]) -> None:
        """Do an action, and say to who pressed why it could not be done; or, after a form, that it was."""
        try:
            done = self._act(pressed, name, case_id, given)
        except CallLightError as error:
            self._door.whisper(pressed.channel, pressed.who, str(error))
        else:
            if done is not None and given:
                self._door.whisper(pressed.channel, pressed.who, done.sentence)

    def _act(self, pressed: Pressed, name: str, case_id: int, given: Mapping[str, Any]) -> Done | None:
        """Do an action and show the case as it then is; None if this press was done before. Raises CallLightError."""
        self._allow(pressed, name)
        wanted = Press(name, case_id, pressed.who, pressed.name, pressed.key, given, pressed.seal)
        return press(self._engine, self._config, self._door, wanted, self._now(), self._secrets, self._wake)

    def _came_of_it(self, pressed: Pressed, name: str, case_id: int, given: Mapping[str, Any]) -> dict[str, Any]:
        """Do an action whose modal stays open; what the modal shows then: the next form, or what was done, or why not."""
        try:
            done = self._act(pressed, name, case_id, given)
        except CallLightError as error:
            return modal.told(str(error))
        if done is not None and done.then is not None:
            return self._form(pressed, done.then, case_id)
        return modal.told(done.sentence if done is not None else "That was done already.")

    def _allow(self, pressed: Pressed, name: str) -> None:
        """Raises NeedsPerson for who may not do this."""
        allow(self._config.care, name, pressed.who, lambda groups: self._groups_of(pressed, name, groups))

    def _groups_of(self, pressed: Pressed, name: str, groups: Collection[str]) -> Collection[str]:
        try:
            return self._door.groups_of(pressed.who, list(groups))
        except CallLightError as error:
            label = known_actions()[name].LABEL.removesuffix("…")
            why = f"Slack does not say who is in the group that care.toml names ({error})"
            raise NeedsPerson(f"It is not known whether you may do {label!r}: {why}. Please press again.") from None

    # ---------------------------------------------------------------- modals

    def _submitted(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        name = str(view["callback_id"]).removeprefix("do:")
        number, channel = modal.private(view)
        given = modal.answers(view["state"]["values"])
        pressed = replace(_pressed(body, channel, _key(view)), seal=modal.seal(view))
        if name not in known_actions() or not _is_number(number):
            ack()
            return
        try:
            with reading(self._engine) as session:
                case = case_of(session, int(number), lock=False)
                doing = Doing(session, self._config, case, pressed.who, self._now(), seal=pressed.seal)
                check(doing, name, given)
        except Refused as refused:
            ack(
                response_action="errors",
                errors={field: why for field, why in refused.problems.items() if field in given},
            )
            return
        except CallLightError as error:
            ack(response_action="update", view=modal.told(str(error)))
            return
        if not getattr(known_actions()[name], "STAYS", False):
            ack()
            self._do(pressed, name, int(number), given)
            return
        # Slack shows what arrives last: an answer that says "one moment" must not overtake what it announces.
        work = self._workers.submit(self._came_of_it, pressed, name, int(number), given)
        try:
            ack(response_action="update", view=work.result(_SOON))
        except TimeoutError:
            ack(response_action="update", view=modal.waiting())
            self._door.update_view(view["id"], work.result())

    def _chosen(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """Behind "More…": the form of what was chosen takes the place of the choice."""
        number, channel = modal.private(view)
        name = str(modal.answers(view["state"]["values"]).get("action", ""))
        pressed = _pressed(body, channel, _key(view))
        if name not in known_actions() or not _is_number(number):
            ack()
        elif hasattr(known_actions()[name], "form"):
            ack(response_action="update", view=self._form(pressed, name, int(number)))
        else:
            ack()
            self._do(pressed, name, int(number), {})

    # ---------------------------------------------------------------- folded cases

    def _next(self, ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        """The most urgent case of a fold that is still free is theirs; its card comes to the channel."""
        ack()
        pressed = _pressed(body)
        try:
            self._allow(pressed, "claim")
        except CallLightError as error:
            self._door.whisper(pressed.channel, pressed.who, str(error))
            return
        with reading(self._engine) as session:
            free = [case.id for case in _folded(session, str(action.get("value", ""))) if case.state == "open"]
        for number, case_id in enumerate(free):
            assert case_id is not None
            one = Pressed(pressed.who, pressed.name, pressed.channel, f"{pressed.key}:{number}", pressed.trigger)
            if self._claimed(one, case_id):
                self._door.whisper(pressed.channel, pressed.who, f"Case {case_id} is yours; its card comes below.")
                return
        self._door.whisper(pressed.channel, pressed.who, "All of these were taken up.")

    def _claimed(self, pressed: Pressed, case_id: int) -> bool:
        """Whether they got it: somebody else may take the same one at the same moment."""
        try:
            with Session(self._engine) as session:
                if not first_time(session, pressed.key, self._now()):
                    return False
                met(session, pressed.who, pressed.name)
                act(session, self._config, "claim", case_id, pressed.who, self._now())
        except CallLightError:
            return False
        self._wake()
        return True

    def _show(self, ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        """The cases of a fold, a page at a time, each with its button."""
        ack()
        pressed = _pressed(body)
        number, _, start = str(action.get("value", "")).partition(":")
        open_view = (body.get("view") or {}).get("id") or self._door.open_view(pressed.trigger, modal.waiting())
        if open_view is None:
            self._door.whisper(pressed.channel, pressed.who, _AGAIN)
            return
        first = int(start) if _is_number(start) else 0
        with reading(self._engine) as session:
            cases = _folded(session, number)
            shown = [
                (desk.line(session, case, self._now()), case.id if case.state == "open" else None)
                for case in cases[first : first + _PAGE]
            ]
        more = f"{number}:{first + _PAGE}" if len(cases) > first + _PAGE else None
        self._door.update_view(open_view, modal.listing(f"{len(cases)} folded cases", shown, more))

    # ---------------------------------------------------------------- spikes

    def _spike(self, ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        """What we know of a spike is asked for."""
        ack()
        pressed = _pressed(body)
        number = str(action.get("value", "")).removeprefix("spike:")
        if self._door.open_view(pressed.trigger, modal.view(KNOW, "known", number, pressed.channel)) is None:
            self._door.whisper(pressed.channel, pressed.who, _AGAIN)

    def _know(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        number, channel = modal.private(view)
        if not _is_number(number):
            ack()
            return
        text = str(modal.answers(view["state"]["values"]).get("known", ""))
        if problems := objections_to(text, self._config.hospital, None, self._config.care.replies):
            ack(response_action="errors", errors={"known": " ".join(problems)})
            return
        ack()
        pressed = _pressed(body, channel, _key(view))
        try:
            with Session(self._engine) as session:
                know(session, int(number), text, pressed.who, self._now())
        except CallLightError as error:
            self._door.whisper(pressed.channel, pressed.who, str(error))
        self._wake()

    # ---------------------------------------------------------------- /calllight

    def _command(self, ack: Ack, respond: Respond, command: dict[str, Any]) -> None:
        ack()
        word, _, rest = str(command.get("text", "")).strip().partition(" ")
        try:
            blocks = self._said(word.lower(), rest.strip(), str(command.get("user_id", "")))
        except CallLightError as error:
            blocks = [mrkdwn(escape(str(error)))]
        respond(text="Call Light", blocks=blocks, response_type="ephemeral")

    def _said(self, word: str, rest: str, who: str) -> list[dict[str, Any]]:
        """What a command answers."""
        now = self._now()
        if word == "on":
            return [mrkdwn(desk.who_is_on(self._config, now))]
        with reading(self._engine) as session:
            found = {
                "open": lambda: desk.open_cases(session),
                "mine": lambda: desk.mine(session, who),
                "late": lambda: desk.late(session, now),
                "search": lambda: desk.search(session, rest) if rest else [],
            }.get(word)
            if found is None:
                return [mrkdwn(_HELP)]
            cases = found()
            lines = [
                mrkdwn(desk.line(session, case, now)) | (_claim(case.id) if case.state == "open" else {})
                for case in cases[:_LISTED]
            ]
        heading = f"*{len(cases)}* {'case' if len(cases) == 1 else 'cases'}" if cases else "Nothing."
        rest_of_them = (
            [mrkdwn(f"… and {len(cases) - _LISTED} more; the most urgent are shown.")] if len(cases) > _LISTED else []
        )
        return [mrkdwn(f"/calllight {word}: {heading}"), *lines, *rest_of_them]


def _claim(case_id: int | None) -> dict[str, Any]:
    return {"accessory": {"type": "button", "action_id": "do:claim", "text": plain("Claim"), "value": str(case_id)}}


def _folded(session: Session, number: str) -> list[Case]:
    row = session.get(Delivery, int(number)) if _is_number(number) else None
    return folded(session, row) if row is not None and row.kind == "fold" else []


def _is_number(text: str) -> bool:
    """Whether it is a number that the database can hold: "²" is a digit too, and no number."""
    return re.fullmatch("[0-9]{1,15}", text) is not None


def _key(view: Mapping[str, Any]) -> str:
    return f"view:{view.get('id')}:{view.get('hash')}"


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of a payload; nothing where it has another shape."""
    part = body.get(name)
    return part if isinstance(part, Mapping) else {}


def _pressed(body: Mapping[str, Any], channel: str = "", key: str = "") -> Pressed:
    user, container, view = _part(body, "user"), _part(body, "container"), _part(body, "view")
    trigger = str(body.get("trigger_id", ""))
    # A command says it in another way than a press.
    where = channel or str(container.get("channel_id") or body.get("channel_id") or modal.private(view)[1])
    name = str(user.get("name") or user.get("username") or "")
    who = str(user.get("id") or body.get("user_id") or "")
    return Pressed(who, name, where, key or f"trigger:{trigger}", trigger)
