"""The commands. Heavy libraries are loaded inside the command that needs them: --help answers at once."""

import gc
import io
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from listener import cli_privacy, lines, shell
from listener.cli_config import config_app

if TYPE_CHECKING:
    from rich.console import Console as Terminal
    from sqlalchemy import Engine

    from alerts.ledger import Ledger
    from alerts.span import Kind, Span
    from config.schema import Config
    from listener.environment import Environment
    from listener.post import Post
    from listener.service import Passed, Service

app = typer.Typer(
    help="Hears what patients say in public about a hospital and puts what needs a person before the care team.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(config_app, name="config")
cli_privacy.add_to(app)
hooks_app = typer.Typer(help="Other systems that are told of cases.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(hooks_app, name="hooks")

_DEMO_MARK = "demo"  # a file that tells the demo's database from a real one
# Hundreds of thousands of rows are held at once and none of them in a circle: Python would look through them all the
# time for garbage. A tenth of a summary's time; see benchmarks/report.py.
_GARBAGE = (100_000, 50, 100)
_ANYWHERE = ("--config", "--data", "--debug")


def main() -> None:
    """Run a command; an error becomes one sentence and exit status 1."""
    gc.set_threshold(*_GARBAGE)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without emoji shows what it can
    try:
        app(args=_to_front(sys.argv[1:]))
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if shell.given["debug"]:
            raise
        shell.fail(_sentence(error))


def _sentence(error: Exception) -> str:
    from config.load import ConfigError
    from listener.errors import CallLightError

    if isinstance(error, CallLightError | ConfigError):
        return str(error)
    from listener.database import remedy

    if told := remedy(error):
        return told
    # The kind only: the message of an unknown error may carry what a post said.
    return (
        f"something unexpected happened ({type(error).__name__}); run it again with --debug and report what it prints"
    )


def _to_front(args: list[str]) -> list[str]:
    """--config, --data and --debug may stand anywhere."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(args)
    for arg in waiting:
        name, _, value = arg.partition("=")
        if name not in _ANYWHERE:
            rest.append(arg)
            continue
        front.append(arg)
        if name != "--debug" and not value:
            front += [next(waiting, "")]
    return front + rest


@app.callback()
def _options(
    config: Annotated[
        Path | None, typer.Option(help="Folder of the config files [CALL_LIGHT_CONFIG, config/].")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of database and reports [CALL_LIGHT_DATA, data/].")] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks, and log more.")] = False,
) -> None:
    shell.given.update(config=config, data=data, debug=debug)


# ---------------------------------------------------------------- the service


@app.command()
def demo(
    serve: Annotated[
        bool | None,
        typer.Option(
            "--serve/--no-serve", help="Open the Listening Center and let the week play into it [on a terminal]."
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0, max=3600, help="How long it plays there, at least.")] = 75,
) -> None:
    """Play the bundled week through every stage; no accounts needed."""
    from alerts.console import Console as Door
    from listener import week
    from listener.service import Service

    terminal, environment = shell.terminal(), shell.environment()
    folder = (
        environment.config
        if shell.given["config"] or environment.config.is_dir()
        else Path(__file__).parents[1] / "config"
    )
    config = _of_demo(shell.load(folder))
    # The week fills the database that the other commands look at, unless a real one is there.
    engine, today = _empty_database(environment), datetime.now(UTC)
    moment: list[datetime | None] = [today]
    door = Door(config.care.slack.channels, terminal)
    service = Service(config, engine, door, {}, lambda: moment[0] or datetime.now(UTC), shell.reports())
    terminal.rule(f"{config.hospital.name}: seven days of posts, played through every stage")
    posts = week.posts(config.hospital.zone, today)
    if not (sys.stdout.isatty() if serve is None else serve):
        _play(service, posts, moment)
        return _tell_of_week(service, today, terminal)
    with _open_center(service) as address:
        terminal.print(f"The Listening Center: {address}")
        if sys.stdout.isatty():
            typer.launch(address)
        _play(service, posts, moment, seconds)
        _tell_of_week(service, today, terminal)
        terminal.print(
            f"\nThe Listening Center stays open at {address}; a post of your own: {address}/listen/. Ctrl-C ends it."
        )
        moment[0] = None
        service.run(clocks=False)  # the played cases are late by days


def _of_demo(config: "Config") -> "Config":
    """The config without its ears, but for the form that visitors can try."""
    ears = {name: ear.model_copy(update={"on": name == "listening_post"}) for name, ear in config.collectors.items()}
    return config.model_copy(update={"collectors": ears})


def _play(service: "Service", posts: "list[Post]", moment: "list[datetime | None]", seconds: float = 0.0) -> None:
    """The week, as fast as it goes or in about so many seconds, so that people can watch it."""
    from rich.progress import Progress

    from listener.service import replay

    def set_time(at: datetime) -> None:
        moment[0] = service.flowed_at = at.astimezone(UTC)  # hours pass at once, and nothing is late by them

    step, today, began, done = timedelta(hours=1), moment[0], time.monotonic(), 0
    with Progress(console=shell.terminal(), transient=True) as progress:
        task = progress.add_task("Playing the week", total=len(posts))
        for played in replay(service, posts, step, set_time):
            progress.advance(task, played)
            done += played
            if service.stop.wait(max(0.0, began + seconds * done / len(posts) - time.monotonic())):
                break
    moment[0] = today
    service.flow()


def _tell_of_week(service: "Service", today: datetime, terminal: "Terminal") -> None:
    """The summary, the ledger, and where to look next. Ends with status 1 if the ledger does not add up."""
    from alerts.span import days

    zone = service.config.hospital.zone
    after = today.astimezone(zone).date()
    path = _write_report(service, days(after - timedelta(days=7), after, zone), today, terminal)
    sum_ = _ledger(service, None, today)
    _give_ledger(sum_)
    terminal.print(f"\nThe summary is in {path}. Next: call-light cases --open, call-light ledger --since 7d")
    if not sum_.adds_up:
        raise typer.Exit(1)


@contextmanager
def _open_center(service: "Service") -> "Iterator[str]":
    """The Listening Center is open; its address. Where its port is used, it takes another."""
    from listener.service import InForce

    center = service.config.care.center
    listen = center.listen if _is_free(center.host, center.port) else "127.0.0.1:0"
    taken = center.model_copy(update={"on": True, "listen": listen, "address": None, "proxies": ()})
    config = service.config.model_copy(update={"care": service.config.care.model_copy(update={"center": taken})})
    service.in_force = InForce(config, service.in_force.doors)
    opened = threading.Thread(target=service.open_center, name="center", daemon=True)

    def interrupted(*_: object) -> None:
        service.stop.set()  # Python drops what is raised while it tidies up an object: the next look ends it then
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupted)
    opened.start()
    while opened.is_alive() and service.center_at is None:
        opened.join(0.02)
    if service.center_at is None:
        shell.fail("the Listening Center cannot be opened; call-light demo --no-serve plays the week without it")
    try:
        yield service.center_at
    finally:
        service.stop.set()
        opened.join(5)
        signal.signal(signal.SIGINT, before)


def _is_free(host: str, port: int) -> bool:
    try:
        socket.create_server((host, port)).close()
    except OSError:
        return False
    return True


@app.command()
def run() -> None:
    """The service: listens, reads, decides and delivers until Ctrl-C or SIGTERM."""
    from alerts.slack_link import missing
    from listener import memory
    from listener.database import looked_through
    from listener.service import Passed

    memory.stay_small()
    service = shell.open_service(is_service=True)
    looked_through(service.engine)
    if (shell.environment().data / _DEMO_MARK).exists():
        shell.fail(
            "this data folder holds the invented week of the demo; give real posts a folder of their own with --data DIR"
        )
    names = [name for name, settings in service.config.collectors.items() if settings.on]
    if not names:
        shell.fail("no collector is on, so nothing can be heard; set on = true for one in listening.toml")
    shell.goes_live(service)
    typer.echo(f"Listening to {', '.join(names)}; cards go to {service.door.name}. Ctrl-C ends it.", err=True)
    passed = Passed()
    service.may_collect(passed)
    for sentence in passed.trouble:
        typer.echo(sentence, err=True)
    if service.door.name == "slack" and (lacks := missing(service.config, service.secrets)):
        typer.echo(
            f"{lacks} is not set, so nobody hears the buttons on the cards; README says where it is from.", err=True
        )
    if (center := service.config.care.center).on:
        typer.echo(f"The Listening Center: {center.address or f'http://{center.listen}'}", err=True)
    service.run()


@app.command()
def tick(as_json: shell.AsJson = False) -> None:
    """One pass of every stage, then exit; asks every collector that is on, whatever its rhythm."""
    service = shell.open_service()
    shell.goes_live(service)
    _print_passed(service.tick(), as_json)


@app.command()
def collect(
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Only this collector.")] = None,
    as_json: shell.AsJson = False,
) -> None:
    """One pass of hearing and keeping, without reading."""
    from listener.service import Passed

    service = shell.open_service()
    known = service.config.collectors
    if source is not None and source not in known:
        shell.fail(f"no collector {source!r} in listening.toml; there are {', '.join(known)}")
    passed = Passed()
    for name in [source] if source else [name for name, settings in known.items() if settings.on]:
        service.collect(name, passed)
    service.release()
    _print_passed(passed, as_json)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV or JSON Lines of posts, as other tools export them.")],
    source: Annotated[str | None, typer.Option(metavar="NAME", help="The place all its posts come from.")] = None,
    as_json: shell.AsJson = False,
) -> None:
    """Bring in posts from a file; what is known already changes nothing."""
    from rich.progress import Progress

    from listener.collectors.file import Lines, read
    from listener.errors import SkipPost
    from listener.post import Page, Post
    from listener.service import Passed

    service = shell.open_service()
    lines = Lines.of(file)
    total = Passed()
    with Progress(console=shell.terminal(stderr=True), transient=True) as progress:
        task = progress.add_task(f"Reading {file.name}", total=max(1, lines.text.count("\n")))
        done = 0
        for number, batch in read(lines, service.config.hospital.zone, source):
            posts = tuple(item for item in batch if isinstance(item, Post))
            skipped = tuple(item for item in batch if isinstance(item, SkipPost))
            for passed in service.bring_in("import", [Page(posts, {}, skipped=skipped)]):
                total.add(passed)
            progress.advance(task, number - done)
            done = number
    _print_passed(total, as_json)


@app.command()
def read(
    file: Annotated[str, typer.Argument(help='JSON Lines {"id", "text"}; "-" is standard input.')] = "-",
    any_hospital: Annotated[bool, typer.Option("--any-hospital", help="As if every post were about us.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show each post with the words that spoke.")] = False,
) -> None:
    """Read texts: JSON Lines in, readings out as JSON Lines, in order; no database."""
    from nlp.pipeline import Reader

    reader = Reader(shell.load(shell.environment().config))
    if explain:
        return lines.explain(reader, lines.of(file), any_hospital, shell.terminal())
    bad = 0
    for reading in lines.readings(reader, lines.of(file), any_hospital):
        bad += "error" in reading
        lines.put(reading)
    if bad:
        shell.fail(f'{bad} lines could not be read; each has its reason under "error"')


@app.command("check-reply")
def check_reply(
    file: Annotated[str, typer.Argument(help='JSON Lines {"id", "reply", "post"?}; "-" is standard input.')] = "-",
    explain: Annotated[
        bool, typer.Option("--explain", help="Show each draft with the words that may not go out.")
    ] = False,
) -> None:
    """The privacy check on drafts of public replies: JSON Lines in, verdicts out as JSON Lines, in order."""
    config = shell.load(shell.environment().config)
    if explain:
        return lines.explain_replies(config, lines.of(file), shell.terminal())
    bad = 0
    for verdict in lines.verdicts(config, lines.of(file)):
        bad += "error" in verdict
        lines.put(verdict)
    if bad:
        shell.fail(f'{bad} lines could not be read; each has its reason under "error"')


# ---------------------------------------------------------------- looking


@app.command()
def ledger(
    since: shell.Since = None, csv: shell.AsCsv = None, xlsx: shell.AsXlsx = None, as_json: shell.AsJson = False
) -> None:
    """The sum: collected = alerted + in digest + dismissed with a reason. Exit status 1 if it does not add up."""
    service = shell.open_service()
    start = shell.midnight(service, since)
    sum_ = _ledger(service, start, service.now())
    _give_ledger(sum_, csv, xlsx, {**sum_.__dict__, "since": start, "adds_up": sum_.adds_up} if as_json else None)
    if not sum_.adds_up:
        raise typer.Exit(1)


@app.command()
def cases(
    is_open: Annotated[bool, typer.Option("--open", help="Only what nobody has claimed.")] = False,
    mine: Annotated[str | None, typer.Option(metavar="NAME", help="Only what this person has claimed.")] = None,
    late: Annotated[bool, typer.Option("--late", help="Only what is past its reply target.")] = False,
    search: Annotated[
        str | None, typer.Option(metavar="WORDS", help="Those with these words, also what is over.")
    ] = None,
    csv: shell.AsCsv = None,
    xlsx: shell.AsXlsx = None,
    as_json: shell.AsJson = False,
) -> None:
    """What still needs someone, the most urgent first, with the time left."""
    from alerts import desk
    from alerts.case import waiting_cases

    service = shell.open_service()
    now = service.now()
    with shell.session(service.engine) as session:
        found = desk.search(session, search) if search else waiting_cases(session)
        for wanted, subset in (
            (is_open, desk.open_cases(session)),
            (mine is not None, desk.mine(session, mine or "")),
            (late, desk.late(session, now)),
        ):
            found = [case for case in found if case in subset] if wanted else found
        table = desk.table(session, found, now, service.config.hospital.zone)
        dump = [case.model_dump(mode="json", exclude={"author", "thread"}) for case in found] if as_json else None
    shell.give(table, csv, xlsx, dump, "No case fits." if search or mine or late else "Nothing waits for anyone.")


@app.command(context_settings={"ignore_unknown_options": True})  # -word is no option
def search(
    query: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="QUERY", help="Words; OR between two, -word for without, '\"two words\"' for side by side."
        ),
    ] = None,
    since: shell.Since = None,
    category: Annotated[str | None, typer.Option(metavar="NAME", help="Only about this: parking, billing ...")] = None,
    urgency: Annotated[str | None, typer.Option(metavar="NAME", help="Only this urgent: danger, serious ...")] = None,
    site: Annotated[str | None, typer.Option(metavar="NAME", help="Only about this place of the hospital.")] = None,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Only from there: x, reddit ...")] = None,
    kind: Annotated[str | None, typer.Option(metavar="NAME", help="Only complaint, praise, question ...")] = None,
    state: Annotated[str | None, typer.Option(metavar="NAME", help="Only where the case is open, answered ...")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, max=1000, help="So many at most: else 20, and 1000 in a file.")
    ] = None,
    csv: shell.AsCsv = None,
    xlsx: shell.AsXlsx = None,
    as_json: shell.AsJson = False,
) -> None:
    """What was said about something, the best match first; the newest that fit when there is no QUERY."""
    from dataclasses import asdict

    from alerts import search as searches
    from alerts.console import about, print_found
    from listener.database import reading

    words = query or []
    if wrong := next((word for word in words if word.startswith("--")), None):
        raise typer.BadParameter(f"no such option: {wrong}")
    asked, is_file = " ".join(words), bool(csv or xlsx)
    service = shell.open_service()
    filters = searches.Filters(category, urgency, site, source, kind, state, shell.midnight(service, since))
    with reading(service.engine) as session:
        found = searches.search(session, service.config, asked, filters, limit or (1000 if is_file else 20))
    if is_file:
        for sentence in about(found, bool(asked.strip())):
            typer.echo(sentence, err=True)
    if as_json:
        # Without the links: at some places they name the author.
        hits = [{name: value for name, value in asdict(hit).items() if name != "url"} for hit in found.hits]
        shell.give(searches.table(found.hits, service.config), csv, xlsx, {**asdict(found), "hits": hits})
    elif is_file:
        shell.give(searches.table(found.hits, service.config), csv, xlsx)
    else:
        print_found(shell.terminal(), found, service.config, bool(asked.strip()))


@app.command("act")
def act_(
    case_id: Annotated[int, typer.Argument(metavar="CASE", help="Its number, as in call-light cases.")],
    action: Annotated[str, typer.Argument(help="claim, answered, close, snooze ...; a wrong one names them all.")],
    who: Annotated[str, typer.Option("--as", metavar="NAME", help="Who does it; it is written down.")],
    answers: Annotated[
        list[str] | None, typer.Option("--with", metavar="NAME=VALUE", help="What it asks, as outcome=fixed.")
    ] = None,
) -> None:
    """Do something with a case, as the buttons of a card do; without its answers it says what it asks."""
    from alerts.act import act, known_actions, permitted

    if action not in known_actions():
        shell.fail(f"no action {action!r}; there are {', '.join(known_actions())}")
    service = shell.open_service()
    if not permitted(service.config.care, action, who):
        shell.fail(f"{action} is for others: [permissions] in care.toml names who may do it")
    with shell.session(service.engine) as session:
        done = act(session, service.config, action, case_id, who, service.now(), _pairs(answers), service.secrets)
        typer.echo(done.sentence + (f" Next: call-light act {case_id} {done.then}" if done.then else ""))


@app.command()
def contact(
    case_id: Annotated[int, typer.Argument(metavar="CASE", help="Its number, as on its card.")],
    who: Annotated[str, typer.Option("--as", metavar="NAME", help="Who looks; it is written down.")],
) -> None:
    """How to reach the author of a case: what they left in the listening post. It never goes to Slack."""
    from alerts.act import contact as look_up

    service = shell.open_service()
    with shell.session(service.engine) as session:
        typer.echo(look_up(session, case_id, who, service.now()))


@app.command()
def report(
    week: Annotated[
        str | None, typer.Option(metavar="2026-W46", help="An ISO week; the last finished one if left out.")
    ] = None,
    month: Annotated[str | None, typer.Option(metavar="2026-10", help='A month, or "last".')] = None,
    quarter: Annotated[str | None, typer.Option(metavar="2026-Q3", help='A quarter, or "last".')] = None,
    days: Annotated[str | None, typer.Option(metavar="A-to-B", help="2026-11-09-to-2026-11-15.")] = None,
    against: Annotated[
        str | None, typer.Option(metavar="2026-W40", help="What it is compared with; the one before if left out.")
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    post: Annotated[
        bool, typer.Option("--post", help="Also send it to the summary channel, once for each week.")
    ] = False,
    section: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this section, in place of the page; may be repeated.")
    ] = None,
    csv: Annotated[
        str | None, typer.Option("--csv", metavar="DIR", help='A CSV file a table; "-" prints the only one.')
    ] = None,
    xlsx: shell.AsXlsx = None,
    as_json: shell.AsJson = False,
) -> None:
    """The summary of a week, a month or a quarter: one HTML page in the data folder, and its sentences here; or its
    tables as files."""
    service = shell.open_service()
    now = service.now()
    span, other = _spans(service, {"week": week, "month": month, "quarter": quarter, "days": days}, against, now)
    if section or csv or xlsx or as_json:
        if open_it or post:
            shell.fail("--open and --post are for the page; run call-light report once more for the tables")
        return _give_report(service, span, other, section, csv, xlsx, as_json)
    if post and span.kind != "week":
        shell.fail("only the summary of a week is sent to the channel")
    path = _write_report(service, span, now, shell.terminal(), other)
    typer.echo(str(path))
    if post:
        _post_report(service, span, now)
    if open_it:
        typer.launch(path.resolve().as_uri())


@app.command()
def doctor(as_json: shell.AsJson = False) -> None:
    """Tokens, scopes, channels, clock, database, collectors: green, or what to do."""
    from alerts.doctor import examine

    terminal, worst = shell.terminal(), True
    findings = list(examine(shell.environment()))
    for finding in findings:
        worst = worst and finding.ok is not False
        if not as_json:
            sign = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]–[/]"}[finding.ok]
            terminal.print(sign, finding.what, style=None, highlight=False, markup=True)
            if finding.todo:
                terminal.print(f"    {finding.todo}", highlight=False, markup=False)
            if finding.ok is False:
                terminal.print(f"    docs/runbook.md#{finding.code}", highlight=False, markup=False)
    if as_json:
        shell.print_json([finding.__dict__ for finding in findings])
    if not worst:
        raise typer.Exit(1)


@app.command()
def token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As it stands under [center.people] in care.toml.")],
) -> None:
    """The token by which somebody signs in to the Listening Center. It is kept nowhere: give it to them alone."""
    from alerts.center.access import Access

    environment = shell.environment()
    people = shell.load(environment.config).care.center.people
    known = {one.casefold(): one for one in people}.get(name.casefold())
    if known is None:
        there = f"there are {', '.join(people)}" if people else "it names nobody"
        shell.fail(f'no {name!r} under [center.people] in care.toml ({there}); add "{name}" = {{ role = "care" }}')
    typer.echo(Access(b"", environment.secrets).token(known, people[known]))  # our key is for cookies, not for tokens


@app.command()
def page(
    test: Annotated[bool, typer.Option("--test", help="Page by each of them, to see that it arrives.")] = False,
) -> None:
    """The services that page the people on call when there is danger."""
    from alerts.message import note
    from alerts.pager import ADDRESSES, Pager

    pager = Pager(shell.environment().secrets.get(ADDRESSES, ""))
    if not pager.services:
        shell.fail(
            f"{ADDRESSES} names no address, so danger pages nobody beside Slack; docs/handoff.md says how to set it"
        )
    if not test:
        typer.echo("\n".join(f"{number}. {service}" for number, service in enumerate(pager.services, 1)))
        return
    pages = pager.page(note("This is only a test; nobody is in danger.", "Call Light: TEST", "test"))
    for one in pages:
        typer.echo(one.trouble or f"{one.number}. {one.service}: took it", err=bool(one.trouble))
    if any(one.trouble for one in pages):
        raise typer.Exit(1)


@hooks_app.command("list")
def hooks_list(csv: shell.AsCsv = None, xlsx: shell.AsXlsx = None, as_json: shell.AsJson = False) -> None:
    """Each hook of care.toml: where it goes, when it last took an event, what waits, and why."""
    from alerts.notices.hook import standings, table

    service = shell.open_service()
    with shell.session(service.engine) as session:
        found = standings(session, service.config.care.hooks)
    dump = [standing.__dict__ for standing in found] if as_json else None
    shell.give(table(found, service.config.hospital.zone), csv, xlsx, dump, "care.toml names no hook.")


@hooks_app.command("replay")
def hooks_replay(
    since: Annotated[str, typer.Option(metavar="7d", help="From so long ago on, whole days of the hospital.")],
    hook: Annotated[str | None, typer.Option(metavar="NAME", help="Only this hook.")] = None,
    case: Annotated[int | None, typer.Option(metavar="NUMBER", help="Only events of this case.")] = None,
    as_json: shell.AsJson = False,
) -> None:
    """Tell events again, under the same webhook-ids: a receiver that has had one drops it."""
    from alerts.notices.hook import replay

    service = shell.open_service()
    names = [one.name for one in service.config.care.hooks]
    if hook is not None and hook not in names:
        shell.fail(f"no hook {hook!r} in care.toml; there are {', '.join(names) or 'none'}")
    with shell.session(service.engine) as session:
        count = replay(session, shell.midnight(service, since), service.now(), hook, case)
        sent, waiting, trouble = _tell_hooks(service, session, count)
    if as_json:
        shell.print_json({"again": count, "sent": sent, "waiting": waiting, "trouble": trouble})
    else:
        typer.echo(f"{count} events to tell again; {sent} sent, {waiting} wait")
    for sentence in trouble:
        typer.echo(sentence, err=True)
    if waiting:
        raise typer.Exit(1)


def _tell_hooks(service: "Service", session: Any, count: int) -> tuple[int, int, list[str]]:
    """Send what waits for hooks now: how many went, how many wait, and why."""
    from rich.progress import Progress

    from alerts.deliver import deliver
    from alerts.hooks import Hooks

    door = Hooks(service.config.care.hooks, service.secrets, service.now)
    sent, trouble = 0, dict[str, None]()
    with Progress(console=shell.terminal(stderr=True), transient=True) as progress:
        task = progress.add_task("Telling hooks", total=count)

        def goes_on() -> bool:
            progress.advance(task)
            return False

        while True:
            delivered = deliver(session, service.config, door, service.now(), goes_on, "hooks")
            sent += delivered.sent
            trouble |= dict.fromkeys(delivered.trouble)
            if not delivered.sent or not delivered.waiting:
                return sent, delivered.waiting, list(trouble)


# ---------------------------------------------------------------- the model


@app.command()
def train(
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.")] = 1,
    epochs: Annotated[float, typer.Option(help="How often each example is seen.")] = 3.0,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the new model [where this program keeps its own].")
    ] = None,
    replies: Annotated[
        bool, typer.Option("--replies", help="The privacy check's instead, on the labelled replies; without --data.")
    ] = False,
) -> None:
    """Train the encoder on the collections in --data DIR and on our own posts: about 40 minutes on two cores."""
    from rich.progress import Progress, TextColumn, TimeRemainingColumn

    from alerts.privacy import learned
    from nlp.encoder import FOLDER

    data = None if replies else _collections()
    folder = out or (learned.FOLDER if replies else FOLDER)
    try:
        from alerts.privacy import train as of_replies
        from nlp import train as of_posts
    except ImportError as error:
        shell.fail(f'training needs more than reading ({error.name}): pip install "call-light[train]"')
    plan = of_posts.Plan(seed=seed, epochs=epochs)
    with Progress(
        *Progress.get_default_columns()[:2], TextColumn("loss {task.fields[loss]:.3f}"), TimeRemainingColumn()
    ) as bar:
        task = bar.add_task("training", total=None, loss=0.0)

        def show(step: int, steps: int, loss: float) -> None:
            bar.update(task, completed=step, total=steps, loss=loss)

        if data is None:
            of_replies.train(folder, plan, show)
        else:
            of_posts.train(data, folder, plan, show)
    how_good = f"call-light evaluate --data {data}" if data else "pytest tests/alerts/privacy"
    typer.echo(f"written to {folder}; {how_good} tells how good it is")


@app.command()
def evaluate(
    as_json: shell.AsJson = False,
    card: Annotated[bool, typer.Option("--card", help="Write the figures to the model card too.")] = False,
) -> None:
    """Precision, recall and F1 of every label, calibration, and what was to be reached; with --data DIR on the collections too."""
    from nlp import card as cards
    from nlp.encoder import FOLDER
    from nlp.evaluate import evaluate as measure
    from nlp.pipeline import Reader

    config = shell.load(shell.environment().config)
    reader = Reader(config)
    data = _collections() if shell.given["data"] else None
    found = measure(reader, config, data, lambda what: typer.echo(f"measuring: {what}", err=True))
    if as_json:
        shell.print_json(cards.as_json(found))
    else:
        typer.echo(cards.markdown(found))
    if card:
        folder = config.keywords.reader.folder
        typer.echo(f"written to {cards.write(found, Path(folder) if folder else FOLDER)}", err=True)


def _collections() -> Path:
    """The folder of labelled collections, given as --data."""
    folder: Path | None = shell.given["data"]
    if folder is None or not (folder / "label_mapping.csv").exists():
        shell.fail(
            "--data names the folder of the labelled collections; nlp/model/CARD.md says which they are and where from"
        )
    return folder


# ---------------------------------------------------------------- what some of them share


def _empty_database(environment: "Environment") -> "Engine":
    """The database for the demo: the usual one, unless it holds something that is not a demo."""
    from listener.database import open_database

    mark = environment.data / _DEMO_MARK
    path = environment.data / "call-light.db"
    if environment.database_url or (path.exists() and not mark.exists()):
        shell.fail(
            f"{environment.data} holds a real database; give the demo a folder of its own: call-light demo --data demo-data"
        )
    for old in environment.data.glob("call-light.db*"):
        old.unlink()
    engine = open_database(environment.data)
    mark.write_text("The database beside this file was made by `call-light demo` and is replaced by its next run.\n")
    return engine


def _print_passed(passed: "Passed", as_json: bool) -> None:
    """The counts of a pass; exit status 1 when something failed that does not mend itself by waiting."""
    if as_json:
        shell.print_json(passed.as_json())
    else:
        for skip in passed.skips:
            typer.echo(f"skipped {skip}", err=True)
        counts = (f"{value} {name}" for name, value in passed.as_json().items() if type(value) is int)
        typer.echo(", ".join(counts))
    for sentence in dict.fromkeys(passed.trouble):
        typer.echo(sentence, err=True)
    if passed.failed:
        raise typer.Exit(1)


def _ledger(service: "Service", since: datetime | None, now: datetime) -> "Ledger":
    from alerts.figures import each_heard
    from alerts.ledger import ledger as sum_up

    with shell.session(service.engine) as session:
        return sum_up(each_heard(session, since, now + timedelta(seconds=1)), now)


def _give_ledger(sum_: "Ledger", csv: str | None = None, xlsx: Path | None = None, dump: Any = None) -> None:
    from dataclasses import replace

    from alerts.sections.ledger import table

    shell.give(replace(table(sum_), title="Every post reviewed"), csv, xlsx, dump)
    if dump is None:
        sentence = "It adds up." if sum_.adds_up else "It does NOT add up; run call-light doctor."
        typer.echo(sentence, err=bool(csv or xlsx))


def _pairs(answers: list[str] | None) -> dict[str, Any]:
    """ "outcome=fixed" by name; a name that is given twice has several values."""
    found: dict[str, Any] = {}
    for answer in answers or ():
        name, is_pair, value = answer.partition("=")
        if not is_pair:
            shell.fail(f"--with {answer}: write it as NAME=VALUE")
        found[name] = [*found[name], value] if name in found else [value]
    return found


def _spans(
    service: "Service", given: dict[str, str | None], against: str | None, now: datetime
) -> "tuple[Span, Span | None]":
    """What a report is about, the last week if nothing is named, and what it is compared with."""
    from alerts.span import asked

    zone = service.config.hospital.zone
    named = {kind: name for kind, name in given.items() if name is not None}
    if len(named) > 1:
        raise typer.BadParameter(f"only one of {', '.join(f'--{kind}' for kind in named)}")
    kind, name = next(iter(named.items()), ("week", "last"))
    span = asked(cast("Kind", kind), name, zone, now)
    other = asked(span.kind, against, zone, now) if against is not None else None
    if other and span.kind == "days" and len(other.days) != len(span.days):
        raise typer.BadParameter(f"{other.name} has {len(other.days)} days and {span.name} {len(span.days)}")
    return span, other


def _write_report(
    service: "Service", span: "Span", now: datetime, terminal: "Terminal", against: "Span | None" = None
) -> Path:
    """Write the page of a span into the data folder and print its first section."""
    from alerts import report as reports
    from listener.database import reading

    with reading(service.engine) as session:  # a quarter takes long, and the service must not wait for it
        path, _, sections = reports.write(shell.reports(), session, service.config, span, now, against)
    terminal.rule(f"What was said, {span.in_words}")
    for section in sections[:1]:
        for sentence in section.sentences:
            terminal.print(sentence, highlight=False, markup=False)
    return path


_POST_TRIES, _POST_WAITS = 4, timedelta(seconds=6)


def _post_report(service: "Service", week: "Span", now: datetime) -> None:
    """Send the summary of a week once, and say what became of it."""
    from alerts.deliver import deliver
    from alerts.notices.report import of_week, row_of

    with shell.session(service.engine) as session:
        is_new = of_week(session, service.config, week, now)
        for _ in range(_POST_TRIES):
            deliver(session, service.config, service.door, service.now())
            row = row_of(session, week)
            soon = row is not None and row.state != "sent" and row.next_try_at - service.now() < _POST_WAITS
            session.commit()
            if not soon:
                break
            service.stop.wait(_POST_WAITS.total_seconds())  # Slack looks at the charts first
        row = row_of(session, week)
    if row is None:
        typer.echo(f"Not sent: nothing listened yet in {week.name}.")
    elif row.state != "sent":
        shell.fail(f"not sent to {row.channel} yet ({row.trouble or 'it waits'}); call-light run tries again by itself")
    else:
        zone = service.config.hospital.zone
        at = f", on {row.sent_at.astimezone(zone):%a %d %b %H:%M}" if row.sent_at and not is_new else ""
        typer.echo(f"{'Sent' if is_new else 'Was sent before'} to {row.channel}{at}.")
        if row.trouble:
            typer.echo(row.trouble)


def _give_report(
    service: "Service",
    span: "Span",
    against: "Span | None",
    names: list[str] | None,
    csv: str | None,
    xlsx: Path | None,
    as_json: bool,
) -> None:
    """Sections of a report as they were asked for: in files, as JSON, or else on the terminal. The page stays as it is."""
    from alerts import export, report
    from alerts.console import print_table
    from alerts.figures import figures
    from listener.database import reading

    shell.one_on_stdout(csv, as_json)
    names = list(dict.fromkeys(names or report.chosen(service.config.report, span)))
    with reading(service.engine) as session:
        numbers = figures(session, service.config, span, service.now(), against)
        sections = dict(zip(names, report.report(numbers, names), strict=True))
    tables = [table for section in sections.values() for table in section.tables]
    if csv == "-":
        if len(tables) != 1:
            shell.fail(
                f"--csv - prints one table, not {len(tables)}; name a section that has one with --section, or a folder"
            )
        shell.give(tables[0], csv)
    elif csv:
        for path in export.write_each(Path(csv), report.file_name(span, against), tables):
            shell.written(path)
    if xlsx:
        shell.give_workbook([export.about(sections.values(), numbers), *tables], xlsx)
    if as_json:
        typer.echo(export.json_text(sections, numbers).encode())
    elif not csv and not xlsx:
        terminal = shell.terminal()
        for section in sections.values():
            terminal.rule(section.title)
            for sentence in section.sentences:
                terminal.print(sentence, highlight=False, markup=False)
            for table in section.tables:
                print_table(terminal, table)


if __name__ == "__main__":
    main()
