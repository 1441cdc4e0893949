"""Names out of a message, in a sentence for people: whatever was sent, it stays one line."""

from collections.abc import Sequence

MOST_NAMES, MOST_CHARACTERS = 6, 40


def listed(names: Sequence[str]) -> str:
    """Return the first names, each cut to a length that a line can bear, and how many more."""
    shown = [
        name if len(name) <= MOST_CHARACTERS else f'{name[:MOST_CHARACTERS]}...'
        for name in names[:MOST_NAMES]
    ]
    more = len(names) - len(shown)
    return ', '.join(shown) + (f' and {more} more' if more else '')
