"""What is looked at of the machine: disk, folders, the file of the database, the center's port, proxies."""

import contextlib
import http.client
import os
import shutil
import sqlite3
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic

from alerts.finding import Finding
from config.schema import Center
from listener.database import check_whole

LITTLE = 2**30  # bytes that are free: a day of a large hospital is a hundredth of that
ENOUGH = (
    LITTLE * 5 // 4
)  # at which an alarm is over: a disk at the edge is told once, not each time a log is turned over
_PATIENCE = 10.0  # seconds for looking through the database
_STEPS = 100_000  # of SQLite's machine between two looks at the time: a few milliseconds
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def disk(data: Path, little: int = LITTLE) -> Finding:
    """Whether there is room for what will be heard."""
    there = next(folder for folder in (data, *data.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    todo = f"make room on the disk of {data}: when it is full, no post can be kept"
    return Finding(f"disk: {free / 2**30:,.1f} GB free", free >= little, None if free >= little else todo, "disk-low")


def folder(reports: Path) -> Finding:
    """Whether the pages of the weeks can be written. Nothing is made: it would belong to who looks, root perhaps."""
    there = next(folder for folder in (reports, *reports.absolute().parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        todo = (
            f"the pages of the weeks cannot be written there ({error.strerror}); correct the folder and who may write"
        )
        return Finding(f"reports in {reports}", False, todo, "reports-folder")
    return Finding(f"reports in {reports}", True)


def database_file(path: Path, patience: float = _PATIENCE, clock: Callable[[], float] = monotonic) -> Iterator[Finding]:
    """Whether SQLite finds its file whole; a large one is looked through as far as time allows."""
    if not path.exists():
        return
    ends = clock() + patience
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.set_progress_handler(lambda: clock() > ends, _STEPS)
            check_whole(connection)
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            yield _damaged(error)
            return
        todo = f"it is large; look at leisure: sqlite3 {path} 'PRAGMA quick_check'"
        yield Finding(
            f"database file: not looked through within {patience:.0f} seconds", None, todo, "database-damaged"
        )
    except sqlite3.DatabaseError as error:
        yield _damaged(error)
    else:
        yield Finding("database file: whole", True)


def _damaged(error: sqlite3.Error) -> Finding:
    todo = f"{error}; stop the service and put the last backup back: call-light restore --force FILE"
    return Finding("database file", False, todo, "database-damaged")


def port(center: Center, seconds: float = 2.0) -> Iterator[Finding]:
    """Whether it is the Listening Center that answers where it is to be open; nobody does while the service is stopped."""
    what = f"port {center.port} on {center.host}, for the Listening Center"
    try:
        # It is our own address, as care.toml names it.
        with _DIRECT.open(f"http://{center.listen}/healthz", timeout=seconds) as answer:
            is_ours = answer.read(40) == b"It answers.\n"
    except urllib.error.HTTPError:
        is_ours = False
    except urllib.error.URLError as error:
        if isinstance(error.reason, ConnectionRefusedError):  # nobody is there
            return
        is_ours = False
    except (OSError, http.client.HTTPException):
        is_ours = False
    todo = "another program answers there; stop it, or change [center] listen in care.toml"
    yield Finding(what, is_ours, None if is_ours else todo, "center-port")


def proxies(variables: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Whether requests take a way that somebody may have forgotten."""
    names = [name for name in variables if name.lower() in _PROXIES and variables[name]]
    if names:
        todo = "requests to the places and to Slack go that way; without it: unset them, or name the hosts in NO_PROXY"
        yield Finding(f"proxy: {' and '.join(sorted(names))} are set", None, todo, "proxy-set")
