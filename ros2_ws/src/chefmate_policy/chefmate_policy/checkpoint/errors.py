"""What goes wrong with a checkpoint's files."""

from chefmate_core.errors import ConfigurationError


class CheckpointError(ConfigurationError):
    """A checkpoint is missing, damaged, or not of this model; nothing is loaded."""


class EmbodimentError(CheckpointError):
    """An embodiment tag that the model or the checkpoint does not know."""
