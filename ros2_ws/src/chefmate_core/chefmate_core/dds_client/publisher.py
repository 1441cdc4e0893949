"""What this process sends."""

from typing import Generic, TypeVar

from cyclonedds.domain import DomainParticipant
from cyclonedds.idl import IdlStruct
from cyclonedds.pub import DataWriter
from cyclonedds.topic import Topic

from chefmate_core.dds_client.errors import DdsError
from chefmate_core.dds_client.naming import dds_topic
from chefmate_core.dds_client.qos import qos
from chefmate_core.qos_table import QosRow

Message = TypeVar('Message', bound=IdlStruct)


class Publisher(Generic[Message]):
    """Sends messages of one type on one topic; made by `Participant.publisher`."""

    def __init__(
        self, participant: DomainParticipant, name: str, message_type: type[Message], row: QosRow
    ) -> None:
        self.name = name  # full: `/joint_states`
        self.row = row
        self.message_type = message_type
        self.published = 0
        topic = Topic(participant, dds_topic(name), message_type)
        self.writer: DataWriter | None = DataWriter(participant, topic, qos(row))

    @property
    def matched(self) -> int:
        """How many readers receive what is published."""
        return len(self._open_writer().get_matched_subscriptions())

    def publish(self, message: Message) -> None:
        """Send a message; does not wait for slow readers, who miss it instead.

        Raises:
            DdsError: the message does not fit its type (a string for a number, a number out of
                range), or the publisher is closed.
        """
        writer = self._open_writer()
        try:
            writer.write(message)
        except Exception as error:  # cyclonedds wraps what does not fit in a plain Exception
            raise DdsError(
                f'{self.name}: {type(message).__name__} cannot be sent: {error}; caused by '
                f'{error.__cause__ or error!r}'
            ) from error
        self.published += 1

    def close(self) -> None:
        """Stop sending; the readers are told."""
        self.writer = None

    def _open_writer(self) -> DataWriter:
        if self.writer is None:
            raise DdsError(f'{self.name}: the publisher is closed; make another participant')
        return self.writer
