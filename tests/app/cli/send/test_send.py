"""``rawscope send`` as far as nothing leaves: options, dry runs, usage, what is saved."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import rich_click as click

from app.cli.main import run
from app.cli.send.field_options import field_options
from app.cli.send_arguments import send as send_command
from core.forge.compose.layer_kinds import KINDS
from core.forge.compose.templates import TEMPLATES
from core.forge.journal.database import FILE
from core.wire.link import ethernet
from core.wire.network import arp, icmp, ipv4, ipv6
from core.wire.transport import tcp, udp
from tests.app.made import SYN as SYN_FRAME
from tests.app.made import capture_of
from tests.helpers.support import ROOT
from tests.helpers.waiting import PATIENCE_S

SYN = ("--ip.dst", "127.0.0.1", "--ip.src", "127.0.0.1", "--tcp.dstport", "80", "--tcp.flags.syn")
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def send(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Call:
    """Run ``rawscope send``; return status, standard output, and standard error."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def call(*arguments: str) -> tuple[int, str, str]:
        status = run(["send", *arguments])
        return (status, *capfd.readouterr())

    return call


def test_there_is_an_option_for_every_field() -> None:
    """Of the seven headers, their parts and options, and of all else a draft can have."""
    options = field_options()
    tables = [ethernet.ETHERNET, arp.ARP, arp.ARP_IPV4, ipv4.IPV4, ipv6.IPV6, tcp.TCP, udp.UDP,
              icmp.ICMP, *icmp.CONTINUATIONS]  # fmt: skip
    assert {slot.name for table in tables for slot in table.slots} <= set(options)
    assert {"ip.options", "tcp.options", "payload", "trailer"} <= set(options)
    everything = {slot.name for kind in KINDS.values() for table in kind.tables
                  for slot in table.slots}  # fmt: skip
    assert everything <= set(options)


def test_the_help_shows_them(send: Call) -> None:
    status, out, _ = send("--help")
    assert status == 0
    for word in ("--ip.ttl", "--tcp.flags.syn", "--tcp.options", "--payload", "--dry-run"):
        assert word in out


def test_a_dry_run_shows_the_bytes(send: Call) -> None:
    status, out, _ = send(*SYN, "--ip.ttl", "3", "--tcp.options", "mss=1460", "--dry-run")
    assert status == 0
    assert "127.0.0.1 → 127.0.0.1 TCP 44 40000 → 80 [SYN]" in out
    assert "0000  45 00 00 2c" in out
    assert "02 04 05 b4" in out


def test_a_dry_run_as_json_is_what_dump_prints_of_the_packet(
    send: Call, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = send(*SYN, "--payload", "hi", "--dry-run", "--json")
    found = json.loads(out)
    raw = bytes.fromhex(found["frame.raw"])
    assert raw[0] == 0x45
    path = tmp_path / "one.pcap"
    written = bytearray(Path(capture_of(path, [raw])).read_bytes())
    written[20] = 101  # LINKTYPE_RAW
    path.write_bytes(written)
    assert run(["dump", "-r", str(path), "--json", "--raw"]) == 0
    dumped = json.loads(capfd.readouterr().out)
    assert list(found) == list(dumped)
    for record in (found, dumped):
        del record["frame.time_epoch"]
    assert found == dumped


def test_with_a_link_the_packet_begins_at_ethernet(send: Call) -> None:
    arguments = (*SYN, "--link", "lo", "--dry-run", "--json", "--eth.dst", "02:00:5e:10:00:01")
    _, out, _ = send(*arguments)
    found = json.loads(out)
    assert found["frame.raw"].startswith("02005e100001" + "000000000000" + "0800" + "45")
    assert found["eth.dst"] == "02:00:5e:10:00:01"


def test_a_wrong_value_stays_wrong(send: Call) -> None:
    arguments = (*SYN, "--ip.checksum", "0xdead", "--tcp.checksum", "1", "--dry-run", "--json")
    found = json.loads(send(*arguments)[1])
    assert found["ip.checksum"] == 0xDEAD
    assert (found["ip.checksum.status"], found["tcp.checksum.status"]) == ("bad", "bad")


def test_a_flag_may_be_taken_back(send: Call) -> None:
    arguments = ("--template", "tcp-syn", "--ip.dst", "127.0.0.1", "--dry-run", "--json")
    assert json.loads(send(*arguments)[1])["tcp.flags.syn"] is True
    taken = json.loads(send(*arguments, "--tcp.flags.syn", "0", "--tcp.flags.fin")[1])
    assert (taken["tcp.flags.syn"], taken["tcp.flags.fin"]) == (False, True)


def test_layers_and_fields_of_repeated_ones(send: Call) -> None:
    arguments = ("--layers", "eth,vlan,vlan,ip,udp", "--vlan.id", "5", "--set", "vlan.id#2=7",
                 "--link", "lo", "--dry-run", "--json")  # fmt: skip
    assert json.loads(send(*arguments)[1])["vlan.id"] == [5, 7]


def test_a_template_of_two_prints_two(send: Call) -> None:
    arguments = ("--template", "fragment-overlap", "--ip.dst", "127.0.0.1", "--dry-run", "--json")
    out = send(*arguments)[1]
    found = [json.loads(line) for line in out.splitlines()]
    assert [one["ip.frag_offset"] for one in found] == [0, 2]


def test_drafts_are_saved_and_recalled(send: Call) -> None:
    assert send(*SYN, "--save", "mine", "--dry-run")[0] == 0
    arguments = ("--draft", "mine", "--tcp.dstport", "81", "--dry-run", "--json")
    found = json.loads(send(*arguments)[1])
    assert (found["tcp.flags.syn"], found["tcp.dstport"]) == (True, 81)
    status, _, said = send("--draft", "yours", "--dry-run")
    assert status == 2
    assert "no draft is named 'yours'; saved are mine" in said


def test_a_damaged_database_is_reported(send: Call, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "rawscope"
    folder.mkdir(parents=True, mode=0o700)
    (folder / FILE).write_bytes(b"garbage" * 100)
    assert f"{FILE}: it is damaged" in send("--draft", "mine", "--dry-run")[2]
    status, _, said = send(*SYN, "--save", "mine", "--dry-run")
    assert status == 0
    assert f"{FILE}.unreadable-" in said
    assert send("--draft", "mine", "--dry-run")[::2] == (0, "")


NEST = b"[" * 100_000
NO_ENTRIES = "not the entries that rawscope writes there"


@pytest.mark.parametrize(
    ("content", "damage"),
    [
        (b"{x", "line 1, column 2"),
        (b'{"foo": [],\n  x}', "line 2, column 3"),
        (b'{"\xff": []}', "byte 3 is not UTF-8 text"),
        (b"1" * 5000, "a number has too many digits"),
        (NEST, "brackets are nested too deeply"),
        (b"null", NO_ENTRIES),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
@pytest.mark.parametrize(
    ("name", "lost"),
    [("drafts.json", "drafts"), ("history.json", "history"),
     ("destinations.json", "approved destinations")],
)  # fmt: skip
def test_a_damaged_file_of_an_earlier_version_is_named(
    send: Call, tmp_path: Path, name: str, lost: str, content: bytes, damage: str
) -> None:
    folder = tmp_path / "state" / "rawscope"
    folder.mkdir(parents=True, mode=0o700)
    (folder / name).write_bytes(content)
    status, _, said = send("--draft", "foo", "--dry-run")
    assert status == 2
    assert f"{folder / name} is damaged ({damage}): its {lost} cannot be read" in said
    assert "no drafts are saved" not in said


@pytest.mark.parametrize("name", ["drafts.json", FILE])
def test_an_unreadable_file_is_named_and_no_drafts_are_claimed_missing(
    send: Call, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "state" / "rawscope"
    (folder / name).mkdir(parents=True, mode=0o700)
    folder.chmod(0o700)
    status, _, said = send("--draft", "foo", "--dry-run")
    assert status == 2
    assert f"{name} is a directory: move it away" in said
    assert "no drafts are saved" not in said


def test_no_saved_drafts_are_reported(send: Call) -> None:
    assert "no draft is named 'foo'; no drafts are saved" in send("--draft", "foo")[2]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((*SYN, "--ip.ttl", "300"), "--ip.ttl 300: time to live is 0–255"),
        ((*SYN, "--tcp.options", "mss=x"), "--tcp.options x: maximum segment size is 0–65535"),
        ((*SYN, "--payload", "hex:0"), "--payload hex:0: not hex"),
        ((*SYN, "--udp.dstport", "1"), "fields of tcp and udp: a packet has one of them"),
        (("--arp.opcode", "1", "--ip.dst", "::1"), "fields of arp and ip"),
        (("--ip.ttl", "3", "--udp.dstport", "9"), "--ip.dst: no destination: type"),
        (("--template", "arp-who-has"), "they leave on, e.g. --link eth0"),
        (
            (*SYN, "--udp.dstport", "1", "--layers", "ip,tcp"),
            "udp.dstport: the packet (ip,tcp) has no",
        ),
        ((*SYN, "--layers", "ip,tcq"), "--layers: tcq: no such layer; choose from eth"),
        ((*SYN, "--template", "x"), "--template: none is named 'x'"),
        ((*SYN, "--template", "udp", "--draft", "nope"), "--template and --draft both"),
        ((*SYN, "--set", "x"), "--set x: write KEY=VALUE"),
        ((*SYN, "--rate", "1", "--interval", "1"), "--rate and --interval exclude"),
        ((*SYN, "--link", "lo", "--system-header"), "verbatim"),
        ((*SYN, "--bypass"), "--link IFACE"),
        ((*SYN, "--count", "0"), "--count"),
        (("--ip.tll", "3"), "--ip.tll"),
    ],
)
def test_wrong_usage(send: Call, arguments: tuple[str, ...], sentence: str) -> None:
    status, out, said = send(*arguments)
    assert (status, out) == (2, "")
    assert sentence in said
    assert said.count("\n") == 1


def test_an_interface_that_is_not_there(send: Call) -> None:
    status, _, said = send(*SYN, "--link", "nothere0")
    assert status == 1
    assert "there is no interface 'nothere0'" in said


def test_an_audit_that_cannot_be_written_sends_nothing(send: Call, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    status, out, said = send(*SYN)
    assert (status, out) == (1, "")
    assert "--no-audit sends without it" in said or "CAP_NET_RAW" in said


def test_no_screen_is_imported() -> None:
    code = (
        "import sys; from app.cli.main import run; status = run(sys.argv[1:]); "
        "print(status, *({'textual'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "send", *SYN, "--dry-run"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.stderr.split() == ["0"]


@pytest.mark.parametrize("option", ["--rate", "--interval", "--wait"])
@pytest.mark.parametrize("number", ["nan", "inf", "1e999"])
def test_only_finite_numbers_are_numbers(send: Call, option: str, number: str) -> None:
    status, _, said = send(*SYN, option, number, "--dry-run")
    assert status == 2
    assert "is not a finite number" in said


@pytest.mark.parametrize("option", ["--rate", "--speed", "--mbit", "--max-gap", "--loop-delay"])
@pytest.mark.parametrize("number", ["nan", "inf"])
def test_a_replay_has_a_finite_pace(
    option: str, number: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", "absent.pcap", "--link", "lo", option, number]) == 2
    assert "is not a finite number" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("option", "number"),
    [("--interval", "1e-320"), ("--interval", "1e300"), ("--rate", "1e-310"), ("--rate", "1e-5")],
)
def test_a_rate_below_one_packet_a_day_is_refused(send: Call, option: str, number: str) -> None:
    status, _, said = send(*SYN, option, number, "--count", "2", "--dry-run")
    assert status == 2
    assert f"{option} {float(number)}: " in said
    assert send(*SYN, "--interval", "86400", "--dry-run")[0] == 0


@pytest.mark.parametrize(("option", "number"), [("--rate", "1e-310"), ("--speed", "1e-310")])
def test_a_replay_that_would_never_end(
    option: str, number: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", "absent.pcap", "--link", "lo", option, number]) == 2
    assert option in capfd.readouterr().err


@pytest.mark.parametrize("pace", [("--rate", "5"), ("--mbps", "5"), ("--topspeed",)])
def test_only_captured_gaps_can_be_limited(
    pace: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", "absent.pcap", "--link", "lo", "--max-gap", "1", *pace]) == 2
    assert "--max-gap limits captured gaps" in capfd.readouterr().err


def test_a_dry_run_of_a_replay_counts_and_sends_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It opens no socket, so it needs no privilege."""
    path = capture_of(
        tmp_path / "a.pcap", [b"", bytes(13), SYN_FRAME, bytes(70_000)], [0, 1, 2, 65 * 10**9]
    )
    assert run(["replay", path, "--link", "lo", "--dry-run"]) == 1
    out, said = capfd.readouterr()
    assert out == "would send 1 of 4 frames through lo in about 1 min 5 s\n"
    assert "2 frames are shorter than a link header: skipped" in said
    assert "1 frame is longer than lo accepts: skipped" in said
    assert run(["replay", path, "--link", "lo", "--dry-run", "--limit", "3", "--json"]) == 1
    assert json.loads(capfd.readouterr().out) == {
        "event": "dry_run", "frames": 3, "sent": 1, "too_long": 0, "too_short": 2, "unresolved": 0,
        "without_ip": 0, "unsendable": 0, "cut": 0, "rewritten": None, "written_down": None,
        "interrupted": False, "seconds": 0.0, "interface": "lo", "loops": 1, "pending": 0,
        "unknown_hops": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "words", "seconds"),
    [
        ((), "would send 2 of 3 frames through lo in about 2 s", 2.0),
        (("--loop", "3"), "would send 6 of 9 frames through lo in about 6 s (3 rounds)", 6.0),
        (("--loop", "3", "--loop-delay", "5"), "through lo in about 16 s (3 rounds)", 16.0),
        (("--loop", "0"), "2 of 3 frames through lo in about 2 s per round, until stopped", 2.0),
        (("--loop", "3", "--rate", "2"), "6 of 9 frames through lo in about 4 s (3 rounds)", 4.0),
        (("--loop", "3", "--topspeed"), "6 of 9 frames through lo (3 rounds)", None),
        (("--loop", "3", "--topspeed", "--loop-delay", "60"), "in about 2 min (3 rounds)", 120.0),
    ],
)  # fmt: skip
def test_a_dry_run_counts_every_round(
    options: tuple[str, ...], words: str, seconds: float | None, tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    times = [0, 10**9, 2 * 10**9]
    path = capture_of(tmp_path / "a.pcap", [SYN_FRAME, b"", SYN_FRAME], times)
    command = ["replay", path, "--link", "lo", "--dry-run", *options]
    assert run(command) == 1
    out, said = capfd.readouterr()
    assert out.endswith(words + "\n")
    loops = 3 if "3" in options else 1
    left_out = "3 frames are" if loops == 3 else "1 frame is"
    assert f"{left_out} shorter than a link header" in said
    assert run([*command, "--json"]) == 1
    record = json.loads(capfd.readouterr().out)
    counts = record["frames"], record["sent"], record["too_short"], record["seconds"]
    assert counts == (3 * loops, 2 * loops, loops, seconds)


def test_an_empty_packet_is_refused(send: Call) -> None:
    for options in ((), ("--count", "3"), ("--link", "lo")):
        status, out, said = send(*options, "--dry-run")
        assert (status, out) == (2, "")
        assert "no packet to send" in said
    assert send("--layers", "ip,udp", "--dry-run")[0] == 0


def test_a_missing_capture_is_refused_without_a_question(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert run(["replay", str(tmp_path / "none.pcap"), "--link", "lo"]) == 1
    said = capfd.readouterr().err
    assert "no such file" in said
    assert "is not known before" not in said


def test_the_help_lists_all_templates_and_layers() -> None:
    params = send_command.get_params(click.Context(send_command))
    helps = {option.name: getattr(option, "help", "") for option in params}
    assert helps["template_name"] == f"Begin with a template: {', '.join(TEMPLATES)}."
    assert helps["layers"].endswith(f" All: {', '.join(KINDS)}.")


def test_no_option_is_cut_in_the_help_of_80_columns() -> None:
    """From there one copies them."""
    done = subprocess.run(
        [sys.executable, "-m", "app", "send", "--help"],
        cwd=ROOT, env={**os.environ, "COLUMNS": "80"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    words = set(done.stdout.split())
    assert [name for name in field_options() if f"--{name}" not in words] == []
