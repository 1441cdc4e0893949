"""What a browser talks to before it reaches the page: who may enter, and what it may say.

viser serves whoever reaches its port. It therefore listens on an address of its own
(`private_host`), and browsers reach it through the gateway alone: docs/decisions/0026.
"""

from chefmate.viewer.gateway.gateway import Gateway, serve
from chefmate.viewer.gateway.listening import private_host
from chefmate.viewer.gateway.stop_line import StopLine

__all__ = ['Gateway', 'StopLine', 'private_host', 'serve']
