"""What X itself defines. How it is spoken to is tested through both collectors (test_x.py, test_x_mentions.py)."""

from datetime import UTC, datetime

import pytest

from listener import x_door


def test_the_epoch_of_the_ids() -> None:
    moment = datetime(2022, 6, 28, 16, 7, 40, 105000, tzinfo=UTC)
    assert x_door._made_at("1541815603606036480") == moment


@pytest.mark.parametrize(
    ("error", "ref"),
    [
        ({"parameter": "ids", "value": "5", "type": "https://api.twitter.com/2/problems/resource-not-found"}, "5"),
        (
            {
                "parameter": "ids",
                "value": "5",
                "type": "https://api.twitter.com/2/problems/not-authorized-for-resource",
            },
            "5",
        ),
        ({"parameter": "ids", "value": "5", "type": "https://api.twitter.com/2/problems/something-new"}, None),
        ({"parameter": "author_id", "value": "5", "type": "x/resource-not-found"}, None),
        ({"value": "5"}, None),
        ({}, None),
        (None, None),
        ("resource-not-found", None),
    ],
)
def test_only_what_x_itself_calls_gone_is_gone(error: object, ref: str | None) -> None:
    assert x_door._gone(error) == ref
