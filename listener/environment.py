"""What comes from outside the config files: secrets and folders, from the environment or a .env file."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

from listener.collect import known_collectors, optional, reply_secrets

HOOK_SECRET: Final = "CALL_LIGHT_HOOK_SECRET"  # and, for one hook alone, CALL_LIGHT_HOOK_SECRET_ and its name
_OWN: Final = (
    *("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "CALL_LIGHT_WEB_TOKEN"),
    *("CALL_LIGHT_PAGER_URLS", HOOK_SECRET),
)


@dataclass(frozen=True)
class Environment:
    """Folders and secrets of this run. Secrets are left out of its repr."""

    config: Path
    data: Path
    database_url: str | None = field(default=None, repr=False)  # may carry a password
    secrets: dict[str, str] = field(default_factory=dict, repr=False)


def environment(config: Path | None = None, data: Path | None = None) -> Environment:
    """The environment; what is given here wins over variables, and those over the file .env."""
    values = {**dotenv_values(".env"), **os.environ}
    of_hooks = (name for name in values if name.startswith(f"{HOOK_SECRET}_"))
    return Environment(
        config=config or Path(values.get("CALL_LIGHT_CONFIG") or "config"),
        data=data or Path(values.get("CALL_LIGHT_DATA") or "data"),
        database_url=values.get("CALL_LIGHT_DATABASE_URL") or None,
        secrets={name: value.strip() for name in (*secret_names(), *of_hooks) if (value := values.get(name))},
    )


def secret_names() -> tuple[str, ...]:
    """The variables that hold secrets: the product's own, and what each collector names; not those of single hooks."""
    of_each = ((*one.SECRETS, *optional(one), *reply_secrets(one)) for one in known_collectors().values())
    return tuple(dict.fromkeys((*_OWN, *(name for names in of_each for name in names))))
