"""The worker has the right of way while it handles frames, and longer while frames wait."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from core.capture.session import Feed
from core.decode.batch import Batch
from core.engine.engine import Engine
from core.engine.worker import READS_PER_WAKEUP
from core.net.sockets import LOCAL_SOCKETS
from core.store.packet_store import PacketStore
from tests.core.decode.support import ETHERNET_INTERFACE, batch_of


@pytest.mark.parametrize(
    ("waiting", "claims_after"),
    [(0, False), (1, False), (2, True), (READS_PER_WAKEUP + 1, True)],
)
def test_frames_have_the_right_of_way_until_the_source_is_empty(waiting, claims_after):
    store = PacketStore()
    store.add_interface(ETHERNET_INTERFACE)
    engine = Engine(store, LOCAL_SOCKETS)
    claimed: list[bool] = []
    feed: Any = Feed(None)  # type: ignore[arg-type]
    batches: Iterator[Batch] = iter([batch_of([b"frame"])] * waiting)

    def read(_feed: object) -> Batch | None:
        claimed.append(engine.right_of_way.is_claimed)
        return next(batches, None)

    session: Any = SimpleNamespace(read=read)
    worker = engine._worker
    try:
        worker._on_frames(session, feed, 0)
        assert claimed == [True] * len(claimed)
        assert claimed
        assert engine.right_of_way.is_claimed == claims_after
        for _ in range(2):
            worker._on_frames(session, feed, 0)
        assert not engine.right_of_way.is_claimed
        assert store.snapshot().count == waiting
    finally:
        engine.close()
