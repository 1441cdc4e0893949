"""Numbers on a command line: types for argparse, which names the option where they refuse."""


def whole(text: str) -> int:
    """Return a whole number of 1 or more."""
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def positive(text: str) -> float:
    """Return a number above 0, and finite."""
    value = float(text)
    if not 0.0 < value < 1e6:
        raise ValueError
    return value
