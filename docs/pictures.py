"""Draws the pictures of the README from the product itself: make pictures. Needs Chromium and a font with emoji."""

import io
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import replace as replaced
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.console import Console as Terminal
from slack_drawn import modal_page, slack_page
from sqlmodel import Session

from alerts import modal, rehearsal
from alerts.act import Doing, act, form_of
from alerts.case import Case, waiting_cases
from alerts.center.app import app
from alerts.console import Console
from alerts.door import Sent
from alerts.figures import figures
from alerts.message import Message
from alerts.rehearse import rehearse
from alerts.replies import objections
from alerts.report import html, report
from alerts.span import last
from alerts.spikes import TopicHour
from config.load import load
from config.schema import Config, Hospital, Shift
from listener import week
from listener.collect import settings_of_all
from listener.collectors import listening_post
from listener.database import open_database
from listener.post import Page, Post
from listener.service import Service, replay
from listener.serving import Limits, Where, serving
from nlp.explain import drawn
from nlp.pipeline import Reader, Text

_HERE = Path(__file__).parent
_OUT = _HERE / "pictures"
_TODAY = datetime(2026, 11, 16, 15, 0, tzinfo=UTC)
_EXPLAINED = (
    "Lovely soup in your cafeteria, and Nurse Ngozi is a gem. But his lips look grey to me and the lady at the desk said take a number.",
    "That bill from St. Brigid's gave me a heart attack, $4,300 for a band-aid",
)
_JUST_NOW = (
    "Nurse Ngozi at St. Brigid's Harbor sat with my mom all night. Thank you thank you",
    "your phone line for appointments at St. Brigid's has been busy since noon, I give up",
    "St. Brigid's billed me twice for one x-ray and nobody calls back. I want to talk to a person",
    "40 minutes in the St. Brigid's ER waiting room and not one chair left, people sit on the floor",
    "My dad collapsed in your waiting room at St. Brigid's and nobody comes",
)
_PORTAL = """\
the St. Brigid's portal is down again, this is useless, I need my results
MyBrigid app keeps logging me out every minute, what is going on?
anyone else unable to log in to the St. Brigid's patient portal?
my St. Brigid's password is right and the portal says it is wrong, four times now
is the MyBrigid app broken for everyone or is it me?
cannot open a single message from my doctor on the St. Brigid's portal, it just spins
the portal of St. Brigid's ate my refill request, blank page after I press send
St. Brigid's portal: "service unavailable". Great. My test results came in today.
tried three browsers, the St. Brigid's login does not load in any of them
MyBrigid will not let me cancel tomorrow's appointment, it freezes each time
how am I supposed to pay online at St. Brigid's when the website is dead?
whoever runs the St. Brigid's app, please fix the login, it has failed all afternoon
St. Brigid's app: blank screen after the update, how do I see my appointments?
three hours without the St. Brigid's portal, who do I even call about this?""".splitlines()
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


_GROWING = ("call_light_spike", "call_light_fold")  # shown as they are in the end


class Gallery:
    """A door that keeps every message."""

    name = "gallery"

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def post(self, channel: str, message: Message, key: str) -> Sent:
        self.messages.append(message)
        return Sent(channel, str(len(self.messages) - 1))

    def update(self, sent: Sent, message: Message) -> None:
        if message.metadata["event_type"] in _GROWING:
            self.messages[int(sent.ref)] = message

    def find(self, channel: str, key: str, since: datetime, place: str | None) -> Sent | None:
        return None


def main() -> None:
    """Write every picture."""
    _OUT.mkdir(exist_ok=True)
    config = load(_HERE.parent / "config", settings_of_all())
    moment = [_TODAY]
    gallery = Gallery()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(Path(folder))
        service = Service(config, engine, gallery, {}, lambda: moment[0])
        posts = week.posts(config.hospital.zone, _TODAY)
        for _ in replay(service, posts, timedelta(hours=1), lambda at: moment.__setitem__(0, at.astimezone(UTC))):
            pass
        moment[0] = _TODAY
        service.deliver("people")
        with Session(engine) as session:
            numbers = figures(session, config, last("week", config.hospital.zone, _TODAY), _TODAY)
        page = html(report(numbers, config.report.sections), numbers)
        with Session(engine) as session:
            tried = _tried(session, config)
        moment[0] = max(post.written_at for post in posts) + timedelta(minutes=4)
        _center_pictures(service, Path(folder))
        engine.dispose()
    danger = next(m for m in gallery.messages if m.urgency == "danger" and "<!here>" in m.text)
    others = [m for m in gallery.messages if m.lines and m.urgency in ("here_now", "routine")][:2]
    _terminal_picture([danger, *others], config.care.slack.channels)
    reader = Reader(config)
    _explain_picture(reader)
    _screenshot(slack_page([danger]), _OUT / "card.png", 660, 760)
    weekly = next(message for message in gallery.messages if _kind(message) == "report")
    _screenshot(slack_page([weekly]), _OUT / "weekly.png", 660, 1750)
    _page_pictures(page)
    _screenshot(tried, _OUT / "try.png", 900, 900)
    _listening_post_pictures(config.hospital)
    _desk_pictures(config, reader)


def _tried(session: Session, config: Config) -> str:
    """What an admin sees who leaves out the garage, and takes a phrase of danger for too wide."""
    keywords = config.keywords
    danger = keywords.urgency.danger
    fewer = danger.model_copy(update={"phrases": tuple(one for one in danger.phrases if "collaps" not in one)})
    urgency = keywords.urgency.model_copy(update={"danger": fewer})
    exclude = keywords.exclude.model_copy(update={"phrases": (*keywords.exclude.phrases, "garage")})
    after = config.model_copy(update={"keywords": keywords.model_copy(update={"urgency": urgency, "exclude": exclude})})
    found = rehearse(session, config, after, _TODAY - timedelta(days=30), _TODAY, lambda done, of: None)
    what = ("exclude.phrases: 'garage' added", "urgency.danger.phrases: every phrase with 'collaps' taken out")
    return rehearsal.html(found, config, after, what)


def _center_pictures(service: Service, folder: Path) -> None:
    """The Listening Center when the week ends: what is older than two hours was answered, the rest waits."""
    now = service.now()
    os.environ["LOGNAME"] = "maria"  # whoever draws the pictures
    with Session(service.engine) as session:
        for number, case in enumerate(waiting_cases(session)):
            if now - case.clock_from > timedelta(hours=2) and case.id is not None:
                at = case.clock_from + timedelta(minutes=4 + 3 * (number % 7))
                act(session, service.config, "claim", case.id, "Maria", at)
                act(session, service.config, "answered", case.id, "Maria", at)
    for number, words in enumerate(_JUST_NOW):
        at = now - timedelta(minutes=2, seconds=-20 * number)
        post = Post(
            source="x", ref=f"now{number}", text=words, author=f"now{number}", written_at=at, url="https://x.example/1"
        )
        list(service.bring_in("x", [Page((post,), {})]))
    service.clocks()
    service.flow()
    service.flowed_at = now
    limits = Limits(connections=20, silence=60, life=None, end=1, one_request=False)
    with (
        serving(app(service._room(folder)), Where("center", "127.0.0.1", 0, ""), limits) as served,
        sync_playwright() as playwright,
    ):
        options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *_FLAGS[-4:]]
        browser = playwright.chromium.launch(executable_path=_chromium(), args=options)
        with Session(service.engine) as session:
            case = waiting_cases(session)[0]
        for name, path, width, height, theme in (
            ("center_waterfall", "/", 1280, 860, "light"),
            ("center_case", f"/cases/{case.id}", 1280, 860, "light"),
            ("center_wall", "/wall", 1280, 720, "dark"),
            ("center_inbox", "/inbox", 390, 844, "dark"),
        ):
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)
            page.goto(f"http://127.0.0.1:{served.port}{path}")
            page.wait_for_function("source?.readyState === EventSource.OPEN")
            page.screenshot(path=_OUT / f"{name}.png")
            page.close()
        browser.close()


def _page_pictures(page: str) -> None:
    """The top of the page on a desk; and on a phone at night, in a frame as no window is that narrow."""
    _screenshot(page, _OUT / "summary.png", 820, 1060)
    night = page.replace("(prefers-color-scheme: dark)", "(min-width: 0)")
    frame = f"<body style='margin:0'><iframe srcdoc='{escape(night)}' width=390 height=844 style='border:0'></iframe>"
    _screenshot(frame, _OUT / "summary_phone.png", 390, 844)


def _listening_post_pictures(hospital: Hospital) -> None:
    settings = listening_post.Settings(
        contact="Patient Relations 555-0100", public_url="https://listen.stbrigid.example/"
    )
    desk = listening_post._Desk(settings, hospital, lambda: _TODAY)
    draft = desk.draft({"at": "Emergency", "lang": "en"}, {})
    _screenshot(desk.page("form", draft), _OUT / "listening_post.png", 500, 860)
    _screenshot(desk.page("poster", draft), _OUT / "poster.png", 816, 1190)


def _desk_pictures(config: Config, reader: Reader) -> None:
    """An afternoon at the desk: the portal is down, too much comes at once, something waits, the shift changes."""
    start = datetime(2026, 11, 16, 18, 30, tzinfo=config.hospital.zone).astimezone(UTC)
    shifts = (Shift(name="Day", hours="07:00-19:00"), Shift(name="Night", hours="19:00-07:00"))
    config = config.model_copy(update={"care": config.care.model_copy(update={"shifts": shifts})})
    moment, gallery = [start], Gallery()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(Path(folder))
        service = Service(config, engine, gallery, {}, lambda: moment[0])
        service.in_force.reader = reader
        with Session(engine) as session:  # two quiet weeks, so that it is known what is usual
            hours = (start.replace(minute=0) - timedelta(hours=number) for number in range(1, 14 * 24))
            session.add_all(TopicHour(topic="waiting", hour=hour, posts=1) for hour in hours)
            session.commit()
        for number, words in enumerate(_PORTAL):
            moment[0] = start + timedelta(seconds=2 * number)
            post = Post(
                source="x",
                ref=str(number),
                text=words,
                author=f"a{number}",
                written_at=moment[0],
                url="https://x.example/1",
            )
            list(service.bring_in("x", [Page((post,), {})]))
            service.flow()
        draft = _draft_picture(service, moment[0])
        moment[0] = start + timedelta(minutes=2)
        service.flow()
        kinds = {_kind(message): message for message in gallery.messages}
        moment[0] = start + timedelta(minutes=31)
        service.flow()
        kinds |= {_kind(message): message for message in gallery.messages if _kind(message) in ("reminder", "handover")}
        engine.dispose()
    scenes = [kinds[kind] for kind in ("spike", "fold", "reminder", "handover") if kind in kinds]
    _screenshot(slack_page(scenes), _OUT / "desk.png", 660, 1560)
    _screenshot(draft, _OUT / "draft.png", 560, 590)


def _kind(message: Message) -> str:
    return str(message.metadata["event_type"]).removeprefix("call_light_")


def _draft_picture(service: Service, now: datetime) -> str:
    """The modal of a draft, with words in it that the check refuses."""
    with Session(service.engine) as session:
        case = session.get_one(Case, 1)
        form = form_of(Doing(session, service.config, case, "U0ANA1", now), "draft")
    assert form is not None
    text = "Hi Ann, we are sorry about your wait. Our records show that you were seen within two hours."
    problems = objections(text, service.config.hospital, _PORTAL[0], service.config.care.replies)
    (field,) = form.fields
    mistaken = replaced(form, fields=(replaced(field, initial=text),))
    return modal_page(modal.view(mistaken, "draft", "1", ""), {"reply": " ".join(problems)})


def _terminal_picture(messages: list[Message], channels: dict[str, str]) -> None:
    terminal = _terminal()
    door = Console(channels, terminal)
    for message in messages:
        door.post("danger" if message.urgency == "danger" else "care", message, "")
    _drawn_terminal(terminal, "call-light demo", "terminal.png")


def _explain_picture(reader: Reader) -> None:
    terminal = _terminal()
    for post in _EXPLAINED:
        terminal.print(drawn(reader.doc(Text(post, about_us=True))))
    _drawn_terminal(terminal, "call-light read --explain", "explain.png")


def _terminal() -> Terminal:
    return Terminal(record=True, width=92, file=io.StringIO(), force_terminal=True)


def _drawn_terminal(terminal: Terminal, title: str, name: str) -> None:
    svg = re.sub(r"@font-face \{.*?\}", "", terminal.export_svg(title=title), flags=re.DOTALL)
    width, height = (round(float(number)) for number in re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)[0])
    _screenshot(f"<body style='margin:0'>{svg}</body>", _OUT / name, width, height + 10)


def _chromium() -> str:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        raise SystemExit("no Chromium found: install it for the PNG pictures")
    return chromium


def _screenshot(page: str, target: Path, width: int, height: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.html"
        source.write_text(page, encoding="utf-8")
        command = [
            _chromium(),
            *_FLAGS,
            f"--user-data-dir={folder}/profile",
            f"--window-size={width},{height}",
            f"--screenshot={target}",
            source.as_uri(),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


if __name__ == "__main__":
    main()
