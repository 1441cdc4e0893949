"""Asks a ZeroMQ server, one request at a time, with time limits that hold.

A REQ socket that gets no answer is of no more use: after a timeout it is thrown away, and the next
request gets a new one (the zguide's "lazy pirate"). So a server may be restarted under its client.
"""

import socket
import time

import zmq

from chefmate_core.errors import PolicyError
from chefmate_core.policy.engine import EngineTimeoutError, EngineUnreachableError
from chefmate_core.policy.remote.settings import Address
from chefmate_core.policy.wire import limits

_CONNECT_S = 2.0  # for a server to take the connection


class ZmqRequester:
    """A client's side of requests and answers."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._context = zmq.Context()
        self._socket: zmq.Socket | None = None

    def ask(self, body: bytes, timeout_s: float) -> bytes:
        """Return the answer to a request.

        Raises:
            EngineTimeoutError: there was none in time.
            EngineUnreachableError: nobody listens there.
            PolicyError: the request cannot be sent.
        """
        deadline_s = time.monotonic() + timeout_s
        if self._socket is None:
            self._socket = self._connect(min(timeout_s, _CONNECT_S))
        try:
            self._socket.send(body)
            left_s = max(0.0, deadline_s - time.monotonic())
            if self._socket.poll(round(left_s * 1e3), zmq.POLLIN):
                return self._socket.recv()
        except zmq.ZMQError as error:
            self._forget()
            raise PolicyError(f'{self.address.url}: {error}') from error
        except BaseException:
            self._forget()  # it waits for an answer that nobody will take
            raise
        self._forget()
        raise EngineTimeoutError(
            f'{self.address.url}: no answer within {timeout_s:g} s. Something listens there: is '
            f'it a GR00T or ChefMate server on ZeroMQ, and does its model need longer?'
        )

    def close(self) -> None:
        """Close what is open."""
        self._forget()
        self._context.term()

    def _connect(self, timeout_s: float) -> zmq.Socket:
        # ZeroMQ waits in silence for a server that is not there.
        try:
            socket.create_connection((self.address.host, self.address.port), timeout_s).close()
        except TimeoutError as error:
            raise EngineTimeoutError(
                f'{self.address.url}: the host does not answer. Next: check its name, that it is '
                f'on, and its firewall'
            ) from error
        except OSError as error:
            raise EngineUnreachableError(
                f'{self.address.url}: nobody listens there ({error}). Next: start the server on '
                f'that host (chefmate serve MODEL --host ... --token-file ...)'
            ) from error
        opened = self._context.socket(zmq.REQ)
        opened.linger = 0
        opened.maxmsgsize = limits.MESSAGE_BYTES
        opened.sndtimeo = round(timeout_s * 1e3)
        host = f'[{self.address.host}]' if ':' in self.address.host else self.address.host
        if ':' in self.address.host:
            opened.ipv6 = True
        opened.connect(f'tcp://{host}:{self.address.port}')
        return opened

    def _forget(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
