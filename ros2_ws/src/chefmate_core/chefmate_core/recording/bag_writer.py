"""Writes one rosbag2 folder: an MCAP file of serialised messages, and `metadata.yaml`."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from mcap.writer import CompressionType, Writer

from chefmate_core.recording import bag_metadata
from chefmate_core.recording.bag_metadata import Channel, Extent
from chefmate_core.recording.definitions import MessageType
from chefmate_core.recording.errors import RecordingError
from chefmate_core.recording.files import sync, write_atomically

PROFILE = 'ros2'
LIBRARY = 'chefmate'
# JPEG does not shrink, and a chunk should be on its way to the disk soon: a camera pair fills this
# one in a tenth of a second.
CHUNK_BYTES = 512 * 1024


class BagWriter:
    """One bag that is being written. Not safe for two threads.

    Args:
        folder: made here; must not exist.
        file_name: of the MCAP file in it.

    Raises:
        RecordingError: the folder cannot be made; every method too, when the disk refuses.
    """

    def __init__(self, folder: Path, file_name: str) -> None:
        self.folder = folder
        self.extent = Extent()
        self.size_bytes = 0  # of the messages
        self._file_name = file_name
        self._channels: dict[str, tuple[int, Channel]] = {}
        self._schemas: dict[str, int] = {}
        with self._disk():
            folder.mkdir(parents=True)
            self._file = (folder / file_name).open('wb')
            self._writer = Writer(
                self._file, chunk_size=CHUNK_BYTES, compression=CompressionType.NONE
            )
            self._writer.start(PROFILE, LIBRARY)
            self._file.flush()

    def add_topic(self, topic: str, message_type: MessageType, offered_qos_profiles: str) -> None:
        """Add a topic, with or without messages to come."""
        if topic in self._channels:
            return
        schema = self._schemas.get(message_type.name)
        if schema is None:
            schema = self._writer.register_schema(
                message_type.name, 'ros2msg', message_type.definition.encode()
            )
            self._schemas[message_type.name] = schema
        number = self._writer.register_channel(
            topic,
            'cdr',
            schema,
            {
                'offered_qos_profiles': offered_qos_profiles,
                'topic_type_hash': message_type.type_hash,
            },
        )
        self._channels[topic] = (
            number,
            Channel(topic, message_type.name, message_type.type_hash, offered_qos_profiles),
        )

    def write(self, topic: str, log_ns: int, publish_ns: int, data: bytes) -> None:
        """Add a message: when it was received, when it was sent (0: unknown), its bytes."""
        number, channel = self._channels[topic]
        with self._disk():
            self._writer.add_message(number, log_ns, data, publish_ns or log_ns)
        channel.message_count += 1
        self.size_bytes += len(data)
        self.extent.add(log_ns)

    def flush(self) -> None:
        """Hand what there is to the system: a killed process loses nothing of it."""
        with self._disk():
            self._writer.flush()

    def sync(self) -> None:
        """Bring what was flushed to the disk: a power cut loses nothing of it."""
        with self._disk():
            os.fdatasync(self._file.fileno())

    def finish(self, custom_data: Mapping[str, str]) -> None:
        """End the bag: indexes, metadata, and all of it on the disk."""
        with self._disk():
            self._writer.finish()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            text = bag_metadata.metadata_yaml(
                self._file_name,
                [channel for _, channel in self._channels.values()],
                self.extent,
                custom_data,
            )
            write_atomically(self.folder / bag_metadata.FILE_NAME, text)
            sync(self.folder)

    def abandon(self) -> None:
        """Close the file as it is; `repair` reads what is in it."""
        with contextlib.suppress(OSError):  # what could not be written is lost, and was said
            self._file.close()

    @contextlib.contextmanager
    def _disk(self):
        try:
            yield
        except OSError as error:
            raise RecordingError(
                f'{self.folder / self._file_name}: cannot be written: '
                f'{error.strerror or error}. Next: free space or change the disk; what was '
                'written before is kept, and `chefmate dataset repair` makes a bag of it',
            ) from error
