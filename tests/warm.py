"""call-light in processes that need not load it: each is forked from one that has, and ends as any other process does.

A command keeps its own process, variables, folder, streams and exit status, and may be killed. Only what is proved of
loading itself needs a new interpreter; to start one takes seconds.
"""

import gc
import importlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, cast

PROGRAM = "from listener.cli import main; main()"
# What any command loads; it loads the rest of its own.
_LOADED = (
    *("listener.cli", "listener.service", "listener.database", "listener.live", "listener.week", "alembic.command"),
    *(
        "nlp.pipeline",
        "nlp.read",
        "nlp.explain",
        "alerts.known",
        "alerts.checked",
        "alerts.console",
        "alerts.slack_app",
    ),
    *("alerts.doctor", "alerts.center.app", "alerts.hooks", "alerts.pager", "alerts.replay", "rich.progress", "tweepy"),
)


class Warm:
    """The process that has loaded everything."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._line, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        )
        theirs.close()
        self._said = self._line.makefile("r")

    def run(
        self, arguments: Sequence[str], program: str, given: bytes, cwd: Path, env: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program with these words after its name, as `python -c` would, and wait for its end."""
        with TemporaryFile() as stdin, TemporaryFile() as stdout, TemporaryFile() as stderr:
            stdin.write(given)
            stdin.seek(0)
            wanted = {"program": program, "arguments": list(arguments), "cwd": str(cwd), "env": dict(env)}
            socket.send_fds(self._line, [b"+"], [stream.fileno() for stream in (stdin, stdout, stderr)])
            self._line.sendall(json.dumps(wanted).encode() + b"\n")
            self._line.settimeout(60)
            pid = int(self._said.readline())
            self._line.settimeout(timeout)
            try:
                status = int(self._said.readline())
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                self.close()
                self._start()
                raise subprocess.TimeoutExpired(list(arguments), timeout, _read(stdout), _read(stderr)) from None
            return subprocess.CompletedProcess(list(arguments), status, _read(stdout), _read(stderr))

    def close(self) -> None:
        """It ends, having nobody to listen to."""
        self._said.close()
        self._line.close()
        self._process.wait(60)


def _read(stream: IO[bytes]) -> bytes:
    stream.seek(0)
    return stream.read()


def _serve(line: socket.socket) -> dict[str, Any] | None:
    """What the process that it is now should run; None when nobody wants any more."""
    while True:
        mark, streams, _, _ = socket.recv_fds(line, 1, 3)
        if not mark:
            return None
        wanted = b""
        while not wanted.endswith(b"\n"):
            wanted += line.recv(65536)
        pid = os.fork()
        if pid == 0:
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
                os.close(stream)
            line.close()
            found: dict[str, Any] = json.loads(wanted)
            return found
        for stream in streams:
            os.close(stream)
        line.sendall(f"{pid}\n".encode())
        line.sendall(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n".encode())


def _load() -> None:
    from alerts.known import load_config
    from listener.collect import known_collectors
    from nlp.start import import_spacy

    import_spacy()
    for name in _LOADED:
        importlib.import_module(name)
    known_collectors()
    load_config(Path(__file__).parent.parent / "config", replies=False)  # what is made at the first file is there, too
    sys.path[0] = ""  # as with `python -c`: no test is in the way
    gc.collect()
    gc.freeze()  # forked processes share what they never look through


if __name__ == "__main__":
    _load()
    if wanted := _serve(socket.socket(fileno=int(sys.argv[1]))):
        os.chdir(wanted["cwd"])
        os.environ.clear()
        os.environ.update(wanted["env"])
        if encoding := os.environ.get("PYTHONIOENCODING"):  # as a new interpreter takes it
            for stream in (sys.stdin, sys.stdout, sys.stderr):
                cast(io.TextIOWrapper, stream).reconfigure(encoding=encoding)
        sys.argv = ["-c", *wanted["arguments"]]
        exec(compile(wanted["program"], "<string>", "exec"), {"__name__": "__main__"})
