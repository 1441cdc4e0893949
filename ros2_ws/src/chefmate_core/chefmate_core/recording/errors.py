"""What can go wrong with a recording."""

from chefmate_core.errors import ChefMateError, ConfigurationError


class RecordingError(ChefMateError, OSError):
    """What was asked cannot be done now, or the episode could not be written."""


class SessionError(ConfigurationError):
    """The session's folder is not what was asked for, or belongs to something else."""


class MessageBytesError(ChefMateError, ValueError):
    """Serialised bytes are not the message that they should be."""
