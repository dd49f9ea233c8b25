"""Tests get every program that they start from `require_peer`, which skips if it is missing."""

from __future__ import annotations

import pytest

from tests.helpers.programs import faults
from tests.helpers.support import ROOT

MODULES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_every_program_comes_from_require_peer(module: str) -> None:
    assert faults((ROOT / module).read_text()) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('subprocess.run(["ss", "-t"])', ["1: ss"]),
        ('subprocess.run(args=("tc", "qdisc"))', ["1: tc"]),
        ('os.execvp("tmux", ["tmux"])', ["1: tmux"]),
        ('asyncio.create_subprocess_exec("nft", "list")', ["1: nft"]),
        ('words = ["strace"]\nwords = ("ltrace",)\nsubprocess.Popen([*words, "x"])',
         ["3: strace", "3: ltrace"]),
        ('TOOL = "zstd"\ndef test_it():\n subprocess.run([TOOL, "-d"])', ["3: zstd"]),
        ('subprocess.run(["sudo"] + rest if root else ["su", *rest])', ["1: sudo", "1: su"]),
        ('subprocess.run([require_peer("ip"), "netns", "exec", name, "sysctl"])', ["1: sysctl"]),
        ('subprocess.run([*network.inside(network.near), "ethtool", "lo"])', ["1: ethtool"]),
        ('def test_it(prefix):\n subprocess.run([*prefix, "ping"])', ["2: ping"]),
        ('subprocess.run(["env", f"A={a}", "faketime", "x"])', ["1: faketime"]),
        ('subprocess.run([require_peer("setpriv"), "--no-new-privs", "curl"])', ["1: curl"]),
        ('subprocess.run([require_unshare(), "--net", "socat"])', ["1: socat"]),
        ('subprocess.run(["sh", "-c", f"nmap {host} | cat"])', ["1: nmap"]),
        ('os.system("script -q")', ["1: script"]),
        ('def helper(*words):\n subprocess.run(list(words))', ["2: a parameter"]),
        ('def helper(words):\n os.execvp(words[0], words)', ["2: a parameter"]),
        ('P = """import subprocess\nsubprocess.run(["dig"])"""', ["1, in a program: 2: dig"]),
        ('subprocess.run(["sh", "-c", f"cat {path}"])', []),
        ('subprocess.run([sys.executable, "-m", "app"])', []),
        ('def helper(name):\n subprocess.run([require_peer(name), name])', []),
    ],
)  # fmt: skip
def test_the_programs_found_in_a_source(source: str, found: list[str]) -> None:
    assert faults(source) == found
