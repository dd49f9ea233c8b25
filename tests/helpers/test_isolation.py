"""Test processes have their own networks if the host allows it."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from tests.helpers.isolation import IFF_UP, flags_of, leave_network
from tests.helpers.support import require_root


@pytest.fixture(scope="module", autouse=True)
def privilege() -> None:
    """Skip where even root cannot make a network namespace, as in a default container."""
    require_root()
    left: list[bool] = []
    thread = threading.Thread(target=lambda: left.append(leave_network()))
    thread.start()
    thread.join()
    if left != [True]:
        pytest.skip("this root has no CAP_SYS_ADMIN")


def test_a_test_process_has_a_network_of_its_own():
    own = os.stat("/proc/thread-self/ns/net").st_ino
    assert own != os.stat(f"/proc/{os.getppid()}/ns/net").st_ino
    assert flags_of("lo") & IFF_UP


def test_a_port_in_use_in_one_network_is_free_in_another():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        bound: list[int] = []

        def bind_again() -> None:
            leave_network()
            with socket.create_server(listener.getsockname()) as again:
                bound.append(again.getsockname()[1])

        thread = threading.Thread(target=bind_again)
        thread.start()
        thread.join()
        assert bound == [listener.getsockname()[1]]
