"""One verdict a reading, whoever decides."""

from typing import Any

import pytest
from conftest import NOW
from sqlalchemy.exc import IntegrityError

from alerts.verdict import Verdict


def test_one_a_reading(desk: Any) -> None:
    mention = desk.hear()
    desk.decide()
    desk.session.add(Verdict(reading_id=1, mention_id=mention, outcome="digest", reason="again", decided_at=NOW))
    with pytest.raises(IntegrityError):
        desk.session.commit()
