"""What a server gets: exactly what is locked, with the parts named, shut in as far as it goes, and no secret in an image."""

import importlib.util
import json
import re
import shutil
import subprocess
import types
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from listener.environment import secret_names

DEPLOY = PROJECT / "deploy"
UNITS = ["call-light.service", "call-light-backup.service"]
PIN = re.compile(
    r"^([A-Za-z0-9._-]+)==([^\s;]+)([^\n]*)\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def pins(path: Path) -> dict[tuple[str, str], frozenset[str]]:
    """Each package and version of a lock file, with the hashes of its files."""
    text = path.read_text(encoding="utf-8")
    found = {
        (name, version): frozenset(re.findall("[0-9a-f]{64}", hashes)) for name, version, _, hashes in PIN.findall(text)
    }
    assert len(found) == len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE)), (
        "every line that names a package has hashes"
    )
    return found


def script(name: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, DEPLOY / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---------------------------------------------------------------- what is installed


def test_a_server_installs_what_was_tested() -> None:
    """The same versions and hashes as the whole lock file, without what tests need, and from no named host."""
    whole, server = pins(PROJECT / "requirements.lock"), pins(DEPLOY / "requirements.lock")
    assert {key: whole.get(key) for key in server} == server
    assert {"pytest", "ruff", "mypy", "playwright", "hypothesis"}.isdisjoint(name for name, _ in server)
    declared = (PROJECT / "pyproject.toml").read_text(encoding="utf-8").partition("[project.optional-dependencies]")[0]
    wanted = {
        re.sub("[._]", "-", name.lower()) for name in re.findall(r'^ {4}"([A-Za-z0-9._-]+)', declared, re.MULTILINE)
    }
    assert wanted <= {re.sub("[._]", "-", name.lower()) for name, _ in server}
    text = (DEPLOY / "requirements.lock").read_text(encoding="utf-8")
    assert not re.search(r"://|file:|--(?!hash=sha256:)", text)


def test_the_list_of_parts_is_that_of_the_lock_file() -> None:
    text = (DEPLOY / "sbom.cdx.json").read_text(encoding="utf-8")
    bom: dict[str, Any] = json.loads(text)
    assert {(part["name"], part["version"]) for part in bom["components"]} == set(pins(DEPLOY / "requirements.lock"))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert not {"serialNumber", "timestamp"} & (bom.keys() | bom["metadata"].keys()), (
        "make sbom gives the same bytes again"
    )
    assert not re.search(r"/(home|root|work|tmp|usr)/", text)
    assert sum("licenses" in part for part in bom["components"]) >= len(bom["components"]) - 5


@pytest.mark.slow
def test_the_list_of_parts_comes_out_the_same_again() -> None:
    sbom = script("sbom")
    made = sbom.parts(sbom.LOCK)
    kept = json.loads(sbom.SBOM.read_text(encoding="utf-8"))
    for part in (*made["components"], *kept["components"]):
        part.pop("licenses", None)  # what is not for this machine states none here
    assert made == kept, "type: make sbom"


HOLE = {"name": "x", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}
CLEAN = {"name": "y", "version": "1", "vulns": []}
UNKNOWN = {"name": "z", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "says", "fails"),
    [
        (None, "SKIPPED", False),
        ([], "SKIPPED", False),
        ([UNKNOWN, UNKNOWN], "SKIPPED", False),
        ([CLEAN], "1 packages asked for, 0 known holes", False),
        ([CLEAN, UNKNOWN], "1 of 2 packages are NOT KNOWN", False),
        ([CLEAN, HOLE, UNKNOWN], "x 1: CVE-1; mended in 2", True),
    ],
)
def test_a_hole_fails_and_silence_is_told(packages: list[dict[str, Any]] | None, says: str, fails: bool) -> None:
    lines, has_holes = script("audit").told(packages)
    assert (says in "\n".join(lines), has_holes) == (True, fails)


# ---------------------------------------------------------------- systemd


def unit(name: str) -> dict[str, list[str]]:
    """The settings of a unit, each with every value that it is given."""
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / name).read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_shut_in(name: str) -> None:
    found = unit(name)
    yes = "NoNewPrivileges ProtectHome PrivateTmp PrivateDevices MemoryDenyWriteExecute RestrictSUIDSGID RestrictNamespaces"
    assert {key: found.get(key) for key in yes.split()} == {key: ["yes"] for key in yes.split()}
    assert found["User"] == ["call-light"]
    assert found["ProtectSystem"] == ["strict"]
    assert found["CapabilityBoundingSet"] == [""]
    assert found["UMask"] == ["0077"]
    assert found["LimitCORE"] == ["0"], "what is in memory gets into no file"
    assert all(
        path.startswith(("/var/lib/call-light", "/var/backups/call-light"))
        for path in " ".join(found.get("ReadWritePaths", [])).split()
    )


@pytest.mark.parametrize("name", UNITS)
def test_systemd_itself_says_so(name: str, tmp_path: Path) -> None:
    """At most 1.5 of 10, 0 being the best."""
    if not (analyze := shutil.which("systemd-analyze")):
        pytest.skip("no systemd-analyze here")
    units = tmp_path / "etc" / "systemd" / "system"
    units.mkdir(parents=True)
    shutil.copy(DEPLOY / name, units)
    command = [analyze, "security", "--offline=yes", f"--root={tmp_path}", "--threshold=15", name]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


def test_a_feed_may_still_be_read_with_little_memory() -> None:
    """@resources would be one more refusal for systemd-analyze, and take setrlimit from the process that reads feeds."""
    assert unit("call-light.service")["SystemCallFilter"] == ["@system-service", "~@privileged"]


# ---------------------------------------------------------------- no secret anywhere


def test_no_file_here_carries_a_secret() -> None:
    ours = (path for path in DEPLOY.rglob("*") if path.is_file())
    for path in (*ours, PROJECT / ".dockerignore", PROJECT / ".env.example"):
        text = path.read_text(encoding="utf-8")
        for name in secret_names():
            assert not re.search(rf"\b{name}=(?!\$|\"?\$|…)[^\s\"']", text), (path.name, name)


def test_the_image_runs_without_root_and_takes_nothing_else_along() -> None:
    steps = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    last = steps.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert "/readyz" in last
    assert "--require-hashes" in steps
    assert not re.search(r"^(ARG|ADD) ", steps, re.MULTILINE)
    copied = set(re.findall(r"^COPY (?!--from)(.+) \S+$", steps, re.MULTILINE))
    taken = (PROJECT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    assert taken[1] == "*"
    let_in = {line[1:] for line in taken if line.startswith("!")}
    assert let_in == {"alerts", "config", "listener", "nlp", "pyproject.toml", "README.md", "deploy/requirements.lock"}
    assert {name for one in copied for name in one.split()} == let_in | {"config/*.toml"}


def test_no_container_writes_its_memory_to_a_file() -> None:
    assert "ulimits: { core: 0 }" in (DEPLOY / "compose.yaml").read_text(encoding="utf-8")


def test_the_shell_script_can_be_read_by_a_shell() -> None:
    subprocess.run(["sh", "-n", str(DEPLOY / "call-light.sh")], check=True)


@pytest.mark.parametrize("signal", ["INT", "TERM", "HUP", None])
def test_the_shell_script_leaves_no_secret_behind(tmp_path: Path, signal: str | None) -> None:
    """Also after Ctrl-C; and what is no secret arrives as systemd reads it."""
    script, programs = tmp_path / "call-light", tmp_path / "bin"
    text = (DEPLOY / "call-light.sh").read_text(encoding="utf-8")
    script.write_text(re.sub(r"(?<=[ =(])/(etc|run|var/lib)/", rf"{tmp_path}/\1/", text))
    for folder in ("etc/call-light/secrets", "run", "var/lib/call-light", "bin"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "etc/call-light/secrets/SLACK_BOT_TOKEN").write_text("secret")
    (tmp_path / "etc/call-light/environment").write_text(
        "# keys\nCALL_LIGHT_BACKUP_KEY=age1a age1b\nHTTPS_PROXY=\"http://$(id):3128\"\nNO_PROXY='a b'"
    )
    (programs / "chown").write_text("#!/bin/sh\n")
    (programs / "runuser").write_text(
        '#!/bin/sh\ncat "$CREDENTIALS_DIRECTORY/SLACK_BOT_TOKEN"\n'
        'echo "|$CALL_LIGHT_BACKUP_KEY|$HTTPS_PROXY|$NO_PROXY|$HOME|$*"\n'
        + (f"kill -{signal} $PPID\n" if signal else "")
    )
    for program in programs.iterdir():
        program.chmod(0o755)
    path = f"{programs}:/usr/bin:/bin"
    command = ["env", "--default-signal", "/bin/sh", str(script), "doctor"]  # under nohup HUP would be of no effect
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={"PATH": path})
    home = tmp_path / "var/lib/call-light"
    said = f"secret|age1a age1b|http://$(id):3128|a b|{home}|-u call-light -- /opt/call-light/bin/call-light doctor\n"
    assert done.stdout == said, done.stderr
    assert list((tmp_path / "run").iterdir()) == []
    assert (done.returncode != 0) == (signal is not None)
