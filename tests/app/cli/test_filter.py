"""``rawscope filter``: the answer, the marked place, and the exit status."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.cli.main import run
from core.analysis.filter.language.lexer import tokens

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("text", ["tcp.port == 80 && ip.ttl < 64", "", "-ip.ttl == -1"])
def test_a_valid_filter(text: str, capsys: Capture) -> None:
    assert run(["filter", text]) == 0
    assert capsys.readouterr() == ("valid\n", "")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "tcp.prt == 80",
            [
                'wrong, column 1: "tcp.prt" is not a field or protocol; did you mean tcp.port'
                " or tcp.srcport?",
                "  tcp.prt == 80",
                "  ^~~~~~~",
            ],
        ),
        (
            "ip.ttl == 256 or tcp",
            [
                "wrong, column 11: 256 is too large for ip.ttl, which is at most 255",
                "  ip.ttl == 256 or tcp",
                "            ^~~",
            ],
        ),
        (
            "tcp.port ==",
            [
                "incomplete, column 12: unexpected end of the filter; expected a field, a value,"
                " or a function",
                "  tcp.port ==",
                "             ^",
            ],
        ),
        (
            "tcp\nand\x1b !x",
            [
                r"""wrong, column 8: '\x1b' was unexpected in this context""",
                r"  tcp\x0aand\x1b !x",
                r"            ^~~~",
            ],
        ),
    ],
)
def test_a_wrong_filter_is_marked_at_its_place(
    text: str, lines: list[str], capsys: Capture
) -> None:
    assert run(["filter", text]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == lines


def test_a_filter_is_one_argument(capsys: Capture) -> None:
    assert run(["filter"]) == 2
    assert "Missing argument 'EXPR'" in capsys.readouterr().err
    assert run(["filter", "tcp", "udp"]) == 2
    assert "unexpected extra argument" in capsys.readouterr().err


def test_the_help_has_a_valid_example_of_every_operator(capsys: Capture) -> None:
    assert run(["filter", "--help"]) == 0
    text = capsys.readouterr().out
    lines = [line for line in text.splitlines() if line.startswith(" ") and "  " in line.strip()]
    examples = [re.split(" {2,}", line.strip())[0] for line in lines if line[1:2] != " "]
    assert len(examples) >= 15
    for example in examples:
        assert run(["filter", example]) == 0, example
    words = {token.text for example in examples for token in tokens(example)}
    assert words >= {"==", "!=", "===", "<", "in", "contains", "matches", "and", "or", "not", "all"}
    assert words >= {"[", "#", "@", "$", "-", "len"}
    assert all(name in text for name in ("!==", "<=", ">=", "xor", "any", "count()", "%", "&"))


def test_macros_of_the_configuration_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / "rawscope").mkdir()
    (tmp_path / "rawscope" / "config.toml").write_text('[macros]\nweb = "tcp.port == $1"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert run(["filter", "ip and $web(80)"]) == 0
    assert run(["filter", "ip and $web(x)"]) == 2
    written = capsys.readouterr()
    assert written.out == "valid\n"
    assert "wrong, column 8: in the macro web:" in written.err
    assert written.err.endswith("         ^~~~~~~\n")
