"""How many bytes of messages a server holds, over all its connections."""

from chefmate_core.policy.wire.errors import Code, RequestError


class ByteBudget:
    """Counts bytes as they arrive, so that a claim alone costs nothing."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.held_bytes = 0

    def take(self, size_bytes: int) -> None:
        """Count bytes that have arrived.

        Raises:
            RequestError: others hold all there is; nothing was counted.
        """
        if self.held_bytes + size_bytes > self.limit_bytes:
            raise RequestError(
                Code.BUSY, 'the server holds as many bytes of other requests as it takes'
            )
        self.held_bytes += size_bytes

    def give(self, size_bytes: int) -> None:
        """Count bytes that are no longer held."""
        self.held_bytes -= size_bytes
