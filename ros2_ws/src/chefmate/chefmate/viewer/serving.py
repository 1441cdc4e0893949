"""viser behind the gateway: the one address that is told to people is the gateway's."""

import rich
import viser

from chefmate.viewer.gateway import Gateway, private_host, serve
from chefmate.viewer.stop_bar import HEAD_HTML


class Serving:
    """A viser server that only the gateway reaches, and the gateway.

    Raises:
        ConfigurationError: no port is free, or another host than this one without a token.
    """

    def __init__(self, host: str, port: int, token: str | None) -> None:
        # viser would print its private address, which is not the one to open.
        rich.get_console().quiet = True
        private = private_host()
        self.viser = viser.ViserServer(host=private, port=0, label='ChefMate', verbose=False)
        try:
            self.gateway: Gateway = serve(
                upstream_port=self.viser.get_port(),
                upstream_host=private,
                host=host,
                port=port,
                token=token,
                head_html=HEAD_HTML,
            )
        except BaseException:
            self.viser.stop()
            raise

    def close(self) -> None:
        """Let nobody in any more."""
        self.gateway.close()
        self.viser.stop()
