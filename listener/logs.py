"""Logs: one line an event, with ids and counts, never a post's words, a name or a secret."""

import logging
import sys

# At DEBUG these write whole requests, tokens and posts included.
_TALKATIVE = (
    "tweepy",
    "prawcore",
    "praw",
    "slack_sdk",
    "slack_sdk.web.base_client",
    "urllib3",
    "requests_oauthlib",
    "oauthlib",
    "apscheduler",
    "alembic",
)


def start_logging(debug: bool = False) -> None:
    """Write our events to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("listener", "nlp", "alerts"):
        logging.getLogger(name).setLevel(logging.DEBUG if debug else logging.WARNING)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
