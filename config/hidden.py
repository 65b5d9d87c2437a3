"""What looks like a secret in a config file. These files are kept with every version, shown and sent to people."""

import re
from collections.abc import Iterator

_SECRET = re.compile(
    r"xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}"  # Slack's tokens
    r"|https://hooks\.slack\.com/\w+/\S{8,}"
    r"|whsec_[\w+/=]{16,}"  # of hooks
    r"|bearer\s+[\w.~+/%-]{16,}"
    r"|A{12,}[\w%]{30,}"  # of X
    r"|ya29\.[\w-]{16,}|1//0[\w-]{16,}|GOCSPX-[\w-]{16,}|AIza[\w-]{30,}"  # Google's
    r"|AGE-SECRET-KEY-1\w{16,}"
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----",
    re.ASCII | re.IGNORECASE,
)


def secrets_in(text: str) -> Iterator[tuple[int, int]]:
    """Line and column of each, also in a comment."""
    for found in _SECRET.finditer(text):
        before = text[: found.start()]
        yield before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1


def without_secrets(text: str) -> str:
    """The text with dots in the place of each."""
    return _SECRET.sub("…", text)
