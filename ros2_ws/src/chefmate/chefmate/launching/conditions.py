"""Stand-ins for launch.conditions."""

from chefmate.launching.context import LaunchContext
from chefmate.launching.substitutions import (
    SomeSubstitutions,
    SubstitutionFailure,
    normalize,
    perform,
)

_MEANINGS = {'true': True, '1': True, 'false': False, '0': False}


class Condition:
    """Whether an action is visited."""

    def evaluate(self, context: LaunchContext) -> bool:
        """Return whether the condition holds."""
        raise NotImplementedError


class IfCondition(Condition):
    """Visit the action if the text is true or 1 (any case); false or 0 means no."""

    def __init__(self, predicate_expression: SomeSubstitutions) -> None:
        self._predicate = normalize(predicate_expression)

    def evaluate(self, context: LaunchContext) -> bool:  # noqa: D102
        text = perform(context, self._predicate)
        meaning = _MEANINGS.get(text.strip().lower())
        if meaning is None:
            raise SubstitutionFailure(
                f'a condition is {", ".join(_MEANINGS)}; found {text!r} from '
                f'{self._predicate[0].describe()}'
            )
        return meaning


class UnlessCondition(IfCondition):
    """Visit the action if the text is false or 0."""

    def evaluate(self, context: LaunchContext) -> bool:  # noqa: D102
        return not super().evaluate(context)
