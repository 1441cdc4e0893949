"""This process among the processes of a robot, without ROS."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TypeVar

from cyclonedds.core import DDSException, WaitSet
from cyclonedds.domain import Domain, DomainParticipant
from cyclonedds.idl import IdlStruct
from cyclonedds.util import duration

from chefmate_core.dds_client.discovery import Discovery, discovery
from chefmate_core.dds_client.errors import DdsError
from chefmate_core.dds_client.naming import resolved
from chefmate_core.dds_client.publisher import Publisher
from chefmate_core.dds_client.subscription import Subscription
from chefmate_core.qos_table import QosRow

Message = TypeVar('Message', bound=IdlStruct)

# How often `spin_until` looks at its condition while nothing arrives.
_LOOK_S = 0.02
# The longest wait in C, where Ctrl-C is not heard.
_PATIENCE_S = 0.2


class Participant:
    """A context manager that publishes and subscribes on the topics of ROS 2.

    It starts no thread of Python's: callbacks run in the thread that calls `spin_once` or
    `spin_until`, and a loop of your own can ask `Subscription.take` or `newest` instead. One
    thread uses a participant.

    Args:
        namespace: what relative names of topics are in.
        environment: the variables of ROS 2, as `discovery` explains; `os.environ` by default.

    Raises:
        ConfigurationError: the environment asks for what cannot be.
        DdsError: the network cannot be used as it asks.
    """

    def __init__(self, namespace: str = '/', environment: Mapping[str, str] | None = None) -> None:
        self.namespace = namespace
        self.discovery = discovery(environment)
        _open_domain(self.discovery)
        try:
            self.entity: DomainParticipant | None = DomainParticipant(self.discovery.domain)
        except DDSException as error:
            _close_domain(self.discovery.domain)
            raise DdsError(
                f'Cyclone DDS cannot take part in domain {self.discovery.domain}: {error}. Its '
                'own words are on stderr. Is the configuration right that CYCLONEDDS_URI names?'
            ) from error
        self._waitset: WaitSet | None = WaitSet(self.entity)
        self.publishers: list[Publisher[Any]] = []
        self.subscriptions: list[Subscription[Any]] = []

    def __enter__(self) -> 'Participant':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def publisher(self, name: str, message_type: type[Message], row: QosRow) -> Publisher[Message]:
        """Return what sends messages of `message_type` on the topic `name`.

        Args:
            name: as in ROS: relative to the namespace, or with a leading `/`.
            message_type: a class of `messages` or `images`.
            row: of `chefmate_core.qos_table`: what writers of this topic offer.

        Raises:
            ConfigurationError: `name` is not a name of ROS.
        """
        full_name = resolved(name, self.namespace)
        with _explained(full_name):
            made = Publisher(self._open_entity(), full_name, message_type, row)
        self.publishers.append(made)
        return made

    def subscription(
        self,
        name: str,
        message_type: type[Message],
        row: QosRow,
        callback: Callable[[Message], None] | None = None,
    ) -> Subscription[Message]:
        """Return what receives messages of `message_type` from the topic `name`.

        Args:
            name: as in ROS: relative to the namespace, or with a leading `/`.
            message_type: a class of `messages` or `images`.
            row: of `chefmate_core.qos_table`: what this reader requests.
            callback: called for each message by `spin_once` and `spin_until`. Without it messages
                wait for `take`.

        Raises:
            ConfigurationError: `name` is not a name of ROS.
        """
        full_name = resolved(name, self.namespace)
        with _explained(full_name):
            made = Subscription(self._open_entity(), full_name, message_type, row, callback)
        if made.callback and made.condition and self._waitset:
            self._waitset.attach(made.condition)
        self.subscriptions.append(made)
        return made

    def spin_once(self, timeout_s: float = math.inf) -> int:
        """Wait until something arrives, call back for it, and return how many messages it was.

        A callback's exception is the caller's; the messages behind it wait for the next call.
        """
        self._wait(timeout_s)
        count = 0
        for subscription in self.subscriptions:
            if subscription.callback is None:
                continue
            for _ in range(subscription.row.depth):
                messages = subscription.take(1)
                if not messages:
                    break
                count += 1
                subscription.callback(messages[0])
        return count

    def spin_until(self, condition: Callable[[], bool], timeout_s: float = math.inf) -> bool:
        """Call back for what arrives until `condition()` holds; return whether it does."""
        end_s = time.monotonic() + timeout_s
        while not condition():
            left_s = end_s - time.monotonic()
            if left_s <= 0.0:
                return False
            self.spin_once(min(left_s, _LOOK_S))
        return True

    def wait_until_connected(self, timeout_s: float = math.inf) -> bool:
        """Return whether all that was made so far has somebody on its other end, after waiting."""
        ends = self._ends()
        return self.spin_until(lambda: all(end.matched for end in ends), timeout_s)

    def close(self) -> None:
        """Leave; the others are told at once."""
        if self.entity is None:
            return
        self._waitset = None
        for end in self._ends():
            end.close()
        self.entity = None
        _close_domain(self.discovery.domain)

    def _ends(self) -> list[Publisher[Any] | Subscription[Any]]:
        return [*self.publishers, *self.subscriptions]

    def _wait(self, timeout_s: float) -> None:
        """Wait until a subscription with a callback has something, or for `timeout_s`."""
        if self._waitset is None:
            raise DdsError('the participant is closed; make another one')
        end_s = time.monotonic() + timeout_s
        while True:
            left_s = max(0.0, min(end_s - time.monotonic(), _PATIENCE_S))
            if self._waitset.wait(duration(seconds=left_s)) or time.monotonic() >= end_s:
                return

    def _open_entity(self) -> DomainParticipant:
        if self.entity is None:
            raise DdsError('the participant is closed; make another one')
        return self.entity


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Say which topic it was that Cyclone DDS refused."""
    try:
        yield
    except DDSException as error:
        raise DdsError(
            f'{name}: Cyclone DDS refuses this topic: {error}. Has this participant the topic '
            'with another type?'
        ) from error


# A domain has one configuration in a process, and may have several participants.
_domains: dict[int, tuple[Domain | None, str | None, int]] = {}  # entity, xml, participants
_domains_lock = threading.Lock()


def _open_domain(wanted: Discovery) -> None:
    """Make the domain with its configuration, or count one participant more in it."""
    with _domains_lock:
        entity, xml, count = _domains.get(wanted.domain, (None, wanted.xml, 0))
        if xml != wanted.xml:
            raise DdsError(
                f'domain {wanted.domain} is open in this process with another configuration; '
                'close that participant first'
            )
        if count == 0 and xml is not None:
            try:
                entity = Domain(wanted.domain, xml)
            except DDSException as error:
                raise DdsError(
                    f'Cyclone DDS cannot open domain {wanted.domain}: {error}. Its own words are '
                    'on stderr. Is the interface there that CHEFMATE_DDS_INTERFACE names? Has '
                    'something else in this process opened the domain?'
                ) from error
        _domains[wanted.domain] = (entity, xml, count + 1)


def _close_domain(number: int) -> None:
    """One participant less; the last one closes the domain."""
    with _domains_lock:
        entity, xml, count = _domains.pop(number)
        if count > 1:
            _domains[number] = (entity, xml, count - 1)
