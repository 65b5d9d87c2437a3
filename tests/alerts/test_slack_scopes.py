"""The Slack app asks for what is used and for nothing else: methods called, scopes of the manifest, and what doctor looks for."""

import ast
import re

import pytest
from conftest import PROJECT
from slack_sdk import WebClient

from alerts import doctor

# What docs.slack.dev says that each method needs of a bot. History and lists: of public and of private channels.
NEEDS = {
    "apps_connections_open": set[str](),  # by the app's own token
    "auth_test": set[str](),
    "chat_postEphemeral": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_history": {"channels:history", "groups:history"},
    "conversations_info": {"channels:read", "groups:read"},
    "conversations_list": {"channels:read", "groups:read"},
    "files_completeUploadExternal": {"files:write"},
    "files_delete": {"files:write"},
    "files_getUploadURLExternal": {"files:write"},
    "usergroups_users_list": {"usergroups:read"},
    "views_open": set[str](),
    "views_update": set[str](),
}
METHODS = {name for name in dir(WebClient) if re.fullmatch(r"[a-z]+(_[A-Za-z]+)+", name)}


def called() -> set[str]:
    """The methods of Slack that the product names."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in (PROJECT / "alerts").rglob("*.py"))
    return {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & METHODS


def asked_for() -> set[str]:
    """The scopes of the manifest; no library of ours reads YAML."""
    text = (PROJECT / "docs" / "slack-app.yaml").read_text(encoding="utf-8")
    bot = text[text.index("    bot:\n") : text.index("\nsettings:")]
    return set(re.findall(r"^      - ([a-z:]+)", bot, flags=re.MULTILINE))


def test_every_method_that_is_called_is_known_here() -> None:
    assert called() == set(NEEDS)


def test_the_app_asks_for_what_is_used_and_nothing_else() -> None:
    command = {"commands"}  # /calllight
    assert asked_for() == command.union(*(NEEDS[method] for method in called()))


def test_doctor_looks_for_the_same() -> None:
    assert asked_for() == doctor._SCOPES | {doctor._FILES, "usergroups:read"}


@pytest.mark.parametrize(
    "wide", ["    user:", "users:read", ":write.customize", "chat:write.public", "admin", "event_subscriptions"]
)
def test_nothing_wide_is_asked_for(wide: str) -> None:
    """No list of people, no name of others, no channel without an invitation, no stream of messages."""
    text = (PROJECT / "docs" / "slack-app.yaml").read_text(encoding="utf-8")
    assert wide not in text
