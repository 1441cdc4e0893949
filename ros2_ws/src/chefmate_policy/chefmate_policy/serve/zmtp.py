"""ZeroMQ's wire protocol, the side of a ROUTER socket, with every size and time limited.

libzmq has no limit for the parts of a message that is not complete yet, none for connections, and
drops what is too large without a word (docs/decisions/0011). ZMTP 3.0, mechanism NULL:
https://rfc.zeromq.org/spec/23/. Clients of ZMTP 3.1 (libzmq 4) speak 3.0 to a peer of 3.0.
"""

import asyncio
import struct
from typing import NamedTuple

from chefmate_core.policy.wire.errors import RequestError, bad_request, too_large
from chefmate_policy.serve.budget import ByteBudget

_MORE, _LONG, _COMMAND = 1, 2, 4
_SIGNATURE = b'\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f'
_GREETING_BYTES = 64
_COMMAND_BYTES = 1024
_ENVELOPE_FRAMES, _ENVELOPE_BYTES = 8, 255  # of ids before the empty frame
_CHUNK_BYTES = 1 << 18
_PEERS = {'REQ', 'DEALER', 'ROUTER'}  # who may talk to a ROUTER and expects answers
_ONE_PART = 'a request is a message of one part, after an empty one where there is an envelope'
_NOT_ZEROMQ = (
    b'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n'
    b'This port speaks ZeroMQ; HTTP is on another one.\n'
)


class ProtocolError(Exception):
    """The peer does not speak ZMTP; nothing can be answered."""


class Message(NamedTuple):
    """A request: its body, or why that was not read; the envelope goes before the answer."""

    envelope: list[bytes]
    body: bytearray
    refused: RequestError | None = None


class ZmtpConnection:
    """One client's connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        budget: ByteBudget,
        message_bytes: int,
        patience_s: float,
    ) -> None:
        self._reader, self._writer, self._budget = reader, writer, budget
        self._message_bytes, self._patience_s = message_bytes, patience_s
        self._sending = asyncio.Lock()
        self._unread = 0, 0  # flags and bytes left of a refused message's frame

    async def greet(self) -> None:
        """Exchange greetings.

        Raises:
            ProtocolError, TimeoutError, EOFError, OSError: there is nobody to talk to.
        """
        async with asyncio.timeout(self._patience_s):
            first = await self._reader.readexactly(len(_SIGNATURE))
            if first[0] != 0xFF or first[-1] != 0x7F:
                if first[:4] in (b'GET ', b'POST'):
                    self._writer.write(_NOT_ZEROMQ)
                raise ProtocolError('no ZeroMQ client')
            greeting = _SIGNATURE + b'\x03\x00' + b'NULL'.ljust(20, b'\0')
            self._writer.write(greeting.ljust(_GREETING_BYTES, b'\0'))
            rest = await self._reader.readexactly(_GREETING_BYTES - len(_SIGNATURE))
            if rest[0] < 3 or rest[2:22] != b'NULL'.ljust(20, b'\0'):
                raise ProtocolError('not ZMTP 3 without encryption')
            await self._send_command(b'READY', _property(b'Socket-Type', b'ROUTER'))
            flags, size = await self._header()
            if not flags & _COMMAND or size > _COMMAND_BYTES:
                raise ProtocolError('no READY')
            ready = await self._reader.readexactly(size)
            if _socket_type(ready) not in _PEERS:
                await self._send_command(b'ERROR', b'\x12Talk REQ or DEALER')
                raise ProtocolError('a socket that expects no answers')

    async def receive(self) -> Message:
        """Return the next message; waits for its beginning without limit, then `patience_s`.

        The body's bytes are taken from the budget: the caller gives them back.

        Raises:
            ProtocolError, TimeoutError, EOFError, OSError: the connection is of no more use.
        """
        async with asyncio.timeout(self._patience_s):
            await self._skip()
        while True:
            first = await self._reader.readexactly(1)
            async with asyncio.timeout(self._patience_s):
                flags, size = await self._header(first)
                if not flags & _COMMAND:
                    return await self._message(flags, size)
                if size > _COMMAND_BYTES:
                    raise ProtocolError('a command that is too long')
                body = await self._reader.readexactly(size)
                if body.startswith(b'\x04PING'):  # a TTL of two bytes, then what comes back
                    await self._send_command(b'PONG', body[7 : 7 + 16])

    async def send(self, envelope: list[bytes], body: bytes) -> None:
        """Send an answer.

        Raises:
            TimeoutError, OSError: the client does not read it, or has gone.
        """
        async with self._sending:
            for frame in envelope:
                self._writer.write(_frame(_MORE, frame))
            self._writer.write(_frame(0, body))
            async with asyncio.timeout(self._patience_s):
                await self._writer.drain()

    async def _message(self, flags: int, size: int) -> Message:
        envelope: list[bytes] = []
        while flags & _MORE:  # ids, then an empty frame
            if size > _ENVELOPE_BYTES or len(envelope) == _ENVELOPE_FRAMES:
                return self._refuse([], bad_request(_ONE_PART), flags, size)
            frame = await self._reader.readexactly(size)
            envelope.append(frame)
            flags, size = await self._header()
            if flags & _COMMAND:
                raise ProtocolError('a command within a message')
            if not frame and flags & _MORE:
                return self._refuse(envelope, bad_request(_ONE_PART), flags, size)
        if size > self._message_bytes:
            error = too_large(
                f'a request of {size} bytes is too large; allowed: {self._message_bytes}'
            )
            return self._refuse(envelope, error, flags, size)
        body = bytearray()
        try:
            while len(body) < size:
                chunk = await self._read_some(size - len(body))
                try:
                    self._budget.take(len(chunk))
                except RequestError as error:
                    self._budget.give(len(body))
                    left = size - len(body) - len(chunk)
                    return self._refuse(envelope, error, flags, left)
                body += chunk
        except (EOFError, OSError, asyncio.CancelledError):  # cancelled: by the time limit, too
            self._budget.give(len(body))
            raise
        return Message(envelope, body)

    def _refuse(
        self, envelope: list[bytes], error: RequestError, flags: int, left: int
    ) -> Message:
        """Leave the rest unread for now: to read it may take longer than the client waits."""
        self._unread = flags, left
        return Message(envelope, bytearray(), error)

    async def _skip(self) -> None:
        """Read and forget what is left of a refused message."""
        flags, left = self._unread
        self._unread = 0, 0
        while True:
            while left:
                left -= len(await self._read_some(left))
            if not flags & _MORE:
                return
            flags, left = await self._header()

    async def _read_some(self, most: int) -> bytes:
        chunk = await self._reader.read(min(most, _CHUNK_BYTES))
        if not chunk:
            raise EOFError('the client has gone')
        return chunk

    async def _header(self, first: bytes = b'') -> tuple[int, int]:
        flags = (first or await self._reader.readexactly(1))[0]
        if flags & ~(_MORE | _LONG | _COMMAND) or (flags & _COMMAND and flags & _MORE):
            raise ProtocolError(f'flags {flags:#x}')
        if flags & _LONG:
            (size,) = struct.unpack('>Q', await self._reader.readexactly(8))
            return flags, size
        return flags, (await self._reader.readexactly(1))[0]

    async def _send_command(self, name: bytes, body: bytes) -> None:
        async with self._sending:
            self._writer.write(_frame(_COMMAND, bytes([len(name)]) + name + body))
            await self._writer.drain()


def _frame(flags: int, body: bytes) -> bytes:
    if len(body) > 255:
        return bytes([flags | _LONG]) + struct.pack('>Q', len(body)) + body
    return bytes([flags, len(body)]) + body


def _property(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + struct.pack('>I', len(value)) + value


def _socket_type(ready: bytes) -> str:
    """Return the property Socket-Type of a READY command; empty without it."""
    if not ready.startswith(b'\x05READY'):
        return ''
    at = 6
    while at < len(ready):
        name = ready[at + 1 : at + 1 + ready[at]]
        at += 1 + len(name)
        size = int.from_bytes(ready[at : at + 4], 'big')
        value = ready[at + 4 : at + 4 + size]
        at += 4 + size
        if name.lower() == b'socket-type':
            return value.decode('ascii', 'replace')
    return ''
