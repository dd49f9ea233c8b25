"""``-f`` and ``--not-ssh``: what they compile, and how they refuse."""

from __future__ import annotations

import pytest
import rich_click as click

from app.cli import capture_filters
from app.cli.capture_filters import compile_for
from app.cli.main import run
from core.capture.ssh_sessions import SshSession
from core.net.netlink import LinkMessage

SESSION = SshSession("192.0.2.1", 22, "198.51.100.7", 51522)
LINKS = {"lo": 772, "tun0": 65534}


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> list[SshSession]:
    found: list[SshSession] = []

    def find(name: str) -> LinkMessage | None:
        kind = LINKS.get(name)
        return None if kind is None else LinkMessage(False, 1, kind, 0, name, 1500, b"", 0, "")

    monkeypatch.setattr(capture_filters, "find_ssh_sessions", lambda: tuple(found))
    monkeypatch.setattr(capture_filters, "find_interface", find)
    return found


def test_the_session_is_left_out_besides_the_filter(sessions, capsys):
    assert compile_for(("lo",), "", not_ssh=False) is None
    assert compile_for(("lo", "absent"), "", not_ssh=True) is None
    assert "no SSH session found" in capsys.readouterr().err
    sessions.append(SESSION)
    both = compile_for(("any",), "port 443", not_ssh=True)
    assert both is not None
    assert both.expression == f"(not ({SESSION.expression})) and (port 443)"
    assert both.label == "port 443, not my SSH"


def test_a_filter_that_is_wrong_for_one_interface_is_refused(sessions):
    assert compile_for(("lo",), "vlan", not_ssh=False) is not None
    with pytest.raises(click.UsageError, match="-f: tun0: no VLAN support for Raw IP"):
        compile_for(("lo", "tun0"), "vlan", not_ssh=False)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["dump", "-i", "lo", "-f", "tcp prot 5"], "-f: can't parse filter expression"),
        (["-i", "lo", "-f", "port 70000"], "-f: illegal port number 70000 > 65535"),
        (["dump", "-r", "x", "-f", "tcp"], "-Y filters the packets of a file"),
        (["-r", "x.pcap", "--not-ssh"], "--not-ssh applies to capturing"),
    ],
)
def test_wrong_usage(words, says, capsys):
    assert run(words) == 2
    assert says in " ".join(capsys.readouterr().err.split())
