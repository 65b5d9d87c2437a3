"""Asks for known holes in what a server installs. Where nobody can be asked it says so, in one line, and fails nothing."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

LOCK = Path(__file__).with_name("requirements.lock")
_PATIENCE = 300  # seconds


def asked(service: str) -> list[dict[str, Any]] | None:
    """What a service of pip-audit knows of each package; None when it cannot be asked."""
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "-r", str(LOCK), "-s", service]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", "10"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_PATIENCE)
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError):
        return None
    return found


def told(packages: Iterable[dict[str, Any]] | None) -> tuple[list[str], bool]:
    """What to say of the packages, and whether one of them has a known hole."""
    packages = list(packages or ())
    unknown = sum("skip_reason" in one for one in packages)
    holes = [
        f"{one['name']} {one['version']}: {hole['id']}; mended in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for one in packages
        for hole in one.get("vulns", ())
    ]
    if not packages or unknown == len(packages):
        return ["audit: SKIPPED, nobody who knows of holes can be asked from here"], False
    lines = [f"audit: {len(packages) - unknown} packages asked for, {len(holes)} known holes", *holes]
    return lines + ([f"audit: {unknown} of {len(packages)} packages are NOT KNOWN there"] if unknown else []), bool(
        holes
    )


def main() -> int:
    """PyPI's own list, else that of osv.dev."""
    found = asked("pypi")
    if found is None or all("skip_reason" in one for one in found):
        found = asked("osv")
    lines, has_holes = told(found)
    sys.stdout.write("\n".join(lines) + "\n")
    return int(has_holes)


if __name__ == "__main__":
    sys.exit(main())
