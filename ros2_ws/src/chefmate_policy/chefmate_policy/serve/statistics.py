"""What a server has done: requests by outcome, how long they took."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from chefmate_core.policy.wire.errors import Code, RequestError
from chefmate_core.timing import Durations

OK = 'ok'
ABANDONED = 'abandoned'  # the client had gone before there was an answer
_KEPT = 4096  # newest durations that percentiles are taken over


class Statistics:
    """Counters of one server; used from its event loop only."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, str]] = Counter()  # protocol, endpoint, outcome
        self.request = Durations(_KEPT)  # from the last byte in to the answer, successful ones
        self.parts: dict[str, Durations] = {}  # as the engine names them
        self.sums_s: defaultdict[str, float] = defaultdict(float)
        self.connections: Counter[str] = Counter()  # now open, by protocol
        self.refused_connections: Counter[str] = Counter()
        self.begun_s = time.monotonic()

    @contextmanager
    def watch(self, protocol: str, endpoint: str) -> Iterator[None]:
        """Count what happens inside as one request."""
        begun_s = time.perf_counter()
        outcome: str = Code.INTERNAL
        try:
            yield
            outcome = OK
            took_s = time.perf_counter() - begun_s
            self.request.add(took_s)
            self.sums_s['request'] += took_s
        except RequestError as error:
            outcome = error.code
            raise
        except asyncio.CancelledError:
            outcome = ABANDONED
            raise
        finally:
            self.requests[protocol, endpoint, outcome] += 1

    def refused(self, protocol: str, code: Code) -> None:
        """Count a message that was refused before it said what it asks for."""
        self.requests[protocol, 'unreadable', code] += 1

    def add_timings(self, timings_s: Mapping[str, float]) -> None:
        """Take what an engine says about one inference."""
        for name, value in timings_s.items():
            if name in self.parts or len(self.parts) < 32:
                self.parts.setdefault(name, Durations(_KEPT)).add(value)
                self.sums_s[f'part {name}'] += value
