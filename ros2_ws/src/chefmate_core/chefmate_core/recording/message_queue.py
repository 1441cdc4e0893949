"""The bounded queue between those who receive and the thread that writes."""

import threading
from collections import Counter, deque
from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """A serialised message: topic (relative name), when received, when sent, its bytes."""

    name: str
    log_ns: int
    publish_ns: int
    data: bytes


class MessageQueue:
    """Messages first in, first out; what does not fit is counted by topic, never silently lost.

    Args:
        limit_bytes: how much may wait.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._messages: deque[Message] = deque()
        self._filled = threading.Condition()
        self._bytes = 0
        self._ended = False
        self.overflowed: Counter[str] = Counter()
        self.most_bytes = 0

    def put(self, message: Message) -> bool:
        """Add a message; return whether it fitted and the queue was not ended yet."""
        with self._filled:
            if self._ended:
                return False
            if self._bytes + len(message.data) > self._limit_bytes:
                self.overflowed[message.name] += 1
                return False
            self._messages.append(message)
            self._bytes += len(message.data)
            self.most_bytes = max(self.most_bytes, self._bytes)
            self._filled.notify()
            return True

    def end(self) -> None:
        """Take no more; what waits is still handed out."""
        with self._filled:
            self._ended = True
            self._filled.notify()

    def drop(self) -> None:
        """Forget what waits."""
        with self._filled:
            self._messages.clear()
            self._bytes = 0

    def take(self, timeout_s: float) -> tuple[list[Message], bool]:
        """Wait for messages; return those that wait, and whether there will be no more."""
        with self._filled:
            if not self._messages and not self._ended:
                self._filled.wait(timeout_s)
            messages = list(self._messages)
            self._messages.clear()
            self._bytes = 0
            return messages, self._ended

    @property
    def waiting_bytes(self) -> int:
        """What waits."""
        return self._bytes
