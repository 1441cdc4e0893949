"""What this process receives."""

import math
import time
from collections.abc import Callable
from typing import Generic

from cyclonedds.core import InstanceState, ReadCondition, SampleState, ViewState
from cyclonedds.domain import DomainParticipant
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic

from chefmate_core.dds_client.errors import DdsError
from chefmate_core.dds_client.naming import dds_topic
from chefmate_core.dds_client.publisher import Message
from chefmate_core.dds_client.qos import qos
from chefmate_core.qos_table import QosRow


class Subscription(Generic[Message]):
    """Receives messages of one type from one topic; made by `Participant.subscription`.

    Cyclone DDS keeps the newest `row.depth` messages until they are taken.
    """

    def __init__(
        self,
        participant: DomainParticipant,
        name: str,
        message_type: type[Message],
        row: QosRow,
        callback: Callable[[Message], None] | None = None,
    ) -> None:
        self.name = name  # full: `/joint_states`
        self.row = row
        self.message_type = message_type
        self.callback = callback
        self.received = 0
        self.malformed = 0  # bytes that are no message of this type, such as a string not in UTF-8
        self.last_malformed = ''  # why
        self._taken_s = -math.inf
        topic = Topic(participant, dds_topic(name), message_type)
        self.reader: DataReader | None = DataReader(participant, topic, qos(row))
        self.condition: ReadCondition | None = ReadCondition(
            self.reader, ViewState.Any | InstanceState.Any | SampleState.NotRead
        )

    @property
    def matched(self) -> int:
        """How many writers it hears."""
        return len(self._open_reader().get_matched_publications())

    @property
    def age_s(self) -> float:
        """How long ago the newest message was taken, s, by the steady clock; inf without any."""
        return time.monotonic() - self._taken_s

    def take(self, limit: int | None = None) -> list[Message]:
        """Return what has arrived since the last call, oldest first; does not wait.

        Args:
            limit: how many messages at most; the others stay for the next call.
        """
        reader = self._open_reader()
        messages: list[Message] = []
        for _ in range(self.row.depth):
            if len(messages) == limit:
                break
            try:
                samples = reader.take(1)
            except ValueError as error:  # UnicodeDecodeError is one
                self.malformed += 1
                self.last_malformed = str(error)
                continue
            if not samples:
                break
            if samples[0].sample_info.valid_data:  # else: news of a writer that has gone
                messages.append(samples[0])
        if messages:
            self.received += len(messages)
            self._taken_s = time.monotonic()
        return messages

    def newest(self) -> Message | None:
        """Return the newest message that has arrived since the last call, or None."""
        messages = self.take()
        return messages[-1] if messages else None

    def close(self) -> None:
        """Stop receiving."""
        self.condition = None
        self.reader = None

    def _open_reader(self) -> DataReader:
        if self.reader is None:
            raise DdsError(f'{self.name}: the subscription is closed; make another participant')
        return self.reader
