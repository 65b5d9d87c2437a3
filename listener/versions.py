"""ConfigVersion: what the five files said from when on, and who saved them. Written when a service takes files up, or refuses them."""

import json
import os
import pwd
import subprocess
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import LargeBinary
from sqlmodel import Column, Field, Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from config.files import digest
from config.hidden import without_secrets
from listener.logs import logger

log = logger(__name__)

PUT_ASIDE = "put aside when an earlier version was put back"  # the trouble of what was never tried
SAVED = "saved in the Listening Center, and not taken up yet"  # the trouble until a service has looked at it
UNTRIED = (PUT_ASIDE, SAVED)
_GIT = 5.0  # seconds that git has to say who it was


class ConfigVersion(SQLModel, table=True):
    """One row each time that the files were taken up, or refused, with other texts than before."""

    number: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(index=True)
    author: str
    digest: str = Field(index=True)  # the same for the same texts
    packed: bytes = Field(sa_column=Column("texts", LargeBinary, nullable=False))
    trouble: str | None = None  # why it was refused, a line a mistake; None: it was in force

    @property
    def texts(self) -> dict[str, str]:
        """The files by name."""
        found: dict[str, str] = json.loads(zlib.decompress(self.packed))
        return found


def in_force(session: Session) -> ConfigVersion | None:
    """The version that the service goes by; None before its first start."""
    return session.exec(_accepted().limit(1)).first()


def newest(session: Session) -> ConfigVersion | None:
    """The last version that was seen, in force or refused."""
    return session.exec(select(ConfigVersion).order_by(col(ConfigVersion.number).desc()).limit(1)).first()


def every(session: Session) -> Sequence[ConfigVersion]:
    """All of them, the newest first."""
    return session.exec(select(ConfigVersion).order_by(col(ConfigVersion.number).desc())).all()


def before(session: Session, texts: Mapping[str, str]) -> ConfigVersion | None:
    """The version to which these files are a change: the one in force, or the one before it if these are in force."""
    others = _accepted().where(ConfigVersion.digest != digest(texts))
    return session.exec(others.limit(1)).first()


def earlier(session: Session, number: int) -> ConfigVersion | None:
    """The version that was in force when the one with this number was saved."""
    return session.exec(_accepted().where(col(ConfigVersion.number) < number).limit(1)).first()


def at(session: Session, moment: datetime) -> ConfigVersion | None:
    """The version that was in force then."""
    return session.exec(_accepted().where(col(ConfigVersion.at) <= moment).limit(1)).first()


def was_in_force(session: Session, name: str, text: str) -> bool:
    """Whether a version that was not refused had this file with this text."""
    return any(version.texts.get(name) == text for version in session.exec(_accepted()))


def write_down(
    session: Session, texts: Mapping[str, str], author: str, now: datetime, trouble: str | None = None
) -> ConfigVersion:
    """The version of these texts, with a row of its own unless the newest says the same, with the same mistakes. Commits."""
    last, name = newest(session), digest(texts)
    if last is not None and last.digest == name and last.trouble == trouble:
        return last
    if last is not None and last.digest == name and last.trouble == SAVED:  # now it is known, and who saved it too
        last.trouble = trouble
        session.add(last)
        session.commit()
        log.info("config", version=last.number, refused=trouble is not None)
        return last
    kept = {each: without_secrets(text) for each, text in texts.items()}  # who pastes a token may not want to keep it
    packed = zlib.compress(json.dumps(kept).encode(), 9)
    version = ConfigVersion(at=now, author=author, digest=name, packed=packed, trouble=trouble)
    session.add(version)
    session.commit()
    log.info("config", version=version.number, refused=trouble is not None)
    return version


def saved(session: Session, texts: Mapping[str, str], author: str, now: datetime) -> ConfigVersion:
    """Write down who has saved these texts, for the service that takes them up or refuses them. Commits."""
    return write_down(session, texts, author, now, SAVED)


def put_aside(session: Session, texts: Mapping[str, str], author: str, now: datetime) -> int | None:
    """Keep texts that are about to be replaced, if no version has them; its number. Commits."""
    known = select(ConfigVersion.number).where(ConfigVersion.digest == digest(texts)).limit(1)
    if session.exec(known).first() is not None:
        return None
    return write_down(session, texts, author, now, PUT_ASIDE).number


def _accepted() -> SelectOfScalar[ConfigVersion]:
    """Those that were not refused, the newest first."""
    return select(ConfigVersion).where(col(ConfigVersion.trouble).is_(None)).order_by(col(ConfigVersion.number).desc())


def author(folder: Path, names: Sequence[str]) -> str:
    """Who saved these files last: as git knows them where they are committed, else the owner of the newest one."""
    if names and (committed := _by_git(folder, names)):
        return committed
    try:
        newest_file = max((folder / name for name in names), key=lambda path: path.stat().st_mtime_ns)
        return pwd.getpwuid(newest_file.stat().st_uid).pw_name
    except (OSError, KeyError, ValueError):
        return "somebody"


def _by_git(folder: Path, names: Sequence[str]) -> str | None:
    """The author of the last commit of these files; None where there is none, or they were changed since."""
    if _git(folder, "status", "--porcelain", "--", *names) != "":
        return None
    return _git(folder, "log", "-1", "--format=%an", "--", *names) or None


def _without_secrets() -> dict[str, str]:
    """What git needs of the environment."""
    return {name: value for name in ("PATH", "HOME", "LANG") if (value := os.environ.get(name)) is not None}


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints; None when there is no git, no repository, or it takes too long."""
    # What the folder's own settings would start is not started.
    command = ("git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments)
    try:
        done = subprocess.run(  # noqa: S603  # names of files alone, and the git that the admin uses
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=_GIT,
            env={**_without_secrets(), "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
