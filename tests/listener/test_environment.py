"""Secrets come from the environment, and those of single hooks by the beginning of their names."""

import pytest

from listener.environment import environment


def test_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALL_LIGHT_PAGER_URLS", "json://a\njson://b\n")
    monkeypatch.setenv("CALL_LIGHT_HOOK_SECRET", "")
    monkeypatch.setenv("CALL_LIGHT_HOOK_SECRET_CRM", " whsec_x ")
    monkeypatch.setenv("CALL_LIGHT_HOOKS", "no secret of ours")
    found = environment()
    assert found.secrets == {"CALL_LIGHT_PAGER_URLS": "json://a\njson://b", "CALL_LIGHT_HOOK_SECRET_CRM": "whsec_x"}
    assert "whsec_x" not in repr(found)
