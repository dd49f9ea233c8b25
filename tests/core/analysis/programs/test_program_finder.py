"""Which processes own a flow, with each grade, on a made-up host."""

from __future__ import annotations

import pytest

from core.analysis.programs.answer import Answer
from core.analysis.programs.owners import FlowOwners, Grade
from core.analysis.programs.program_finder import RETRIES_S, ProgramFinder
from tests.core.analysis.programs.made_host import (
    HERE,
    OTHER_USER,
    TCP,
    THERE,
    TIME_WAIT,
    UDP,
    UNCONNECTED,
    MadeHost,
    MadeSocket,
    flow,
    listener,
)

CLIENT = ((HERE, 4000), (THERE, 443))


@pytest.fixture
def host(tmp_path) -> MadeHost:
    return MadeHost(tmp_path)


def answers_of(host: MadeHost, finder: ProgramFinder, *flows, seconds: float = 3.0) -> list[Answer]:
    """Ask, and work for some seconds of the made-up clock."""
    finder.ask(flows)
    found = finder.step(1.0)
    for _ in range(int(seconds / 0.05)):
        host.now_s += 0.05
        found += finder.step(1.0)
    return found


def owners_of(host: MadeHost, finder: ProgramFinder, *flows) -> FlowOwners:
    return answers_of(host, finder, *flows)[-1].owners


def told(owners: FlowOwners) -> list[tuple[Grade, list[str]]]:
    return [(each.grade, [process.name for process in each.processes]) for each in owners]


def test_a_connected_socket_is_exact(host) -> None:
    host.sockets = [MadeSocket(TCP, *CLIENT, 7), MadeSocket(TCP, (HERE, 4000), (THERE, 80), 8)]
    host.process(20, "curl", 7)
    host.process(21, "other", 8)
    (owner,) = owners_of(host, host.finder(), flow(4000))
    assert (owner.grade, owner.end, owner.processes[0].pid) == (Grade.EXACT, f"{HERE}:4000", 20)


@pytest.mark.parametrize("inode", [1, 1 << 31, (1 << 32) - 1])
@pytest.mark.parametrize("uid", [0, 1 << 31, (1 << 32) - 1])
def test_inodes_and_users_may_have_any_number(host, inode, uid) -> None:
    host.sockets = [MadeSocket(TCP, *CLIENT, inode, uid=uid)]
    host.process(1 << 22, "curl", inode)  # the largest number, PID_MAX_LIMIT
    (owner,) = owners_of(host, host.finder(), flow(4000))
    assert (owner.grade, owner.uid, owner.processes[0].pid) == (Grade.EXACT, uid, 1 << 22)


def test_both_ends_on_this_host_have_owners(host) -> None:
    host.sockets = [
        MadeSocket(TCP, (HERE, 4000), (HERE, 80), 7),
        MadeSocket(TCP, (HERE, 80), (HERE, 4000), 8),
    ]
    host.process(20, "curl", 7)
    host.process(21, "nginx", 8)
    owners = owners_of(host, host.finder(), flow(4000, 80, to=HERE))
    assert told(owners) == [(Grade.EXACT, ["curl"]), (Grade.EXACT, ["nginx"])]


def test_an_ipv6_socket_that_carries_ipv4_fits(host) -> None:
    host.sockets = [MadeSocket(UDP, ("::", 4000), None, 7, UNCONNECTED)]
    host.process(20, "resolver", 7)
    finder = host.finder()
    assert told(owners_of(host, finder, flow(4000, protocol=UDP))) == [(Grade.EXACT, ["resolver"])]
    host.sockets = [MadeSocket(UDP, ("::", 5000), None, 7, UNCONNECTED, ipv6_only=True)]
    assert told(owners_of(host, finder, flow(5000, protocol=UDP))) == [(Grade.GONE, [])]


def test_a_bound_address_is_better_than_all_addresses(host) -> None:
    host.sockets = [
        MadeSocket(UDP, ("0.0.0.0", 53), None, 7, UNCONNECTED),
        MadeSocket(UDP, (HERE, 53), None, 8, UNCONNECTED),
    ]
    host.process(20, "wide", 7)
    host.process(21, "narrow", 8)
    owners = owners_of(host, host.finder(), flow(53, 999, protocol=UDP))
    assert told(owners) == [(Grade.EXACT, ["narrow"])]


def test_sockets_that_share_a_port_are_all_named(host) -> None:
    host.sockets = [
        MadeSocket(UDP, ("0.0.0.0", 5353), None, inode, UNCONNECTED) for inode in (7, 8)
    ]
    host.process(20, "avahi", 7)
    host.process(21, "browser", 8)
    owners = owners_of(host, host.finder(), flow(5353, 5353, protocol=UDP))
    assert told(owners) == [(Grade.SHARED, ["avahi", "browser"])]


def test_all_processes_that_hold_a_socket_are_named(host) -> None:
    """A round finds those that were not likely."""
    host.sockets = [MadeSocket(TCP, *CLIENT, 7)]
    host.process(20, "server", 7)
    host.process(21, "worker", 7)
    owners = owners_of(host, host.finder(), flow(4000))
    assert told(owners) == [(Grade.EXACT, ["server", "worker"])]


def test_a_forwarded_flow_has_no_owner_and_costs_no_question(host) -> None:
    finder = host.finder()
    forwarded = flow(4000)._replace(source=flow(1).destination)
    assert answers_of(host, finder, forwarded) == []
    assert host.dumps == 0


def test_a_closed_socket_is_gone(host) -> None:
    host.sockets = [MadeSocket(TCP, *CLIENT, 0, TIME_WAIT)]
    host.process(20, "other", 9)
    assert told(owners_of(host, host.finder(), flow(4000))) == [(Grade.GONE, [])]


def test_a_socket_of_a_moment_ago_is_remembered(host) -> None:
    """The question about another flow finds it; it is closed when its packets arrive."""
    finder = host.finder()
    host.sockets = [MadeSocket(TCP, (HERE, 1), (THERE, 443), 6)]
    host.process(20, "first", 6)
    finder.ask([flow(1)])
    finder.step(1.0)
    host.now_s += 0.5
    host.sockets += [MadeSocket(TCP, (HERE, 2), (THERE, 443), 8), MadeSocket(TCP, *CLIENT, 7)]
    host.process(21, "curl", 7)
    host.process(22, "second", 8)
    finder.ask([flow(2, packet=5)])
    finder.step(1.0)
    host.end(21)
    host.sockets.pop()
    host.now_s += 0.05
    assert told(owners_of(host, finder, flow(4000, packet=6))) == [(Grade.MOMENT, ["curl"])]


def test_a_connection_whose_socket_is_gone_has_its_listener(host) -> None:
    host.sockets = [listener(80, 7), MadeSocket(TCP, (HERE, 80), (THERE, 999), 0, TIME_WAIT)]
    host.process(20, "nginx", 7)
    owners = owners_of(host, host.finder(), flow(80, 999))
    assert told(owners) == [(Grade.LISTENER, ["nginx"])]


def test_a_connection_that_waits_for_accept_gets_another_answer(host) -> None:
    finder = host.finder()
    host.sockets = [listener(80, 7), MadeSocket(TCP, (HERE, 80), (THERE, 999))]
    host.process(20, "inetd", 7)
    finder.ask([flow(80, 999)])
    (first,) = finder.step(1.0)
    assert (told(first.owners), first.is_final) == ([(Grade.LISTENER, ["inetd"])], False)
    host.sockets[1].inode = 8
    host.process(21, "ftpd", 8)
    host.now_s += RETRIES_S[0]
    (second,) = finder.step(1.0)
    assert (told(second.owners), second.is_final) == ([(Grade.EXACT, ["ftpd"])], True)


def test_retries_end(host) -> None:
    host.sockets = [listener(80, 7), MadeSocket(TCP, (HERE, 80), (THERE, 999))]
    host.process(20, "slow", 7)
    finder = host.finder()
    answers_of(host, finder, flow(80, 999), seconds=5)
    assert not finder.is_waiting
    assert host.dumps == 1 + len(RETRIES_S)


@pytest.mark.parametrize(
    ("reads_all", "uid", "grade"),
    [
        (False, OTHER_USER, Grade.OTHER_USER),
        (True, OTHER_USER, Grade.GONE),
        (False, None, Grade.GONE),
    ],
)
def test_without_a_process_the_user_decides(host, reads_all, uid, grade) -> None:
    socket = MadeSocket(TCP, *CLIENT, 7)
    if uid is not None:
        socket.uid = uid
    host.sockets = [socket]
    (owner,) = owners_of(host, host.finder(reads_all=reads_all), flow(4000))
    assert (owner.grade, owner.processes) == (grade, ())
    assert owner.uid == (uid if grade is Grade.OTHER_USER else None)


def test_a_later_connection_of_the_same_ports_corrects_the_earlier_one(host) -> None:
    """The socket that was found for the first one is the second one's."""
    finder = host.finder()
    host.sockets = [MadeSocket(TCP, *CLIENT, 7)]
    host.process(20, "second", 7)
    assert told(owners_of(host, finder, flow(4000, packet=1)))[0][1] == ["second"]
    answers = answers_of(host, finder, flow(4000, packet=9))
    assert [(each.flow.packet, told(each.owners)[0]) for each in answers] == [
        (1, (Grade.GONE, [])),
        (9, (Grade.EXACT, ["second"])),
    ]


def test_a_number_that_another_process_took_over_is_noticed(host) -> None:
    """The link of the descriptor is read again beside the name."""
    host.sockets = [MadeSocket(TCP, *CLIENT, 7)]
    host.process(20, "first", 7)
    finder = host.finder()
    find = host.find
    host.find = lambda pid: (host.process(20, "later"), find(pid))[1]
    assert told(owners_of(host, finder, flow(4000)))[0][0] is not Grade.EXACT


def test_one_dump_answers_all_flows_that_wait(host) -> None:
    host.sockets = [MadeSocket(TCP, (HERE, port), (THERE, 443), port) for port in range(1, 99)]
    host.process(20, "many", *range(1, 99))
    flows = [flow(port, packet=port) for port in range(1, 99)]
    answers = answers_of(host, host.finder(), *flows)
    assert {each.flow.packet: told(each.owners) for each in answers} == {
        port: [(Grade.EXACT, ["many"])] for port in range(1, 99)
    }
    assert host.dumps == 1


def test_a_flow_of_udp_that_is_checked_again_waits_for_others(host) -> None:
    host.sockets = [MadeSocket(UDP, *CLIENT, 7)]
    host.process(20, "voice", 7)
    finder = host.finder()
    finder.ask([flow(4000, packet=8, protocol=UDP, since=5)])
    assert finder.step(1.0) == []
    assert finder.first_unanswered is None
    host.now_s += 1.1
    (answer,) = finder.step(1.0)
    assert told(answer.owners) == [(Grade.EXACT, ["voice"])]


def test_a_kernel_without_sock_diag_is_reported_once(host) -> None:
    def refuse(protocol: int):
        raise OSError(2, "No such file or directory")

    host.dump = refuse
    finder = host.finder()
    assert answers_of(host, finder, flow(4000), seconds=0.1) == []
    assert "sock_diag" in finder.trouble
    assert not finder.is_waiting
