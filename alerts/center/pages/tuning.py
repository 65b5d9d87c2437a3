"""Tuning: which files are in force and what is listened for; and for admins what changed files would do, before they are saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from sqlmodel import Session, col, select

from alerts import rehearsal
from alerts.center.access import Visitor
from alerts.center.app import OfRoom, OfVisitor, Sent, visitor_of
from alerts.center.page import go, words_for, write
from alerts.center.rehearsals import Attempt, Rehearsals, as_typed, files, is_as_shown, save
from alerts.center.room import Room
from alerts.center.task import once
from config.changes import in_words
from config.files import digest
from config.load import NAMES, Problem
from config.schema import Config
from listener import versions
from listener.database import reading
from listener.errors import NeedsPerson
from listener.versions import ConfigVersion

ROLE = "viewer"
NAV = (60, "Tuning", "/tuning")
_VERSIONS = 20
_DAYS = ("7", "30", "90")
_ROWS = 50  # of each table
_AGAIN = {"Refresh": "2"}  # the page asks again while it is tried
_AT_ONCE = 1.0  # seconds in which mistakes are found

router = APIRouter()


def admin(visitor: OfVisitor) -> Visitor:
    """Somebody who may try changed files."""
    if not visitor.may("admin"):
        raise HTTPException(403, "Only the role 'admin' tries changed files. Ask who runs Call Light.")
    return visitor


OfAdmin = Annotated[Visitor, Depends(admin)]


@dataclass(frozen=True)
class Mistake:
    """One mistake, with the line in which it stands."""

    file: str
    line: int
    says: str
    text: str


@router.get("/tuning", response_model=None)
def page(request: Request, visitor: OfVisitor, room: OfRoom) -> Response:
    """What is in force; for admins the files to be changed, or their last try once more."""
    attempt = _rehearsals(request, room).last() if visitor.may("admin") and "draft" in request.query_params else None
    return _shown(request, room, attempt.texts if attempt else None, attempt.since if attempt else None)


@router.post("/tuning/try", response_model=None)
def try_(request: Request, visitor: OfAdmin, room: OfRoom, sent: Sent) -> Response:
    """Begin to try them."""
    with reading(room.engine) as session:
        was = files(session, room)
    texts = was | {name: as_typed(sent[name][0], was.get(name, "")) for name in NAMES if name in sent}
    days = sent.get("since", [_DAYS[1]])[0]
    zone, now = room.config().hospital.zone, room.now()
    day = now.astimezone(zone).date() - timedelta(days=int(days) if days in _DAYS else 30)
    since = datetime.combine(day, time(), zone)
    if not is_as_shown(was, sent.get("shown", [""])[0]):
        sentence = "Somebody else has saved the files since you opened this page. Look at them, and try once more: what you send now takes the place of theirs."
        return _shown(request, room, texts, since, sentence)
    try:
        _rehearsals(request, room).begin(visitor.name, texts, was, since).task.wait(_AT_ONCE)
    except NeedsPerson as error:
        return _shown(request, room, texts, since, str(error))
    return go(request, "/tuning/try")


@router.get("/tuning/try", response_model=None)
def tried(request: Request, visitor: OfAdmin, room: OfRoom) -> Response:
    """How far it is, or what it came to."""
    attempt = _rehearsals(request, room).last()
    if attempt is None:
        return go(request, "/tuning", words_for(request)("What was tried is not kept any longer; please try it again."))
    task = attempt.task
    if not task.is_over:
        response = write(request, "tuning_trying", attempt=attempt)
        response.headers.update(_AGAIN)
        return response
    if task.result is None:
        return _shown(request, room, attempt.texts, attempt.since, task.problem)
    if task.result.problems:
        return _shown(request, room, attempt.texts, attempt.since, mistakes=_mistakes(task.result.problems, attempt))
    found, before, after = task.result.rehearsal, task.result.before, task.result.after
    sections = rehearsal.sections(found, before, after, _ROWS, page=True) if found and before and after else []
    return write(
        request, "tuning_tried", attempt=attempt, outcome=task.result, sections=sections, tried=digest(attempt.texts),
        danger=rehearsal.danger(found) if found else (), of_posts=rehearsal.OF_POSTS, may_save=room.files is not None,
    )  # fmt: skip


@router.post("/tuning/stop", response_model=None)
def stop(request: Request, visitor: OfAdmin, room: OfRoom, sent: Sent) -> Response:
    """Stop trying."""
    if attempt := _rehearsals(request, room).last():
        attempt.task.stop()
        attempt.task.wait(_AT_ONCE)
    return go(request, "/tuning/try")


@router.post("/tuning/save", response_model=None)
def keep(request: Request, visitor: OfAdmin, room: OfRoom, sent: Sent) -> Response:
    """Save what was tried. The service takes it up by itself."""
    attempt = _rehearsals(request, room).last()
    if attempt is None or room.files is None:
        raise NeedsPerson("what was tried is not kept any longer, so nothing was saved; please try it again")
    if sent.get("tried", [""])[0] != digest(attempt.texts):
        raise NeedsPerson("something else was tried meanwhile, so nothing was saved; look at it first")
    save(room.engine, room.files, attempt, visitor.who, room.now())
    return go(request, "/tuning", words_for(request)("Saved. The service takes it up within ten seconds."))


@router.get("/tuning/try/{file}", response_model=None)
def download(request: Request, visitor: OfAdmin, room: OfRoom, file: str) -> Response:
    """A changed file, to be saved by hand; or what it would do as a page for a colleague."""
    attempt = _rehearsals(request, room).last()
    outcome = attempt.task.result if attempt else None
    if attempt is None or outcome is None:
        raise HTTPException(404)
    if file in attempt.texts:
        content, kind = attempt.texts[file].encode(), "text/plain; charset=utf-8"
    elif file == "rehearsal.html" and outcome.rehearsal and outcome.before and outcome.after:
        html = rehearsal.html(outcome.rehearsal, outcome.before, outcome.after, tuple(outcome.changes))
        content, kind = html.encode(), "text/html; charset=utf-8"
    else:
        raise HTTPException(404)
    return Response(content, headers={"Content-Disposition": f'attachment; filename="{file}"'}, media_type=kind)


def _shown(
    request: Request,
    room: Room,
    texts: Mapping[str, str] | None,
    since: datetime | None,
    problem: str = "",
    mistakes: Sequence[Mistake] = (),
) -> Response:
    """The page, with files as somebody left them."""
    with reading(room.engine) as session:
        saved, version = files(session, room), versions.in_force(session)
        history = _history(session, version) if visitor_of(request).may("care") else []
    days = str((room.now() - since).days) if since else ""
    wrong = {mistake.file for mistake in mistakes}
    return write(
        request, "tuning", 422 if problem or mistakes else 200, names=[name for name in NAMES if name in saved],
        texts=texts or saved, shown=digest(saved), mistakes=mistakes, problem=problem, days=_DAYS,
        chosen=days if days in _DAYS else _DAYS[1], opened=wrong or {name for name in saved if texts and texts[name] != saved[name]},
        history=history, version=version, lists=_lists(room.config()), reader=room.config().keywords.reader,
    )  # fmt: skip


def _rehearsals(request: Request, room: Room) -> Rehearsals:
    return once(request.app.state, "rehearsals", lambda: Rehearsals(room))


def _mistakes(problems: Sequence[Problem], attempt: Attempt) -> list[Mistake]:
    return [_mistake(problem, attempt.texts) for problem in problems]


def _mistake(problem: Problem, texts: Mapping[str, str]) -> Mistake:
    name = Path(problem.file).name
    lines = texts.get(name, "").splitlines()
    says = f"{problem.key}: found {problem.found}; allowed: {problem.allowed}"
    meant = f"; did you mean {problem.meant!r}?" if problem.meant else ""
    return Mistake(name, problem.line, says + meant, lines[problem.line - 1] if 0 < problem.line <= len(lines) else "")


# ---------------------------------------------------------------- what is in force


_STATES = {versions.PUT_ASIDE: "put aside", versions.SAVED: "saved, not taken up yet", None: ""}


def _history(session: Session, in_force: ConfigVersion | None) -> list[tuple[ConfigVersion, str, str]]:
    """The last versions that were seen, the newest first, each with its state, and what it changed or why it was refused."""
    newest = select(ConfigVersion).order_by(col(ConfigVersion.number).desc()).limit(_VERSIONS + 1)
    seen = list(session.exec(newest))
    rows = []
    for at, version in enumerate(seen[:_VERSIONS]):
        before = next((other for other in seen[at + 1 :] if other.trouble is None), None)
        is_now = in_force is not None and version.number == in_force.number
        state = "in force" if is_now else _STATES.get(version.trouble, "refused")
        rows.append((version, state, _what(version, before)))
    return rows


def _what(version: ConfigVersion, before: ConfigVersion | None) -> str:
    if version.trouble and version.trouble not in versions.UNTRIED:
        return version.trouble.splitlines()[0]
    return "; ".join(in_words(before.texts, version.texts)) if before else ""


def _lists(config: Config) -> list[tuple[str, str, Sequence[str]]]:
    """What is listened for: the title of each list, who is asked to mend it, and its phrases."""
    keywords = config.keywords
    urgency: list[tuple[str, Any]] = [
        ("DANGER", keywords.urgency.danger), ("Here now", keywords.urgency.here_now), ("Serious", keywords.urgency.serious),
    ]  # fmt: skip
    found = [(title, "", one.phrases) for title, one in urgency]
    found += [(one.title, one.owner, one.phrases) for one in keywords.categories.values()]
    found += [(name.replace("_", " ").capitalize(), "", sign.phrases) for name, sign in keywords.signs.items()]
    found += [("Adverts", "", keywords.voices.promo.phrases), ("News", "", keywords.voices.news.phrases)]
    return [*found, ("Left out", "", keywords.exclude.phrases)]
