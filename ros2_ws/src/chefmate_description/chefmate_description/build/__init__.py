"""The tool that makes the arm's files at build time from the package that carries the SO-101."""


class BuildError(RuntimeError):
    """The arm's files cannot be made; the message says what to install or change."""
