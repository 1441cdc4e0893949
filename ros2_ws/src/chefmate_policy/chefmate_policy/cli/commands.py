"""What this package adds to the `chefmate` command; the group of entry points names it.

Listing the commands imports this file only: nothing that takes time.
"""

from typing import NamedTuple


class Command(NamedTuple):
    """A subcommand: the module that has it, and one line for the list of all."""

    module: str
    summary: str


SERVE = Command('chefmate_policy.cli.serve', 'let robots and other clients ask a model')
MODELS = Command('chefmate_policy.cli.models', 'list, fetch and check models')
