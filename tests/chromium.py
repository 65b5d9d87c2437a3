"""Chromium without a window, driven by its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/)."""

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0"),
)
_PATIENCE = 60  # seconds for anything


def found() -> str | None:
    """Where it is, None where there is none."""
    return shutil.which("chromium") or shutil.which("google-chrome")


class Tab:
    """One page. What it asks the network for, and what it complains of, is kept."""

    def __init__(self, socket: ClientConnection, session: str) -> None:
        self._socket, self._session, self._calls = socket, session, 0
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._loaded, self._theme = False, [{}]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """What a method of the protocol returns."""
        self._calls += 1
        message = {"id": self._calls, "sessionId": self._session, "method": method, "params": params}
        self._socket.send(json.dumps(message))
        while True:
            answer = self._next()
            if answer.get("id") == self._calls:
                assert "error" not in answer, (method, answer)
                result: dict[str, Any] = answer["result"]
                return result

    def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._socket.recv(timeout=_PATIENCE))
        method, params = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
            self.complaints.append(json.dumps(params)[:500])
        elif method == "Page.loadEventFired":
            self._loaded = True
        return message

    def open(self, path: Path, width: int = 1280, theme: str = "light", media: str = "screen") -> None:
        """A file, at a width in pixels; on a screen or as on paper."""
        self._theme = [{"name": "prefers-color-scheme", "value": theme}]
        self._loaded, self.requests, self.complaints = False, [], []
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        self.call("Emulation.setEmulatedMedia", media=media, features=self._theme)
        self.call("Page.navigate", url=path.as_uri())
        while not self._loaded:
            self._next()

    def value(self, script: str) -> Any:
        """What a script gives; of a promise, what it is kept with."""
        said = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    def pdf(self, width: float, height: float) -> bytes:
        """As it is printed on paper of so many inches."""
        self.call("Emulation.setEmulatedMedia", media="", features=self._theme)
        said = self.call("Page.printToPDF", paperWidth=width, paperHeight=height, preferCSSPageSize=False)
        return base64.b64decode(said["data"])

    def picture(self) -> bytes:
        """The whole page as a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"])


@contextmanager
def running(folder: Path) -> Iterator[Tab]:
    """A browser with one tab, its profile in a folder; ended afterwards."""
    command = [found() or "chromium", *FLAGS, f"--user-data-dir={folder}", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
        try:
            port, path = _door(folder / "DevToolsActivePort", browser)
            with connect(f"ws://127.0.0.1:{port}{path}", max_size=None, proxy=None, compression=None) as socket:
                target = _asked(socket, 1, "Target.createTarget", url="about:blank")["targetId"]
                session = _asked(socket, 2, "Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
                yield Tab(socket, session)
        finally:
            browser.terminate()
            with suppress(subprocess.TimeoutExpired):
                browser.wait(10)
            browser.kill()


def _asked(socket: ClientConnection, number: int, method: str, **params: Any) -> dict[str, Any]:
    socket.send(json.dumps({"id": number, "method": method, "params": params}))
    while True:
        answer: dict[str, Any] = json.loads(socket.recv(timeout=_PATIENCE))
        if answer.get("id") == number:
            result: dict[str, Any] = answer["result"]
            return result


def _door(file: Path, browser: subprocess.Popen[bytes]) -> tuple[str, str]:
    """Where it listens, as soon as it has written that down."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and browser.poll() is None:
        lines = file.read_text().splitlines() if file.exists() else []
        if len(lines) == 2:
            return lines[0], lines[1]
        time.sleep(0.02)
    raise AssertionError("Chromium did not start")
