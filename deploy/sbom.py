"""Writes deploy/sbom.cdx.json: what a server installs, as CycloneDX, with the licence that each part states.

The same lock file gives the same bytes on every machine that has the parts installed: no time, no path, no number of its own.
"""

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
LOCK, SBOM = PROJECT / "deploy" / "requirements.lock", PROJECT / "deploy" / "sbom.cdx.json"
_LONGEST = 60  # letters; some packages put the whole text of their licence there


def parts(lock: Path) -> dict[str, Any]:
    """The list as cyclonedx-py makes it of a lock file, without what changes from day to day."""
    command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", str(lock), "--output-reproducible"]
    command += ["--of", "JSON", "--sv", "1.6", "--pyproject", str(PROJECT / "pyproject.toml")]
    made: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    made["components"] = sorted((_part(one) for one in made["components"]), key=lambda one: one["purl"])
    root = made["metadata"]["component"]["bom-ref"]
    made["dependencies"] = [{"ref": root, "dependsOn": [one["bom-ref"] for one in made["components"]]}]
    made["metadata"]["tools"] = {"components": [{"type": "application", "name": "cyclonedx-py"}]}
    return made


def _part(given: dict[str, Any]) -> dict[str, Any]:
    """One package; the hashes of its files stand in the lock file."""
    part = {key: given[key] for key in ("type", "name", "version", "purl")} | {"bom-ref": given["purl"]}
    licence = _licence(given["name"])
    return part | ({"licenses": [licence]} if licence else {})


def _licence(name: str) -> dict[str, Any] | None:
    """What the installed package says; None where it is not for this machine, or says nothing."""
    try:
        about = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    if expression := about.get("License-Expression"):
        return {"expression": expression}
    stated = [one.rpartition(" :: ")[2] for one in about.get_all("Classifier", []) if one.startswith("License :: ")]
    named = " or ".join(one for one in stated if one != "OSI Approved") or about.get("License") or ""
    return {"license": {"name": named}} if named and len(named) <= _LONGEST and "\n" not in named else None


if __name__ == "__main__":
    SBOM.write_text(json.dumps(parts(LOCK), indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
