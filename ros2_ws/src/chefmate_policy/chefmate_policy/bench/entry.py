"""What this package adds to `chefmate bench`; importing this takes no time."""

from chefmate_policy.cli.commands import Command

POLICY = Command(
    'chefmate_policy.bench.command', 'speed, memory and exactness of GR00T N1.5, by backend'
)
