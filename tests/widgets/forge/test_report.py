"""The report on a send, as lines."""

from __future__ import annotations

import errno

from core.forge.observe.packet_outcome import Change, PacketOutcome, Reply
from core.forge.report import Report
from core.forge.send_errors import Circumstances, refused
from core.forge.values import SendProgress
from tests.core.forge.observe.captured import captured
from tests.widgets.stage import play, screen_text
from widgets.forge.outcome import ForgeOutcome
from widgets.forge.report import ReportStyle, delay_text, report_lines

CHANGE = Change("ip.len", "Total length", "0", "44", "Linux always writes the total length.")
REPLY = Reply(captured(b"", 0, number=13), "192.0.2.9", "TCP", "80 → 40000 [RST, ACK]", 45_000)


def texts(report: Report, width: int = 80) -> list[str]:
    return [line.text for line in report_lines(report, width)]


def test_changed_fields_and_replies_are_shown():
    outcome = PacketOutcome(12, 1, (CHANGE,), (REPLY,), 1, ("A reset will follow.",))
    report = Report("IP_HDRINCL", "veth0", SendProgress(1, 1), outcomes=(outcome,))
    assert texts(report) == [
        "✓ sent 1 of 1 (IP_HDRINCL) on veth0",
        "↗ packet 12 sent with one field changed",
        "  Total length  0 → 44",
        "    Linux always writes the total length.",
        "← packet 13  0.045 ms  192.0.2.9  TCP  80 → 40000 [RST, ACK]",
        "· A reset will follow.",
    ]
    assert [line.number for line in report_lines(report, 80)] == [0, 12, 12, 0, 13, 0]


def test_a_packet_that_is_sent_again_is_named_before_its_outcome():
    report = Report("verbatim", "veth0", SendProgress(1, 1), subject="packet 512, unchanged")
    assert texts(report)[:2] == [
        "packet 512, unchanged; the form is not sent",
        "✓ sent 1 of 1 (verbatim) on veth0",
    ]


def test_nothing_to_tell_is_nothing():
    assert texts(Report()) == []


def test_no_reply_differs_from_no_capture():
    asked = Report("verbatim", "veth0", SendProgress(1, 1), outcomes=(PacketOutcome(),))
    assert "? not captured" in texts(asked)
    seen = Report(
        "verbatim", "veth0", SendProgress(1, 1), listening=True, outcomes=(PacketOutcome(3, 1),)
    )
    assert texts(seen)[1:] == [
        "↗ packet 3 sent as requested, byte for byte",
        "  no reply yet",
    ]
    blind = Report(
        "verbatim",
        "veth0",
        SendProgress(1, 1),
        unseen_reason="nothing is captured",
        outcomes=(PacketOutcome(),),
    )
    assert texts(blind)[1:] == ["· nothing is captured"]


def test_an_error_says_how_far_it_came():
    error = refused(errno.EMSGSIZE, Circumstances("192.0.2.9", "veth0", 1500, 2028))
    progress = SendProgress(10, 3, 1, 0.5, error)
    lines = texts(Report("IP_HDRINCL", "veth0", progress, error=str(error)), 200)
    assert lines[0].startswith("✗ sent 2 of 10 (IP_HDRINCL) on veth0, 4.0/s; 1 dropped")
    assert lines[1].startswith("✗ EMSGSIZE: the packet has 2028 bytes and the MTU on veth0 is 1500")


def test_progress_and_stopping():
    running = Report("IP_HDRINCL", "veth0", SendProgress(20_000, 5_000, 0, 2.0), sending=True)
    assert texts(running) == ["● sending 5,000 of 20,000 (IP_HDRINCL) on veth0, 2,500/s; esc stops"]
    stopped = Report("IP_HDRINCL", "", SendProgress(20_000, 5_000, 0, 2.0, None, True))
    assert texts(stopped)[0].startswith("■ stopped: sent 5,000 of 20,000")
    assert texts(Report(sending=True, asking=True)) == ["? waiting for your answer"]


def test_lines_fit_into_the_width():
    outcome = PacketOutcome(12, 7, (CHANGE,), (REPLY,), 250, ("word " * 60,))
    report = Report(
        "IP_HDRINCL",
        "veth0",
        SendProgress(7, 7),
        outcomes=(outcome, outcome),
        audit="/x/" + "y" * 90,
    )
    for width in (20, 33, 80):
        sentences = [line for line in report_lines(report, width) if line.style is ReportStyle.NOTE]
        assert all(len(line.text) <= width for line in sentences)


def test_no_control_character_of_a_reply_is_shown():
    reply = Reply(captured(b"", 0), "192.0.2.9", "UDP", "a\x1b[2Jb", None)
    report = Report(
        "x", "y\x1b", SendProgress(1, 1), outcomes=(PacketOutcome(1, 1, (), (reply,), 1),)
    )
    assert all(text.isprintable() for text in texts(report))


def test_delays():
    assert delay_text(None) == ""
    assert delay_text(45_000) == "0.045 ms"
    assert delay_text(1_234_567_890) == "1,235 ms"


def test_a_line_leads_to_its_packet():
    heard = []

    class Outcome(ForgeOutcome):
        def post_message(self, message):
            if isinstance(message, ForgeOutcome.PacketWanted):
                heard.append(message.number)
            return super().post_message(message)

    async def scene(pilot):
        widget.show(
            Report("x", "y", SendProgress(1, 1), outcomes=(PacketOutcome(12, 1, (), (REPLY,), 1),))
        )
        await pilot.pause()
        assert "RST" in "".join(screen_text(widget))
        widget.action_show_packet()  # the first line is about none
        await pilot.click(widget, offset=(3, 2))
        widget.action_show_packet()

    widget = Outcome()
    play(widget, scene, (80, 10))
    assert heard == [13]
