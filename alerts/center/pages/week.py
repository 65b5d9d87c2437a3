"""Week: the report of a week, a month or a quarter, and its tables as files. It is the same as call-light report writes."""

import io
import zipfile
from datetime import datetime
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from markupsafe import Markup
from sqlmodel import Session

from alerts import export, report
from alerts.center.app import OfRoom, OfVisitor, Sent
from alerts.center.page import go, write
from alerts.center.reports import Counted, Reports, asked, spans
from alerts.center.room import Room
from alerts.center.task import Task, once
from alerts.section import Table
from alerts.span import Span, holding
from listener.database import reading

ROLE = "viewer"
NAV = (40, "Week", "/week")
_AT_ONCE = 1.0  # seconds in which a small one is counted
_AGAIN = {"Refresh": "2"}  # the page asks again while something is being counted
_BOOK, _ALL = "all.xlsx", "all.zip"

router = APIRouter()


@router.get("/week", response_model=None)
def newest(request: Request, visitor: OfVisitor, room: OfRoom) -> Response:
    """The last week that is over; where nothing was heard in it, this one."""
    config, now = room.config(), room.now()
    with reading(room.engine) as session:
        weeks = spans(session, config, _folder(room), now)["week"]
        this = holding("week", now.astimezone(config.hospital.zone).date(), config.hospital.zone)
        return _page(request, room, session, next((week for week in weeks if week.until <= now), this))


@router.get("/week/{name}", response_model=None)
def page(request: Request, visitor: OfVisitor, room: OfRoom, name: str) -> Response:
    """The report of a span by its name, as 2026-W46, 2026-10 or 2026-Q3."""
    with reading(room.engine) as session:
        return _page(request, room, session, asked(name, room.config(), room.now()))


@router.post("/week/{name}", response_model=None)
def again(request: Request, visitor: OfVisitor, room: OfRoom, name: str, sent: Sent) -> Response:
    """Count it anew."""
    span = asked(name, room.config(), room.now())
    _reports(request, room).begin(span)
    return go(request, f"/week/{span.name}?counting=yes")


@router.get("/week/{name}/tables", response_model=None)
def tables(request: Request, visitor: OfVisitor, room: OfRoom, name: str) -> Response:
    """The tables of a report, each as a file, and all of them in one."""
    span = asked(name, room.config(), room.now())
    with reading(room.engine) as session:
        counted = _counted(request, room, session, span)
    if isinstance(counted, Task):
        return _counting(request, span, counted)
    named = list(zip(_names(counted), _tables(counted), strict=True))
    return write(request, "week_tables", span=span, counted=counted, named=named, book=_BOOK, all=_ALL)


@router.get("/week/{name}/tables/{file}", response_model=None)
def download(request: Request, visitor: OfVisitor, room: OfRoom, name: str, file: str) -> Response:
    """One of these files."""
    span = asked(name, room.config(), room.now())
    with reading(room.engine) as session:
        counted = _counted(request, room, session, span)
    if isinstance(counted, Task):
        return go(request, f"/week/{span.name}/tables")
    content, kind = _file(counted, file)
    named = f'attachment; filename="{span.name}-{file}"'
    return Response(content, headers={"Content-Disposition": named}, media_type=kind)


def _page(request: Request, room: Room, session: Session, span: Span) -> Response:
    """What was counted last; else what the service has written of it; else that it is being counted."""
    reports, config, now = _reports(request, room), room.config(), room.now()
    task, counted, written = reports.task(span), reports.counted(session, span), None
    if task is not None and "counting" in request.query_params:  # somebody asked for it, and waits
        task.wait(_AT_ONCE)
        if not task.is_over or task.problem:
            return _counting(request, span, task)
        counted = task.result
    if counted is None and (written := _written(room, session, span)) is None:
        found = _counted(request, room, session, span)
        if isinstance(found, Task):
            return _counting(request, span, found)
        counted = found
    return write(
        request, "week", span=span, counted=counted, written=written[0] if written else None,
        is_counting=task is not None and not task.is_over, is_over=span.until <= now, folded=report.FOLDED,
        at=counted.at if counted else written[1] if written else now,
        sections=counted.sections if counted else (), spans=spans(session, config, _folder(room), now),
        this=holding("week", now.astimezone(config.hospital.zone).date(), config.hospital.zone),
    )  # fmt: skip


def _counted(request: Request, room: Room, session: Session, span: Span) -> Counted | Task[Counted]:
    """The report, or the task that is at it. One that failed begins anew when somebody asks for that."""
    reports = _reports(request, room)
    if (found := reports.counted(session, span)) is not None:
        return found
    task = reports.task(span)
    if task is None or not task.problem:
        task = reports.begin(span)
    task.wait(_AT_ONCE)
    return task if task.result is None else task.result


def _written(room: Room, session: Session, span: Span) -> tuple[Markup, datetime] | None:
    """The page that the service has written when the span was over, as long as none of its posts is gone since."""
    found = report.written(_folder(room), span) if report.is_written(_folder(room), span) else None
    if found is None or report.is_outdated(session, span, found[1], room.now()):
        return None
    return Markup(found[0]), found[1]  # noqa: S704  # escaped when it was written, by us


def _counting(request: Request, span: Span, task: Task[Counted]) -> Response:
    """That it is being counted, or why it could not be."""
    response = write(request, "week_counting", span=span, problem=task.problem if task.is_over else "")
    if not task.is_over:
        response.headers.update(_AGAIN)
    return response


def _reports(request: Request, room: Room) -> Reports:
    return once(request.app.state, "reports", lambda: Reports(room))


def _folder(room: Room) -> Path:
    return room.data / "reports"


# ---------------------------------------------------------------- files


def _tables(counted: Counted) -> list[Table]:
    return [table for section in counted.sections for table in section.tables]


def _names(counted: Counted) -> list[str]:
    return [f"{name}.csv" for name in export.names(_tables(counted))]


def _file(counted: Counted, file: str) -> tuple[bytes, str]:
    tables = _tables(counted)
    if file == _BOOK:
        about = export.about(counted.sections, counted.figures)
        book, _ = export.workbook([about, *tables])
        return book, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    contents = {
        name: export.csv_text(table).encode("utf-8-sig") for name, table in zip(_names(counted), tables, strict=True)
    }
    if file == _ALL:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as folder:
            for name, content in contents.items():
                folder.writestr(name, content)
        return packed.getvalue(), "application/zip"
    if file not in contents:
        raise HTTPException(404)
    return contents[file], "text/csv; charset=utf-8"
