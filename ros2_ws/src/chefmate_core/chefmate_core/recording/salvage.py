"""Reads an MCAP file as far as it goes: one that was never finished, or was cut off."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from mcap.exceptions import McapError
from mcap.records import Channel, Message, Schema
from mcap.stream_reader import StreamReader

MAGIC = b'\x89MCAP0\r\n'
CHUNK_OPCODE = 0x06
RECORD_HEAD = struct.Struct('<BQ')  # opcode, length
# Source: https://mcap.dev/spec#chunk-op0x06: start, end, uncompressed size (Q), CRC, and how long
# the name of the compression is.
CHUNK_HEAD = struct.Struct('<QQQII')
RECORDS_LENGTH = struct.Struct('<Q')
BROKEN = (McapError, struct.error, EOFError, ValueError, OverflowError)


@dataclass(frozen=True)
class Salvaged:
    """A message that could be read, and the channel and schema it belongs to."""

    channel: Channel
    schema: Schema
    message: Message


def salvage(path: Path) -> Iterator[Salvaged]:
    """Yield every whole message of a file, up to where it is broken or ends."""
    if not path.is_file():
        return
    schemas: dict[int, Schema] = {}
    channels: dict[int, Channel] = {}
    with path.open('rb') as stream:
        for record in _records(stream):
            if isinstance(record, Schema):
                schemas[record.id] = record
            elif isinstance(record, Channel):
                channels[record.id] = record
            elif isinstance(record, Message):
                channel = channels.get(record.channel_id)
                if channel is not None and channel.schema_id in schemas:
                    yield Salvaged(channel, schemas[channel.schema_id], record)


def _records(stream: BinaryIO) -> Iterator[object]:
    stream.seek(len(MAGIC))  # whatever it is: one wrong bit in it is no reason to give up the rest
    while True:
        start = stream.tell()
        head = stream.read(RECORD_HEAD.size)
        if len(head) < RECORD_HEAD.size:
            return
        opcode, length = RECORD_HEAD.unpack(head)
        body = stream.read(length) if length < 1 << 32 else b''
        if opcode == CHUNK_OPCODE:
            yield from _chunk_records(body)
        elif len(body) == length:
            yield from _parsed(head + body)
        if len(body) < length:
            return
        stream.seek(start + RECORD_HEAD.size + length)


def _chunk_records(body: bytes) -> Iterator[object]:
    """Yield what is whole in a chunk, which may have lost its end. Ours are not compressed."""
    if len(body) < CHUNK_HEAD.size:
        return
    *_, name_length = CHUNK_HEAD.unpack_from(body)
    if name_length == 0:
        yield from _parsed(body[CHUNK_HEAD.size + RECORDS_LENGTH.size :])


def _parsed(records: bytes) -> Iterator[object]:
    reader = StreamReader(BytesIO(records), skip_magic=True)
    try:
        yield from reader.records
    except BROKEN:
        return  # the end of what can be read
