"""Signing in with a token, signing out, and the language of the pages."""

import time
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from alerts.center.access import Access, Asked, Visitor, cookie_name, counted_as, named, named_by_proxy
from alerts.center.app import OfRoom, OfVisitor, Sent, form_of_stranger
from alerts.center.page import LANGUAGES, go, is_secure, write
from alerts.center.sign_outs import sign_out as end
from listener.logs import logger

log = logger(__name__)

ROLE = None
_YEAR = 365 * 24 * 3600

router = APIRouter()


@router.get("/sign-in", response_model=None)
def page(request: Request, room: OfRoom, to: str = "/") -> Response:
    """Where a token is asked for."""
    visitor: Visitor | None = request.state.visitor
    if visitor is not None and visitor.by in ("token", "proxy"):
        return go(request, _ours(to))  # they have signed in, perhaps in another window
    return _asked(request, room, to)


@router.post("/sign-in", response_model=None)
async def sign_in(request: Request, room: OfRoom) -> Response:
    """Signed in, or why not."""
    access: Access = request.app.state.access
    fields, center = await form_of_stranger(request), room.config().care.center
    to, token = fields.get("to", ["/"])[0], fields.get("token", [""])[0].strip()
    visitor = access.of_token(center, token)
    address = counted_as(center, _address(request), request.headers)
    if wait := access.wait(visitor, address, time.monotonic()):
        log.warning("sign_in", wait=True)
        return _asked(request, room, to, 429, "wait", int(wait) + 1)
    if visitor is None:
        log.warning("sign_in", known=False)
        return _asked(request, room, to, 401, "wrong")
    log.info("sign_in", known=True, role=visitor.role)
    before: Visitor | None = request.state.visitor
    if before is not None and before.sign_in:
        end(room.engine, before, room.now())  # whoever copied that cookie gets nowhere with it
    response = RedirectResponse(_ours(to), 303)
    stay = int(access.stay(center, visitor).total_seconds())
    _set(response, request, cookie_name(center), access.cookie(visitor, room.now()), stay)
    return response


@router.post("/sign-out", response_model=None)
def sign_out(request: Request, visitor: OfVisitor, room: OfRoom, sent: Sent) -> Response:
    """Signed out: drafts that this browser keeps go with it."""
    if visitor.sign_in:
        end(room.engine, visitor, room.now())
    response = RedirectResponse("/sign-in", 303)
    name = cookie_name(room.config().care.center)
    response.delete_cookie(name, httponly=True, samesite="strict", secure=is_secure(request))
    response.headers["Clear-Site-Data"] = '"storage"'
    return response


@router.get("/language/{lang}", response_model=None)
def language(request: Request, room: OfRoom, lang: str, to: str = "/") -> Response:
    """The pages speak another language from now on: a link, as it changes nothing but how this browser reads them."""
    response = RedirectResponse(_ours(to), 303)
    if lang in LANGUAGES:
        _set(response, request, named(room.config().care.center, "lang"), lang, _YEAR)
    return response


def _asked(request: Request, room: OfRoom, to: str, status: int = 200, problem: str = "", wait: int = 0) -> Response:
    """The page, with what keeps them out."""
    access: Access = request.app.state.access
    asked = Asked(_address(request), request.headers)
    values = {
        "to": _ours(to),
        "problem": problem,
        "wait": wait,
        "unknown": named_by_proxy(room.config().care.center, asked),  # to us, and not to their own web server
        "has_tokens": access.has_tokens,
    }
    return write(request, "sign_in", status, **values)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _set(response: Response, request: Request, name: str, value: str, seconds: int) -> None:
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="strict", secure=is_secure(request))


def _ours(to: str) -> str:
    """An address of ours, whatever was given: nobody is sent elsewhere from here."""
    if not to.startswith("/") or to.startswith("//") or "\\" in to or not to.isprintable():
        return "/"
    try:
        return "/" if urlsplit(to).netloc else to
    except ValueError:
        return "/"
