"""Find the processes that own flows: ask the kernel for sockets, and /proc for their holders.

Facts, and what follows:

* A dump of the sockets costs about a millisecond for a thousand of them, so one answers for all
  flows that wait. Dumps, with what follows at once, take at most a fifth of a processor
  (`DUMP_SHARE`).
* The answer is about now. The packet is some 50 ms old, and its socket may be closed. Then
  `RecentSockets` and the names found before tell what was a moment ago, and the grade says so.
* `ProgramFinder` reads the link of the descriptor before and after the name, so it notices if
  another process took over a number.
* A socket is one connection. If a later flow of the same ports has the socket that was found for an
  earlier one, the answer about the earlier one was wrong: its socket was closed already.
* A connection that waits for `accept` has no descriptor, so `ProgramFinder` retries (`RETRIES_S`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from core.analysis.programs.answer import Answer
from core.analysis.programs.ends import End
from core.analysis.programs.flow_scan import Flow
from core.analysis.programs.own_addresses import OwnAddresses
from core.analysis.programs.owners import FlowOwners, Grade, Owner, with_more_holders
from core.analysis.programs.process_records import ProcessRecords
from core.analysis.programs.raw_senders import RawSenders
from core.analysis.programs.socket_holders import SocketHolders
from core.analysis.programs.socket_processes import SocketProcesses, reads_all_processes
from core.analysis.programs.socket_table import RAW, HeldSocket, Match, RecentSockets
from core.net.proc_sockets import echo_sockets
from core.net.sock_diag import DiagnosedSockets, dump_sockets
from core.wire.model.assigned_numbers import IpProtocol

DUMP_SHARE = 4
LIKELY_S = 0.006  # to read likely processes after a dump
RETRIES_S = (0.05, 0.1, 0.3, 0.6)
RECHECK_PATIENCE_S = 1.0  # of a flow of UDP that has an answer
MOST_WAITING = 1 << 12
"""Flows that wait for an answer; of more, the oldest are given up."""
MOST_CONNECTIONS = 1 << 14
"""Connections that are remembered with their sockets."""
MOST_FRESH = 256
ECHO_PROTOCOLS = frozenset({int(IpProtocol.ICMP), int(IpProtocol.ICMPV6)})


@dataclass(slots=True)
class _Question:
    """A flow that waits. `ends` are its local ends, with the sockets that were found for them."""

    flow: Flow
    due_s: float
    ends: list[tuple[End, Match]] = field(default_factory=list)
    is_matched: bool = False
    is_open: bool = True  # it has no answer since its sockets were found
    missing: set[int] = field(default_factory=set)  # sockets whose holders it waits for
    retries: int = 0
    round: int = 0  # of the holders, which must be done before nobody holds a socket
    answered: FlowOwners | None = None


class ProgramFinder:
    """Finds the owners of flows, in steps. One thread uses it.

    `trouble` says why it cannot. `reads_all` is true if it may read other users' processes.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        dump: Callable[[int], DiagnosedSockets] = dump_sockets,
        holders: SocketHolders | None = None,
        records: ProcessRecords | None = None,
        own: OwnAddresses | None = None,
        dump_echo: Callable[[int], tuple[DiagnosedSockets, DiagnosedSockets]] = echo_sockets,
    ) -> None:
        self.trouble = ""
        self._dump_echo = dump_echo
        self._clock, self._dump = clock, dump
        self._sockets = RecentSockets(clock)
        self._holders = holders or SocketHolders(clock=clock)
        self._own = own or OwnAddresses(clock)
        self._records = records or ProcessRecords()
        self._processes = SocketProcesses(self._holders, self._records)
        self._waiting: list[_Question] = []
        self._connections: dict[int, Flow] = {}  # of TCP, by inode
        self._raw_senders = RawSenders()
        self._next_dump_s = float("-inf")
        self._user = os.geteuid()
        self.reads_all = reads_all_processes()

    @property
    def is_waiting(self) -> bool:
        """True while flows wait for an answer, or for a better one."""
        return bool(self._waiting)

    @property
    def is_searching(self) -> bool:
        """True while the processes of sockets are searched that have none yet."""
        return any(each.is_matched and each.is_open for each in self._waiting)

    @property
    def first_unanswered(self) -> int | None:
        """The lowest packet whose flow has no answer yet; None if all have one."""
        packets = (each.flow.packet for each in self._waiting if each.answered is None)
        return min(packets, default=None)

    def prepare(self) -> None:
        """Read all sockets and processes once, so that those of new flows stand out."""
        try:
            protocols = (int(IpProtocol.TCP), int(IpProtocol.UDP))
            self._sockets.add({each: self._dump(each) for each in protocols})
        except OSError as error:
            self._refuse(error)
        else:
            self._holders.advance(float("inf"), is_urgent=True)

    def ask(self, flows: Sequence[Flow]) -> None:
        """Take flows; those without an address of this host are not its."""
        now_s = self._clock()
        for flow in flows:
            if self._own.owns(flow.source.address) or self._own.owns(flow.destination.address):
                is_patient = flow.since and flow.protocol not in ECHO_PROTOCOLS
                due_s = now_s + RECHECK_PATIENCE_S if is_patient else now_s
                question = _Question(flow, due_s)
                if flow.since:
                    question.answered = ()  # nothing waits for it
                self._waiting.append(question)
        del self._waiting[: max(0, len(self._waiting) - MOST_WAITING)]

    def step(self, budget_s: float) -> list[Answer]:
        """Work for about `budget_s`. Return new answers, and changed ones."""
        if not self._waiting:
            return []
        now_s = self._clock()
        self._records.renew()
        answers: list[Answer] = []
        is_due = any(not each.is_matched and each.due_s <= now_s for each in self._waiting)
        if is_due and now_s >= self._next_dump_s:
            answers += self._find_sockets()
        answers += self._answers(now_s + budget_s)
        if any(each.is_matched for each in self._waiting):
            self._holders.advance(self._clock() + budget_s, is_urgent=self.is_searching)
            answers += self._answers(self._clock() + budget_s)
        return answers

    def _find_sockets(self) -> list[Answer]:
        """Find the sockets of the flows that wait. Return answers that are corrected."""
        asking = [each for each in self._waiting if not each.is_matched]
        began_s = time.thread_time()
        try:
            columns = self._columns({each.flow.protocol for each in asking})
        except OSError as error:
            self._refuse(error)
            return []
        fresh = self._sockets.add(columns)
        corrected = [answer for question in asking for answer in self._match(question)]
        wanted = {each.inode for one in asking for each in _sockets_of(one)}
        for inode in wanted:
            self._holders.holders(inode)  # a listener's process is likely to hold connections
        unpacked = list(fresh - wanted)[:MOST_FRESH]  # may be closed when their packets are seen
        self._holders.scan_likely([*wanted, *unpacked], self._clock() + LIKELY_S)
        for inode in unpacked:
            self._processes.identify(inode)
        self._holders.forget_except(self._sockets.inodes)
        self._next_dump_s = self._clock() + DUMP_SHARE * (time.thread_time() - began_s)
        return corrected

    def _columns(self, protocols: set[int]) -> dict[int, DiagnosedSockets]:
        """Return the sockets of protocols by now; raw ones beside those of ICMP."""
        echo = protocols & ECHO_PROTOCOLS
        columns = {each: self._dump(each) for each in protocols - echo}
        for each in echo:
            columns[each], columns[RAW | each] = self._dump_echo(each)
        return columns

    def _refuse(self, error: OSError) -> None:
        """Give up: the kernel lists no sockets."""
        self.trouble = f"programs are not known: no sock_diag ({error.strerror})"
        self._waiting.clear()

    # -- sockets ---------------------------------------------------------------------------------

    def _match(self, question: _Question) -> list[Answer]:
        """Find the sockets of a flow. Return answers about earlier flows that this one corrects."""
        flow = question.flow
        question.ends.clear()
        question.missing = set()
        question.is_matched = question.is_open = True
        question.round = self._holders.next_round
        corrected: list[Answer] = []
        for local, remote in (
            (flow.source, flow.destination),
            (flow.destination, flow.source),
        ):
            is_local = self._own.owns(local.address)
            match = self._sockets.find(flow.protocol, local, remote, is_local=is_local)
            if flow.protocol in ECHO_PROTOCOLS:
                match = match if match.sockets else self._raw_senders.match(flow, self._sockets)
                if match.sockets and is_local:  # else a packet socket may have sent it
                    question.ends.append((local, match))
                break  # the kernel answers, and no program does
            if match.sockets or is_local:
                question.ends.append((local, match))
            if flow.protocol == IpProtocol.TCP and match.sockets:
                corrected += self._connect(match.sockets[0].inode, flow)
        return corrected

    def _connect(self, inode: int, flow: Flow) -> list[Answer]:
        """Note the connection of a socket. Correct the answer for an earlier one."""
        before = self._connections.pop(inode, flow)
        self._connections[inode] = flow
        while len(self._connections) > MOST_CONNECTIONS:
            del self._connections[next(iter(self._connections))]
        if before.packet == flow.packet or before.key != flow.key:
            return []
        ends = (before.source, before.destination)
        local = [each for each in ends if self._own.owns(each.address)]
        return [Answer(before, tuple(Owner(each.text, Grade.GONE) for each in local))]

    # -- processes -------------------------------------------------------------------------------

    def _answers(self, until_s: float) -> list[Answer]:
        """Return what is newly known of the flows whose sockets were found."""
        answers: list[Answer] = []
        left: list[_Question] = []
        found = self._holders.take_found()
        for question in self._waiting:
            is_complete = self._holders.rounds_done >= question.round
            if question.is_open and not found.isdisjoint(question.missing):
                question.missing = set()
            is_ready = is_complete or (question.is_open and not question.missing)
            if question.is_matched and is_ready and self._clock() < until_s:
                if (answer := self._answer(question, is_complete)) is not None:
                    answers.append(answer)
                is_done = is_complete or not any(_sockets_of(question))
                if not question.is_open and is_done:
                    continue
            left.append(question)
        self._waiting = left
        return answers

    def _answer(self, question: _Question, is_complete: bool) -> Answer | None:
        """Return an answer if it differs from the one before; None if sockets lack holders."""
        found = [self._owner(end, match, is_complete) for end, match in question.ends]
        owners = tuple(each for each in found if each is not None)
        if len(owners) < len(found):
            sockets = (each.inode for each in _sockets_of(question))
            question.missing = {each for each in sockets if not self._holders.holders(each)}
            return None
        if not question.is_open:
            owners = with_more_holders(question.answered or (), owners)
        question.is_open = question.is_open and self._ask_again(question)
        if owners == question.answered:
            return None
        question.answered = owners
        return Answer(question.flow, owners, is_final=not question.is_open)

    def _ask_again(self, question: _Question) -> bool:
        """Ask again about a connection that no process has accepted yet."""
        is_accepted = not any(match.may_follow for _, match in question.ends)
        if is_accepted or question.retries == len(RETRIES_S):
            return False
        question.due_s = self._clock() + RETRIES_S[question.retries]
        question.retries += 1
        question.is_matched = False
        return True

    def _owner(self, end: End, match: Match, is_complete: bool) -> Owner | None:
        """Return the owner of an end; None if its processes are still searched."""
        text = end.text
        found = self._processes.of(match.sockets)
        if found.unknown and not is_complete:
            return None
        if match.sockets and not found.unknown:
            grade = Grade.MOMENT
            if found.is_sure and not match.is_past:
                is_shared = len(match.sockets) > 1 and len(found.processes) > 1
                grade = Grade.SHARED if is_shared else Grade.EXACT
            if match.is_raw:
                grade = Grade.RAW
            return Owner(text, grade, found.processes, match.sockets[0].uid)
        listening = self._processes.of(match.listeners)
        if match.listeners and not listening.unknown:
            return Owner(text, Grade.LISTENER, listening.processes, match.listeners[0].uid)
        if listening.unknown and not is_complete:
            return None
        for each in (*listening.unknown, *(() if match.is_past else found.unknown)):
            if each.uid != self._user and not self.reads_all:
                return Owner(text, Grade.OTHER_USER, (), each.uid)
        return Owner(text, Grade.GONE)


def _sockets_of(question: _Question) -> Iterator[HeldSocket]:
    for _end, match in question.ends:
        yield from (*match.sockets, *match.listeners)
