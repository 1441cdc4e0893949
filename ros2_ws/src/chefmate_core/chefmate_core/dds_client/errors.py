"""What can go wrong between this process and the others, in the tree of `chefmate_core.errors`."""

from chefmate_core.errors import ChefMateError


class DdsError(ChefMateError, OSError):
    """Cyclone DDS could not do what was asked, or the participant is closed."""
