"""A viewer of the page without a browser: it reads all that comes, and draws nothing."""

import threading

import msgspec
import viser
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

# What viser's client says when it has drawn its first picture; viser counts it from then on.
CAMERA = {
    'type': 'ViewerCameraMessage',
    'wxyz': (1.0, 0.0, 0.0, 0.0),
    'position': (0.8, 0.0, 0.6),
    'fov': 1.0,
    'near': 0.1,
    'far': 100.0,
    'image_height': 800,
    'image_width': 1280,
    'look_at': (0.2, 0.0, 0.0),
    'up_direction': (0.0, 0.0, 1.0),
}


class PageWatcher:
    """One websocket to the page; a context manager.

    Attributes:
        frames: how many have come.
        received_bytes: their size.
    """

    def __init__(self, address):
        self.frames = self.received_bytes = 0
        self._socket = connect(
            address.replace('http', 'ws', 1),
            subprotocols=[f'viser-v{viser.__version__}'],
            compression=None,
            max_size=None,
        )
        self._socket.send(msgspec.msgpack.encode(CAMERA))
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()
        self._thread.join(timeout=5.0)

    @property
    def gone(self):
        """Whether the page has ended the connection."""
        return not self._thread.is_alive()

    def _read(self):
        try:
            for frame in self._socket:
                self.frames += 1
                self.received_bytes += len(frame)
        except ConnectionClosed:
            pass
