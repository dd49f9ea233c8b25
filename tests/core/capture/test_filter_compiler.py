"""libpcap in a child process: its programs, its words, and what may go wrong around it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from core.capture import filter_compiler, libpcap_process
from core.capture.filter_compiler import CaptureFilterError, compile_expressions
from tests.helpers.support import require_peer
from tests.helpers.waiting import PATIENCE_S

ETHERNET, RAW_IP = 1, 12


def test_programs_and_errors_come_back_in_order():
    arp, wrong, raw, unknown, loop = compile_expressions(
        [
            (ETHERNET, "arp"),
            (ETHERNET, "tcp prot 5"),
            (RAW_IP, "arp"),
            (ETHERNET, "host no.such.name"),
            (ETHERNET, "ip6 protochain 17"),
        ]
    )
    assert arp == ((40, 0, 0, 12), (21, 0, 1, 0x0806), (6, 0, 0, 262144), (6, 0, 0, 0))
    assert str(wrong) == "can't parse filter expression: syntax error"
    assert isinstance(raw, CaptureFilterError)
    assert str(loop).startswith("'protochain' needs a loop")
    assert str(unknown) == (
        "unknown host 'no.such.name'; only /etc/hosts is searched for names: write the address"
    )


def test_names_are_never_looked_up_in_the_network(tmp_path):
    """glibc would ask nscd, and DNS, without the restriction to files."""
    trace = tmp_path / "trace"
    job = [ETHERNET, "host no.such.name and port domain"]
    request = {"path": sys.path, "jobs": [job], "continuations": [job]}
    subprocess.run(
        [require_peer("strace"), "-f", "-e", "trace=network", "-o", str(trace),
         sys.executable, "-S", "-P", libpcap_process.__file__],
        input=json.dumps(request).encode(), capture_output=True, timeout=PATIENCE_S, check=True,
    )  # fmt: skip
    assert "exited with 0" in trace.read_text()
    assert "connect(" not in trace.read_text()
    assert "sendto(" not in trace.read_text()


def test_a_filter_that_takes_too_long_is_given_up():
    with pytest.raises(CaptureFilterError, match=r"more than 0 s for this filter; shorten it"):
        compile_expressions([(ETHERNET, "arp")], limit_s=0.0)


def test_a_host_without_the_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(CaptureFilterError, match=r"need the package cypcap .*pip install cypcap"):
        compile_expressions([(ETHERNET, "arp")])


def test_a_crash_of_the_compiler_is_an_error(monkeypatch, tmp_path):
    program = tmp_path / "crash.py"
    program.write_text("raise SystemExit('no\\x1b memory')")
    monkeypatch.setattr(filter_compiler.libpcap_process, "__file__", str(program))
    with pytest.raises(CaptureFilterError, match=r"^the filter compiler failed: no.x1b memory$"):
        compile_expressions([(ETHERNET, "arp")])


def test_a_signal_that_ends_libpcap_is_named(monkeypatch, tmp_path):
    program = tmp_path / "crash.py"
    program.write_text("import os, resource\nresource.setrlimit(4, (0, 0))\nos.abort()")
    monkeypatch.setattr(filter_compiler.libpcap_process, "__file__", str(program))
    with pytest.raises(CaptureFilterError, match=r"^libpcap crashed \(signal 6\) on this filter"):
        compile_expressions([(ETHERNET, "arp")])
