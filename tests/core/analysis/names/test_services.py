"""Names of ports from a file like /etc/services."""

from __future__ import annotations

from core.analysis.names import services
from core.analysis.names.services import read_services

TEXT = """# services
http\t\t80/tcp\t\twww\t# WorldWideWeb
http-alt 80/tcp
domain\t53/udp
odd\t99999/tcp
\xff\xfebad
appletalk 1/ddp
"""


def test_the_first_name_of_a_port_counts(tmp_path, monkeypatch) -> None:
    path = tmp_path / "services"
    path.write_text(TEXT, encoding="latin-1")
    assert read_services(path) == {("tcp", 80): "http", ("udp", 53): "domain"}
    monkeypatch.setattr(services, "SERVICES", path)
    assert read_services() == read_services(path)


def test_a_host_without_the_file(tmp_path) -> None:
    assert read_services(tmp_path / "none") == {}
