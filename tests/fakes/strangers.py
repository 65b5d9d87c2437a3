"""What a stranger may write, and that a message made of it is one that Slack takes and that acts on nobody."""

import json
from typing import Any

from hypothesis import strategies as st

from alerts.message import Message, visible
from fakes.slack import POST_TEXT_MAX, UPDATE_TEXT_MAX
from fakes.slack_limits import problems

HOSTILE = [
    "",
    " ",
    "\u200b",
    "<!channel>",
    "<!here> <!everyone> <!subteam^S1> <@U1> <#C1> <https://evil.example|the portal>",
    "*bold* _it_ ~no~ `code` ```\nblock",
    "&lt;!channel&gt; &amp;",
    "a" * 100_000,
    "<!channel>" * 2_000,
    "é " * 5_000,
    "👩‍👩‍👧‍👦" * 500,
    "\u202e" * 1000 + "desrever",
    "مرحبا بالعالم " * 500,
    "\n" * 5_000,
    "\x00\x1b\x9b31m\x7f",
    ":fire: @here @channel",
]
URLS = [
    None,
    "https://x.example/<!channel>",
    "https://x.example/a|b>c<d",
    "https://x.example/" + "a" * 4000,
    "https://x.example/" + "|" * 1500,
    'https://x.example/\u202e\x1b[2J"&amp;',
]
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=300), st.text("<>!@&|*_`\n\u202ehere", max_size=200))
urls = st.one_of(st.sampled_from(URLS), st.text('ab|<>&"\x00\u2066', max_size=50).map("https://x.example/".__add__))


def whole(message: Message) -> dict[str, Any]:
    """What Slack looks for markup in."""
    return {"text": message.text, "blocks": message.blocks}


def is_taken(message: Message) -> None:
    """Slack takes it, and nothing in it is hidden."""
    assert problems(message.blocks) == []
    assert 0 < len(message.text) <= min(UPDATE_TEXT_MAX, POST_TEXT_MAX)
    assert len(json.dumps(message.metadata)) < 500
    assert message.title
    assert visible(json.dumps(message.blocks, ensure_ascii=False)) == json.dumps(message.blocks, ensure_ascii=False)
