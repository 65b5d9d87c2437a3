"""What comes from outside the config files: secrets and folders, from the environment or a .env file."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

SECRETS: Final = (
    "X_BEARER_TOKEN", "X_API_KEY", "X_API_SECRET", "X_ACCESS_TOKEN", "X_ACCESS_SECRET", "REDDIT_CLIENT_ID",
    "REDDIT_CLIENT_SECRET", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "BLUESKY_HANDLE",
    "BLUESKY_APP_PASSWORD", "MASTODON_ACCESS_TOKEN", "GOOGLE_BUSINESS_TOKEN", "CALL_LIGHT_WEB_TOKEN",
)  # fmt: skip


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
    return Environment(
        config=config or Path(values.get("CALL_LIGHT_CONFIG") or "config"),
        data=data or Path(values.get("CALL_LIGHT_DATA") or "data"),
        database_url=values.get("CALL_LIGHT_DATABASE_URL") or None,
        secrets={name: value.strip() for name in SECRETS if (value := values.get(name))},
    )
