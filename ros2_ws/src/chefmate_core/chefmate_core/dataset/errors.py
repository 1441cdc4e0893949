"""What can be wrong with a data set."""

from chefmate_core.errors import ChefMateError, ConfigurationError


class DatasetError(ChefMateError, ValueError):
    """A data set or a recording cannot be read: damaged, incomplete, or of an unknown format."""


class DatasetRequestError(ConfigurationError):
    """What was asked for does not fit the data set; the message lists what would."""
