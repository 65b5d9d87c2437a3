"""What comes from outside the config files: secrets and folders, from the environment, a .env file, or a file for each secret."""

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

from listener.collect import known_collectors, optional, reply_secrets
from listener.errors import NeedsPerson
from listener.logs import LEVEL, LOOK

HOOK_SECRET: Final = "CALL_LIGHT_HOOK_SECRET"  # noqa: S105  # its name; and, for one hook alone, CALL_LIGHT_HOOK_SECRET_ and its name
_OWN: Final = (
    *("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "CALL_LIGHT_WEB_TOKEN"),
    *("CALL_LIGHT_PAGER_URLS", HOOK_SECRET),
)


_FILE: Final = (
    "_FILE"  # behind the name of a secret: the file that it stands in, as systemd, Docker and Kubernetes give them
)
_FOLDER: Final = "CREDENTIALS_DIRECTORY"  # of a file for each secret, as systemd gives them (LoadCredential=)
_DATABASE: Final = "CALL_LIGHT_DATABASE_URL"
_ENV: Final = Path(".env")
_LARGEST = 64_000  # bytes of a secret
_OTHERS = 0o077
_ENGINES_OWN = "/run/secrets"  # what a container engine puts there is seen by the container alone


@dataclass(frozen=True)
class Environment:
    """Folders and secrets of this run. Secrets are left out of its repr."""

    config: Path
    data: Path
    database_url: str | None = field(default=None, repr=False)  # may carry a password
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    backup_key: str | None = None  # public: backups are encrypted to it
    log: str | None = None  # how the log looks, and how much of it there is
    log_level: str | None = None
    secret_files: tuple[Path, ...] = ()  # that some of these came from


def environment(config: Path | None = None, data: Path | None = None) -> Environment:
    """The environment; what is given here wins over variables, and those over the file .env. Raises NeedsPerson."""
    values = {**dotenv_values(_ENV), **os.environ}
    values |= {f"{path.name}{_FILE}": str(path) for path in _lying_in(values.get(_FOLDER))}
    of_hooks = (name.removesuffix(_FILE) for name in values if name.startswith(f"{HOOK_SECRET}_"))
    names = dict.fromkeys((*secret_names(), *of_hooks))
    return Environment(
        config=config or Path(values.get("CALL_LIGHT_CONFIG") or "config"),
        data=data or Path(values.get("CALL_LIGHT_DATA") or "data"),
        log=values.get(LOOK),
        log_level=values.get(LEVEL),
        database_url=_secret(_DATABASE, values) or None,
        secrets={name: value for name in names if (value := _secret(name, values))},
        secret_files=(_ENV, *(Path(file) for name in (*names, _DATABASE) if (file := values.get(name + _FILE)))),
        backup_key=values.get("CALL_LIGHT_BACKUP_KEY") or None,
    )


def exposed(found: Environment) -> Iterator[str]:
    """A sentence for each file with a secret, or with posts, that other accounts of this machine may read."""
    kept = (found.data / name for name in ("center.key", "call-light.db"))
    for path in (*found.secret_files, *kept):
        try:
            mode, around = path.stat().st_mode & 0o777, path.resolve().parent.stat().st_mode
        except OSError:
            continue  # it is not there
        if mode & _OTHERS and around & _OTHERS and not str(path).startswith(f"{_ENGINES_OWN}/"):
            yield f"{path} may be read by other accounts of this machine (mode {mode:o}); type: chmod 600 {shlex.quote(str(path))}"


def _lying_in(folder: str | None) -> list[Path]:
    try:
        return [path for path in Path(folder).iterdir() if path.name.isupper()] if folder else []
    except OSError:
        return []


def _secret(name: str, values: Mapping[str, str | None]) -> str:
    """A secret as it is given, or as the file says that is given for it; "" for none. No error repeats what was given."""
    given, file = (values.get(name) or "").strip(), values.get(name + _FILE)
    if not file:
        return given
    if given:
        raise NeedsPerson(f"{name} and {name}{_FILE} are both set; keep one of them")
    try:
        with Path(file).open("rb") as opened:
            said = opened.read(_LARGEST + 1).decode().strip()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not text"
        raise NeedsPerson(
            f"{name}{_FILE}: the file that it names cannot be read ({why}); check it and who may"
        ) from None
    if not said or len(said) > _LARGEST:
        raise NeedsPerson(
            f"{name}{_FILE}: the file that it names is {'too large' if said else 'empty'}; write the secret into it"
        )
    return said


def secret_names() -> tuple[str, ...]:
    """The variables that hold secrets: the product's own, and what each collector names; not those of single hooks."""
    of_each = ((*one.SECRETS, *optional(one), *reply_secrets(one)) for one in known_collectors().values())
    return tuple(dict.fromkeys((*_OWN, *(name for names in of_each for name in names))))
