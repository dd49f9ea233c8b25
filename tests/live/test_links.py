"""The link watcher when the kernel has more messages than it can buffer."""

from __future__ import annotations

import socket

import pytest

from core.net.netlink import LinkWatcher, dump_links
from tests.live.network import Network

pytestmark = pytest.mark.live


def test_deletion_is_noticed_even_if_its_message_was_lost():
    with Network() as network:
        watcher = network.in_near(LinkWatcher)
        watcher._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)  # one or two messages
        (index,) = (one.index for one in network.in_near(dump_links) if one.name == "near0")
        for state in ("down", "up") * 4:
            network.ip_near("link", "set", "near0", state)
        network.ip_near("link", "del", "near0")
        changes = network.in_near(lambda: watcher.read({index}))
        assert [change.deleted for change in changes if change.index == index][-1]
        assert any(change.name == "lo" for change in changes)  # all were listed again
        assert network.in_near(lambda: watcher.read({index})) == []
        watcher.close()


def test_port_that_leaves_a_bridge_is_not_taken_for_deleted():
    with Network() as network:
        network.ip_near("link", "add", "br7", "type", "bridge")
        watcher = network.in_near(LinkWatcher)
        network.ip_near("link", "set", "near0", "master", "br7")
        network.ip_near("link", "set", "near0", "nomaster")
        changes = [change for change in watcher.read() if change.name == "near0"]
        assert changes
        assert not any(change.deleted for change in changes)
        watcher.close()
