"""The door to GR00T N1.5: found by name, and honest about what is missing."""

from typing import Any, NoReturn

from chefmate_core.errors import PolicyError

# What has to stand here before this policy can run, in the order in which it is built.
MISSING = (
    'the model (Eagle backbone, DiT action head)',
    'loading of checkpoints',
    'preprocessing of observations',
    'the inference engine',
)


def make_policy(**options: Any) -> NoReturn:
    """Refuse, and say what is missing.

    Raises:
        PolicyError: always, until the parts in `MISSING` exist.
    """
    del options
    raise PolicyError(
        f'GR00T N1.5 cannot run yet; missing: {", ".join(MISSING)}. '
        'Until then, in simulation: policy:=expert'
    )
