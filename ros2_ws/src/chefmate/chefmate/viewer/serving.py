"""viser behind the gateway: the one address that is told to people is the gateway's."""

import rich
import viser

from chefmate.viewer.gateway import Gateway, StopLine, private_host, serve
from chefmate.viewer.stop_bar import HEAD_HTML


class Serving:
    """A viser server that nobody reaches until `open` puts the gateway before it."""

    gateway: Gateway

    def __init__(self) -> None:
        # viser would print its private address, which is not the one to open.
        rich.get_console().quiet = True
        self._private = private_host()
        self.viser = viser.ViserServer(host=self._private, port=0, label='ChefMate', verbose=False)

    def open(self, host: str, port: int, token: str | None, stop_line: StopLine) -> None:
        """Let browsers in.

        Raises:
            ConfigurationError: no port is free, or another host than this one without a token.
        """
        try:
            self.gateway = serve(
                upstream_port=self.viser.get_port(),
                upstream_host=self._private,
                host=host,
                port=port,
                token=token,
                head_html=HEAD_HTML,
                stop_line=stop_line,
            )
        except BaseException:
            self.viser.stop()
            raise

    def close(self) -> None:
        """Let nobody in any more."""
        self.gateway.close()
        self.viser.stop()
