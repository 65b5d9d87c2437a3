"""A week of invented posts about the invented hospital of config/, to see the product work without any account.

posts.jsonl holds the posts as the file collector reads them, expected.jsonl line by line how a person labels them.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from listener.collectors.file import Lines, read
from listener.post import Post

POSTS = Path(__file__).with_name("posts.jsonl")
EXPECTED = Path(__file__).with_name("expected.jsonl")


def posts(zone: ZoneInfo, now: datetime) -> list[Post]:
    """The week moved by whole days so that it ended last midnight, times of day as they were."""
    week = [post for _, batch in read(Lines.of(POSTS), zone) for post in batch if isinstance(post, Post)]
    last = max(post.written_at.astimezone(zone).date() for post in week)
    days = (now.astimezone(zone).date() - last).days - 1
    return [
        post.model_copy(
            update={"written_at": _moved(post.written_at, days, zone), "edited_at": _moved(post.edited_at, days, zone)}
        )
        for post in week
    ]


def _moved(moment: datetime | None, days: int, zone: ZoneInfo) -> datetime | None:
    return None if moment is None else (moment.astimezone(zone) + timedelta(days=days)).astimezone(UTC)
