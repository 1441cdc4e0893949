"""What a browser may say to viser: the page's own messages, and of each only what it needs.

viser 1.1.1 trusts its browsers. An update of an input may set any attribute of viser's own object,
such as the list of functions that a press of the emergency stop calls; a request to share opens a
tunnel into the Internet; an upload is kept in memory, however large. Nothing of that gets through.
"""

from typing import Any

import msgspec

MAX_BYTES = 1 << 16  # the longest honest message is an instruction

# Names of viser 1.1.1 (viser/_messages.py).
ALLOWED = frozenset({'ViewerCameraMessage', 'GuiUpdateMessage'})


def may_pass(message: bytes | str) -> bool:
    """Return whether a message from a browser may reach viser."""
    if not isinstance(message, bytes) or len(message) > MAX_BYTES:
        return False
    try:
        content: Any = msgspec.msgpack.decode(message)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    if not isinstance(content, dict):
        return False
    kind = content.get('type')
    if not isinstance(kind, str) or kind not in ALLOWED:
        return False
    if kind == 'GuiUpdateMessage':
        updates = content.get('updates')
        return isinstance(updates, dict) and set(updates) == {'value'}
    return True
