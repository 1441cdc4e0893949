"""Which topics speak now, how often, and how large the cameras' pictures are."""

from collections.abc import Sequence

from chefmate_core.recording.cdr import read_image
from chefmate_core.recording.errors import MessageBytesError
from chefmate_core.recording.jpeg import jpeg_size
from chefmate_core.recording.message_queue import Message
from chefmate_core.recording.topics import RecordedTopic, Role
from chefmate_core.timing import Rate


class Presence:
    """Sees every message, whether or not an episode is open."""

    def __init__(self, topics: Sequence[RecordedTopic], stall_timeout_s: float) -> None:
        self._stall_timeout_s = stall_timeout_s
        self._required = [topic.name for topic in topics if topic.required]
        self._cameras = {topic.name: topic.camera for topic in topics if topic.role is Role.IMAGE}
        self._rates = {topic.name: Rate() for topic in topics}
        self._seen_s: dict[str, float] = {}
        self._pictures: dict[str, bytes] = {}  # the newest message of each camera

    def see(self, message: Message, now_s: float) -> None:
        """Note a message."""
        self._seen_s[message.name] = now_s
        self._rates[message.name].tick(now_s)
        if message.name in self._cameras:
            self._pictures[message.name] = message.data

    def excuse(self, asleep_s: float, now_s: float) -> None:
        """Count no silence for the time that the listener itself, or the machine, stood still.

        What came meanwhile is still to be taken; a camera that stood, too, has yet to go on.
        """
        for name, seen_s in self._seen_s.copy().items():
            self._seen_s[name] = min(seen_s + asleep_s, now_s)

    def silent(self, now_s: float) -> list[str]:
        """Return the required topics without a message for the stall timeout."""
        return [
            name
            for name in self._required
            if now_s - self._seen_s.get(name, -1e9) > self._stall_timeout_s
        ]

    def rates_hz(self, now_s: float) -> dict[str, float]:
        """Return how often each topic speaks."""
        return {name: rate.hz(now_s) for name, rate in self._rates.items()}

    def sizes_px(self) -> dict[str, tuple[int, int]]:
        """Return camera -> (width, height) of its newest picture.

        Raises:
            MessageBytesError: a camera sends something else than JPEG.
        """
        sizes = {}
        for name, camera in self._cameras.items():
            try:
                sizes[camera] = jpeg_size(read_image(self._pictures[name])[1])
            except MessageBytesError as error:
                raise MessageBytesError(
                    f'{name}: {error}. Next: let the camera publish JPEG'
                ) from error
        return sizes
