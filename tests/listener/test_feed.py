"""Bytes of a feed as items. What the collector does with them, and hostile feeds, are in test_rss.py."""

import json
import subprocess
import sys

import pytest

from listener.feed import parsed

RSS = '<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{}</channel></rss>'
ITEM = "<item><guid>{n}</guid><title>Brigid {n}</title><pubDate>Mon, 16 Nov 2026 15:00:00 GMT</pubDate></item>"


def test_items() -> None:
    read = parsed(RSS.format(ITEM.format(n=1) + ITEM.format(n=2)).encode(), "")
    assert [(item["guid"], item["text"], item["at"]) for item in read["items"]] == [
        ("1", "Brigid 1", "2026-11-16T15:00:00+00:00"),
        ("2", "Brigid 2", "2026-11-16T15:00:00+00:00"),
    ]
    assert (read["whole"], read["broken"]) == (True, 0)


@pytest.mark.parametrize(
    "body", [b"", b"<html><p>no feed</p></html>", b"{}", b"\0" * 99, "\ud800".encode("utf-8", "replace")]
)
def test_no_feed(body: bytes) -> None:
    assert parsed(body, "") == {}


def test_the_process_of_its_own_says_the_same() -> None:
    body = RSS.format(ITEM.format(n=1)).encode()
    done = subprocess.run([sys.executable, "-m", "listener.feed", ""], input=body, capture_output=True, check=True)
    assert json.loads(done.stdout) == parsed(body, "")


def test_it_loads_little() -> None:
    """It is started for each feed that changed."""
    program = "import sys; import listener.feed; print(sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert not {"pydantic", "sqlmodel", "requests", "spacy"} & set(json.loads(done.stdout.replace("'", '"')))
