"""Logs: one line an event, with ids and counts, never a post's words, a name or a secret."""

import logging
import sys

# At DEBUG these write whole requests, tokens and posts included.
_TALKATIVE = (
    "tweepy",
    "prawcore",
    "praw",
    "slack_sdk",
    "slack_bolt",
    "slack_sdk.web.base_client",
    "urllib3",
    "requests_oauthlib",
    "oauthlib",
    "apscheduler",
    "alembic",
)


def start_logging(level: int) -> None:
    """Write our events of `level` and above to standard error.

    A command that answers in one sentence asks for CRITICAL: the sentence says it already.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    logging.getLogger().handlers[:] = [handler]
    for name in ("listener", "nlp", "alerts"):
        logging.getLogger(name).setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
