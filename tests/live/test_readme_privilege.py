"""The README's privilege command, run with real sudo by an ordinary user."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.files.reader import open_capture
from core.net import sockets
from tests.helpers.support import ROOT, require_peer, require_root
from tests.helpers.waiting import PATIENCE_S

pytestmark = pytest.mark.live

USER = 4242
NET_RAW = 1 << 13  # linux/capability.h
# In its own mount and network namespaces: a user, its rule for sudo, the program where that user
# can read it, and loopback.
_SETUP = """
set -e
for file in passwd group shadow; do
    cp -p /etc/$file "$BASE/$file"
done
echo "rawtester:x:$USER_ID:$USER_ID::$BASE/home:/bin/sh" >> "$BASE/passwd"
echo "rawtester:x:$USER_ID:" >> "$BASE/group"
echo "rawtester:*:19000:0:99999:7:::" >> "$BASE/shadow"
for file in passwd group shadow; do
    mount --bind "$BASE/$file" /etc/$file
done
mount -t tmpfs -o mode=755 none /etc/sudoers.d
echo "rawtester ALL=(ALL:ALL) NOPASSWD: ALL" > /etc/sudoers.d/rawtester
chmod 440 /etc/sudoers.d/rawtester
for folder in app core widgets; do
    mkdir -p "$BASE/program/$folder"
    mount --bind "$CHECKOUT/$folder" "$BASE/program/$folder"
done
mkdir -p "$BASE/packages"
mount --bind "$PACKAGES" "$BASE/packages"
ip link set lo up
cd "$BASE/home"
export HOME="$BASE/home" PATH="$BASE/bin:$PATH"
exec "$SETPRIV" --reuid=$USER_ID --regid=$USER_ID --clear-groups "$@"
"""
_PROGRAM = """#!/bin/sh
cat /proc/self/status > "$HOME/status"
export PYTHONPATH=$BASE/program:$BASE/packages PYTHONDONTWRITEBYTECODE=1
exec $PYTHON -m app "$@"
"""


def readme_command() -> str:
    """Return the README's code block with sudo, up to rawscope's arguments."""
    (block,) = re.findall(r"```\n(sudo setpriv .*?)\n```", (ROOT / "README.md").read_text(), re.S)
    command, found, _ = block.replace("\\\n", " ").rpartition(" -i eth0")
    assert found
    return command


class Sudoer:
    """An ordinary user who may use sudo; a call runs a shell command as that user."""

    def __init__(self, base: Path) -> None:
        require_root()
        for program in ("sudo", "setpriv", "ip"):
            require_peer(program)
        self._base = base
        self.home = base / "home"
        self.home.mkdir()
        os.chown(self.home, USER, USER)
        self._environment = {
            **os.environ,
            "BASE": str(base),
            "USER_ID": str(USER),
            "CHECKOUT": str(ROOT),
            "PACKAGES": sysconfig.get_path("purelib"),
            "SETPRIV": require_peer("setpriv"),
        }
        for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "PYTHONPATH"):
            self._environment.pop(name, None)
        (base / "bin").mkdir()
        program = base / "bin" / "rawscope"
        program.write_text(_PROGRAM.replace("$BASE", str(base)).replace("$PYTHON", self._python()))
        program.chmod(0o755)

    def _python(self) -> str:
        """Return an interpreter of this version that the user may run."""
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        for path in (os.path.realpath(sys.executable), f"/usr/bin/{version}"):
            done = subprocess.run(
                [require_peer("setpriv"), f"--reuid={USER}", f"--regid={USER}", "--clear-groups",
                 "sh", "-c", 'exec "$0" -c ""', path],
                capture_output=True, check=False,
            )  # fmt: skip
            if not done.returncode:
                return path
        pytest.skip(f"an ordinary user has no {version} here")

    def __call__(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [require_peer("unshare"), "--net", "--mount", "sh", "-c", _SETUP, "sh",
             "sh", "-c", command],
            env=self._environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip

    @property
    def status(self) -> dict[str, str]:
        """Return /proc/self/status of the last rawscope."""
        lines = (self.home / "status").read_text().splitlines()
        return dict(re.split(r":\s*", line, maxsplit=1) for line in lines)


@pytest.fixture
def sudoer() -> Iterator[Sudoer]:
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        base.chmod(0o755)
        made = Sudoer(base)
        probe = made("sudo true")
        if "mount" in probe.stderr:
            pytest.skip(f"no namespace for another user here: {probe.stderr.strip()}")
        assert probe.returncode == 0, probe.stderr
        yield made


def test_the_readme_and_the_advice_are_the_same_command() -> None:
    told = sockets.grant_command()
    assert " ".join(readme_command().split()) == " ".join(told.split())


def test_the_privileged_command_runs_as_the_user_with_one_capability(sudoer) -> None:
    done = sudoer(f"{readme_command()} send --ip.dst 127.0.0.1 --udp.dstport 9 --wait 1 --json")
    assert "CAP_NET_RAW" not in done.stderr
    assert "Traceback" not in done.stderr
    status = sudoer.status
    assert status["Uid"].split() == status["Gid"].split() == [str(USER)] * 4
    assert status["NoNewPrivs"] == "1"
    for capabilities in ("CapEff", "CapPrm", "CapBnd", "CapAmb", "CapInh"):
        assert int(status[capabilities], 16) == NET_RAW, capabilities
    assert '"left"' in done.stdout or '"event":"sent"' in done.stdout, done.stdout + done.stderr
    path = sudoer.home / ".local" / "state" / "rawscope" / "sent.pcapng"
    assert path.stat().st_uid == USER
    with open_capture(path) as reader:
        assert sum(len(batch) for batch in reader.batches()) == 1
    everything = [path for path in sudoer.home.rglob("*") if path.name != "status"]
    assert {path.stat().st_uid for path in everything} == {USER}


@pytest.mark.parametrize(
    "arguments", ["send --ip.dst 127.0.0.1 --udp.dstport 9 --dry-run", "dump -i lo -a 0.2"]
)
def test_the_privileged_command_captures_and_sends(sudoer, arguments) -> None:
    done = sudoer(f"{readme_command()} {arguments}")
    assert done.returncode == 0, done.stderr


def test_without_the_home_directory_it_fails(sudoer) -> None:
    """The command sets HOME, because sudo sets it to root's, where this user may not write."""
    command = readme_command().replace('env HOME="$HOME" ', "")
    assert command != readme_command()
    program = sudoer.home.parent / "bin" / "rawscope"
    program.write_text(program.read_text().replace('"$HOME/status"', "/dev/null"))
    done = sudoer(f"{command} send --ip.dst 127.0.0.1 --udp.dstport 9")
    assert done.returncode == 1
    assert "the audit /" in done.stderr
