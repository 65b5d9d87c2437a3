"""Whether the process answers, and whether the service does its work: for who watches over it; without sign-in and data."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select

from alerts.center.app import OfRoom
from alerts.center.health import ROUND
from listener.database import reading

ROLE = None

router = APIRouter()


@router.api_route("/healthz", methods=["GET", "HEAD"], response_model=None)
async def alive() -> Response:
    """The process answers."""
    return PlainTextResponse("It answers.\n")


@router.api_route("/readyz", methods=["GET", "HEAD"], response_model=None)
def ready(room: OfRoom) -> Response:
    """The database answers, and the flow has come round lately."""
    try:
        with reading(room.engine) as session:
            session.exec(select(1)).one()
    except SQLAlchemyError:
        return PlainTextResponse("The database does not answer.\n", 503)
    flowed_at = room.flowed_at()
    if flowed_at is None:
        return PlainTextResponse("The service has not come round yet: it has just started, or hangs.\n", 503)
    if room.now() - flowed_at > ROUND:
        return PlainTextResponse(f"The service has not come round since {flowed_at:%Y-%m-%d %H:%M:%S} UTC.\n", 503)
    return PlainTextResponse("It works.\n")
