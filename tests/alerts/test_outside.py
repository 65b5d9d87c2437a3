"""What the tool cannot forget by itself is said, one sentence each."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import NOW, PROJECT
from sqlmodel import Session

from alerts.answer import Answer
from alerts.delivery import pending
from alerts.hooks import channel_of
from alerts.outside import left_outside
from config.load import NAMES, read_files
from config.schema import Config, Hook
from listener import versions
from listener.forget import Asked

ALICE = frozenset({("x", "alice_9")})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        shutil.copy(PROJECT / "config" / name, tmp_path / name)
    return tmp_path


def told(session: Session, config: Config, text: bool) -> Config:
    """A configuration with a hook, and a case that it was told of."""
    row = pending("hook", "crm:1", channel_of("crm"), 3, NOW, 1)
    row.state = "sent"
    session.add(row)
    session.commit()
    hook = Hook(name="crm", url="https://crm.example/hook", text=text)
    return config.model_copy(update={"care": config.care.model_copy(update={"hooks": (hook,)})})


def left(desk: Any, config: Config, folder: Path, *ids: int) -> list[str]:
    desk.session.commit()
    return left_outside(desk.session.get_bind(), config, Asked(ids, ALICE), folder)


def test_nothing_is_left_of_nothing(desk: Any, folder: Path) -> None:
    desk.alert()
    assert left(desk, desk.config, folder) == []


def test_a_case_that_waits_is_named(desk: Any, folder: Path) -> None:
    desk.alert(urgency="danger")
    (sentence,) = left(desk, desk.config, folder, 1)
    assert sentence.startswith("case 1 (danger) still waits for somebody, now without its words")
    desk.act("claim")
    desk.act("close", outcome="fixed")
    assert left(desk, desk.config, folder, 1) == []


@pytest.mark.parametrize("text", [True, False])
def test_a_hook_that_was_told_words_is_named(desk: Any, folder: Path, text: bool) -> None:
    desk.alert()
    desk.act("not_for_us", reason="joke")
    config = told(desk.session, desk.config, text)
    found = left(desk, config, folder, 1)
    assert found == (["hook crm was told the words of case 1; have them deleted in that system"] if text else [])


def test_our_public_reply_is_named(desk: Any, folder: Path) -> None:
    desk.alert()
    desk.act("not_for_us", reason="joke")
    desk.session.add(Answer(case_id=1, mention_id=1, text="thanks", written_by="ana", written_at=NOW, state="sent"))
    (sentence,) = left(desk, desk.config, folder, 1)
    assert sentence.startswith("our public reply of case 1 stays at its place")


def test_config_files_and_their_versions_are_named(desk: Any, folder: Path) -> None:
    path = folder / "keywords.toml"
    path.write_text(path.read_text() + "\n# asked by @Alice_9 in May\n")
    versions.write_down(desk.session, read_files(folder)[0], "ana", NOW)
    found = left(desk, desk.config, folder)
    assert found[0] == f"{path} names them; take it out there"
    assert found[1].startswith("kept versions of the config files name them: 1 ")
