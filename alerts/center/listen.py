"""The form of the listening post under a path of the center. (Placeholder until merged.)"""

from collections.abc import Callable

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from config.schema import Config


class ListeningPost:
    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("closed", 503)(scope, receive, send)
