"""The same echo work under each I/O model.

Two questions divide them: does the *call* wait, and does the *program* wait? The four answers are
the matrix of M. Tim Jones ("Boost application performance using asynchronous I/O", IBM
developerWorks, 2006). Stevens (UNIX Network Programming vol. 1, §6.2) compares five models over two
phases, waiting for data and copying it, and calls the first four synchronous, signals among them:
the kernel notifies the program, which still waits for the copy.

* **synchronous blocking**: recv sleeps until there are bytes, so each connection needs a thread.
* **synchronous non-blocking**: recv never sleeps, so the program tries every connection, over
  and over.
* **multiplexed** (asynchronous blocking): one call sleeps for many descriptors. `select` passes
  a bit map of at most FD_SETSIZE descriptors, `poll` a list of any length; both pass all of
  them each time, and the kernel checks each. `epoll` keeps the set in the kernel, and the
  sockets themselves report to it: a wait costs what is ready, not what is watched.
* **asynchronous non-blocking**: the kernel reports that something happened (`signal`, in
  `core.iolab.signal_model`) or that the work is done (`io_uring`, in `core.iolab.uring_model`).

A model is a function of connected sockets that returns when every peer has ended. It counts its
system calls where it makes them: exactly for the model's own. The calls for the interpreter's lock
(futex), which threads pass to each other, are not counted; their cost is in the processor time, and
the kernel counts how often a process slept.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from core.echo.options import READ_SIZE
from core.iolab import signal_model, uring_model
from core.iolab.peers import Calls, ModelRefusedError, Peer, Serve, non_blocking_peers

FD_SETSIZE = 1024  # select(2): the bits of an fd_set


@dataclass(frozen=True, slots=True)
class Model:
    """An I/O model: a name for the command line, and a title."""

    name: str
    title: str
    serve: Serve


def serve_blocking(connections: Sequence[socket.socket], calls: Calls) -> None:
    """Serve each connection in a thread of its own, asleep in recv."""
    counts = [Calls() for _ in connections]
    threads = [
        threading.Thread(target=_echo_blocking, args=pair)
        for pair in zip(connections, counts, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread, count in zip(threads, counts, strict=True):
        thread.join()
        calls.update(count)


def _echo_blocking(connected: socket.socket, calls: Calls) -> None:
    try:
        while True:
            calls["recv"] += 1
            data = connected.recv(READ_SIZE)
            if not data:
                break
            while data:
                calls["send"] += 1
                data = data[connected.send(data) :]
    except ConnectionError:
        pass  # the peer is gone
    finally:
        connected.close()


def serve_polling(connections: Sequence[socket.socket], calls: Calls) -> None:
    """Try every connection, over and over."""
    peers = list(non_blocking_peers(connections, calls).values())
    while peers:
        ended = False
        for peer in peers:
            if peer.wants_write:
                peer.flush()
            elif peer.wants_read:
                peer.read()
            ended = ended or peer.finished
        if ended:
            peers = [peer for peer in peers if not _close_finished(peer)]


def serve_select(connections: Sequence[socket.socket], calls: Calls) -> None:
    """Wait in select(2): three bit maps, in and out, each time."""
    beyond = [one.fileno() for one in connections if one.fileno() >= FD_SETSIZE]
    if beyond:
        raise ModelRefusedError(
            f"select watches descriptors below {FD_SETSIZE} (FD_SETSIZE), "
            f"but {len(beyond)} of these {len(connections)} are not"
        )
    peers = non_blocking_peers(connections, calls)
    while peers:
        reading = [peer.descriptor for peer in peers.values() if peer.wants_read]
        writing = [peer.descriptor for peer in peers.values() if peer.wants_write]
        calls["select"] += 1
        readable, writable, _ = select.select(reading, writing, [])
        for descriptor in writable:
            peers[descriptor].flush()
        for descriptor in readable:
            peers[descriptor].read()
        for descriptor in {*readable, *writable}:
            if _close_finished(peers[descriptor]):
                del peers[descriptor]


def serve_poll(connections: Sequence[socket.socket], calls: Calls) -> None:
    """Wait in poll(2): a list of any length, passed and scanned each time."""
    peers = non_blocking_peers(connections, calls)
    poller = select.poll()
    interests = dict.fromkeys(peers, select.POLLIN)
    for descriptor, interest in interests.items():
        poller.register(descriptor, interest)
    while peers:
        calls["poll"] += 1
        for descriptor, events in poller.poll():
            peer = peers[descriptor]
            if events & select.POLLOUT:
                peer.flush()
            if events & ~select.POLLOUT:
                peer.read()
            if _close_finished(peer):
                poller.unregister(descriptor)
                del peers[descriptor]
                continue
            interest = _interest(peer, select.POLLIN, select.POLLOUT)
            if interest != interests[descriptor]:  # no system call, but poll rebuilds its list
                interests[descriptor] = interest
                poller.modify(descriptor, interest)


def serve_epoll_level(connections: Sequence[socket.socket], calls: Calls) -> None:
    """Wait in epoll(7), level-triggered: one read per wake-up."""
    _serve_epoll(connections, calls, edge=False)


def serve_epoll_edge(connections: Sequence[socket.socket], calls: Calls) -> None:
    """Wait in epoll(7), edge-triggered: read until EAGAIN."""
    _serve_epoll(connections, calls, edge=True)


def _serve_epoll(connections: Sequence[socket.socket], calls: Calls, *, edge: bool) -> None:
    peers = non_blocking_peers(connections, calls)
    always = select.EPOLLET if edge else 0
    interests = dict.fromkeys(peers, always | select.EPOLLIN)
    with select.epoll() as epoll:
        for descriptor, interest in interests.items():
            calls["epoll_ctl"] += 1
            epoll.register(descriptor, interest)
        while peers:
            calls["epoll_wait"] += 1
            for descriptor, events in epoll.poll():
                peer = peers[descriptor]
                if events & select.EPOLLOUT:
                    peer.flush()
                if events & ~select.EPOLLOUT:
                    if edge:
                        peer.drain()
                    else:
                        peer.read()
                if peer.finished:
                    calls["epoll_ctl"] += 1
                    epoll.unregister(descriptor)
                    del peers[descriptor], interests[descriptor]
                    peer.close()
                    continue
                interest = always | _interest(peer, select.EPOLLIN, select.EPOLLOUT)
                if interest != interests[descriptor]:
                    interests[descriptor] = interest
                    calls["epoll_ctl"] += 1
                    epoll.modify(descriptor, interest)


def _interest(peer: Peer, readable: int, writable: int) -> int:
    return (readable if peer.wants_read else 0) | (writable if peer.wants_write else 0)


def _close_finished(peer: Peer) -> bool:
    if peer.finished:
        peer.close()
    return peer.finished


MODELS: tuple[Model, ...] = (
    Model("blocking", "synchronous blocking, one thread per client", serve_blocking),
    Model("polling", "synchronous non-blocking, polling in a loop", serve_polling),
    Model("select", "multiplexed by select", serve_select),
    Model("poll", "multiplexed by poll", serve_poll),
    Model("epoll-level", "multiplexed by epoll, level triggered", serve_epoll_level),
    Model("epoll-edge", "multiplexed by epoll, edge triggered", serve_epoll_edge),
    Model("signal", "signal driven, F_SETSIG and O_ASYNC", signal_model.serve),
    Model("io_uring", "completions, io_uring", uring_model.serve),
)


def model_named(name: str) -> Model:
    """Return the model with this name. Raise KeyError."""
    return {model.name: model for model in MODELS}[name]
