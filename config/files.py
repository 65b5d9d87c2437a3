"""Writes the five files, so that nobody's work is lost and nobody reads half a file."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from config.load import ConfigError, Problem, read_files


class NotSaved(ConfigError):
    """Nothing was written; the sentence says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__([])
        self.args = (sentence,)


def digest(texts: Mapping[str, str]) -> str:
    """A short name for what the files say: the same for the same texts."""
    return sha256("\0".join(f"{name}\0{text}" for name, text in sorted(texts.items())).encode()).hexdigest()[:16]


def cut_off(folder: Path, texts: Mapping[str, str], was: Mapping[str, str]) -> list[Problem]:
    """Files that are the beginning of what they were: half written, they may be right and lack half of the filters."""
    allowed = "the whole file; if it is meant to end here, put a comment under its last line"
    return [
        Problem(str(folder / name), text.count("\n") + 1, 1, "file", "the beginning of what it was", allowed)
        for name, text in texts.items()
        if text.rstrip() != (before := was.get(name, "").rstrip()) and before.startswith(text.rstrip())
    ]


def write_files(folder: Path, new: Mapping[str, str], old: Mapping[str, str]) -> list[Path]:
    """Save the files of `new` that differ from `old`, which is what the folder held when they were made; which were written.

    Each file is replaced as a whole, once all of them lie beside it; a link stays a link. Raises NotSaved when somebody else
    has saved meanwhile, or when the folder may not be written.
    """
    try:
        with _alone(folder):
            now, _ = read_files(folder)
            for name in new:
                if now.get(name) != old.get(name):
                    raise NotSaved(
                        f"{folder / name} was changed by somebody else meanwhile; nothing was saved. Please begin again"
                    )
            changed = [name for name, text in new.items() if text != old.get(name)]
            with ExitStack() as waiting:
                made = [(waiting.enter_context(_beside(folder / name, new[name])), folder / name) for name in changed]
                for text, path in made:
                    os.replace(text, os.path.realpath(path))
            return [path for _, path in made]
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise NotSaved(
            f"{folder} cannot be written ({why}); nothing was saved. Where it is shared read-only, change it at its source"
        ) from None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other copy of this program writes meanwhile."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _beside(path: Path, text: str) -> Iterator[str]:
    """A new file that is to take the place of another, whole on the disk and with its rights; gone if it never does."""
    target = Path(os.path.realpath(path))
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            _same_owner(Path(name), target)
        else:
            os.chmod(name, 0o644)
        yield name
    finally:
        with suppress(FileNotFoundError):  # it took its place
            os.unlink(name)


def _same_owner(new: Path, old: Path) -> None:
    shutil.copymode(old, new)
    known = old.stat()
    if (known.st_uid, known.st_gid) != (os.geteuid(), os.getegid()):
        with suppress(PermissionError):  # it is ours then, with the same rights
            os.chown(new, known.st_uid, known.st_gid)
