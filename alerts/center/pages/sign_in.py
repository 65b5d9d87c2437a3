"""Signing in with a token, signing out, and the language of the pages."""

import time
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from alerts.center.access import Access
from alerts.center.app import COOKIE, OfRoom, OfVisitor, Sent, form_of_stranger
from alerts.center.page import LANGUAGES, is_secure, write
from listener.strangers import Limit, address_of

ROLE = None
_TRIES = Limit(10, 100)  # a minute, from one address and from all
_YEAR = 365 * 24 * 3600

router = APIRouter()


@router.get("/sign-in", response_model=None)
def page(request: Request, room: OfRoom, to: str = "/") -> Response:
    """Where a token is asked for."""
    return write(request, "sign_in", to=_ours(to), problem="")


@router.post("/sign-in", response_model=None)
async def sign_in(request: Request, room: OfRoom) -> Response:
    """Signed in, or why not."""
    access: Access = request.app.state.access
    fields, center = await form_of_stranger(request), room.config().care.center
    address = address_of(request.client.host if request.client else "", request.headers, bool(center.proxies))
    to = _ours(fields.get("to", ["/"])[0])
    if wait := _TRIES.wait(address, time.monotonic()):
        return write(request, "sign_in", 429, to=to, problem="wait", wait=int(wait) + 1)
    visitor = access.of_token(center, fields.get("token", [""])[0].strip())
    if visitor is None:
        return write(request, "sign_in", 401, to=to, problem="wrong")
    response = RedirectResponse(to, 303)
    stay = int(access.stay(center, visitor).total_seconds())
    _set(response, request, COOKIE, access.cookie(visitor, room.now()), stay)
    return response


@router.post("/sign-out", response_model=None)
def sign_out(request: Request, visitor: OfVisitor, sent: Sent) -> Response:
    """Signed out: drafts that this browser keeps go with it."""
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(COOKIE)
    response.headers["Clear-Site-Data"] = '"storage"'
    return response


@router.get("/language/{lang}", response_model=None)
def language(request: Request, lang: str, to: str = "/") -> Response:
    """The pages speak another language from now on."""
    response = RedirectResponse(_ours(to), 303)
    if lang in LANGUAGES:
        _set(response, request, "lang", lang, _YEAR)
    return response


def _set(response: Response, request: Request, name: str, value: str, seconds: int) -> None:
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="strict", secure=is_secure(request))


def _ours(to: str) -> str:
    """An address of ours, whatever was given: nobody is sent elsewhere from here."""
    parts = urlsplit(to)
    is_path = to.startswith("/") and not to.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return to if is_path and to.isprintable() else "/"
