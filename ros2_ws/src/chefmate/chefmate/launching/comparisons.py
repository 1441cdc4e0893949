"""Substitutions that compare and combine truth values: more of launch.substitutions."""

import math
from typing import Any

from chefmate.launching.context import LaunchContext
from chefmate.launching.errors import LaunchFileError
from chefmate.launching.substitutions import (
    SomeSubstitutions,
    Substitution,
    describe,
    normalize,
    perform,
    perform_bool,
)


class EqualsSubstitution(Substitution):
    """'true' if both sides are equal: as truth values, else as numbers, else as text."""

    def __init__(self, left: Any, right: Any) -> None:
        self.left = _comparable(left)
        self.right = _comparable(right)

    def perform(self, context: LaunchContext) -> str:  # noqa: D102
        left, right = perform(context, self.left), perform(context, self.right)
        truths = [_TRUTHS.get(side.lower()) for side in (left, right)]
        if None not in truths:
            return str(truths[0] == truths[1]).lower()
        try:
            return str(math.isclose(float(left), float(right))).lower()
        except ValueError:
            return str(left == right).lower()

    def describe(self) -> str:  # noqa: D102
        return f'{describe(self.left)} == {describe(self.right)}'


class NotEqualsSubstitution(EqualsSubstitution):
    """'true' if both sides differ."""

    def perform(self, context: LaunchContext) -> str:  # noqa: D102
        return 'false' if super().perform(context) == 'true' else 'true'

    def describe(self) -> str:  # noqa: D102
        return f'{describe(self.left)} != {describe(self.right)}'


_TRUTHS = {'true': True, '1': True, 'false': False, '0': False}


def _comparable(side: Any) -> list[Substitution]:
    if side is None:
        return normalize('')
    if isinstance(side, bool):
        return normalize(str(side).lower())
    if isinstance(side, int | float):
        return normalize(str(side))
    return normalize(side)


class NotSubstitution(Substitution):
    """'true' for false."""

    def __init__(self, value: SomeSubstitutions) -> None:
        self.value = normalize(value)

    def perform(self, context: LaunchContext) -> str:  # noqa: D102
        return str(not perform_bool(context, self.value)).lower()


class AllSubstitution(Substitution):
    """'true' if every value is true."""

    def __init__(self, *args: SomeSubstitutions) -> None:
        self.values = [normalize(value) for value in args]

    def perform(self, context: LaunchContext) -> str:  # noqa: D102
        return str(all(self._truths(context))).lower()

    def _truths(self, context: LaunchContext) -> list[bool]:
        # All of them, so that a value that is no truth value is refused wherever it stands.
        return [perform_bool(context, value) for value in self.values]


class AnySubstitution(AllSubstitution):
    """'true' if one of the values is true."""

    def perform(self, context: LaunchContext) -> str:  # noqa: D102
        return str(any(self._truths(context))).lower()


class AndSubstitution(AllSubstitution):
    """'true' if both are true."""

    def __init__(self, left: SomeSubstitutions, right: SomeSubstitutions) -> None:
        super().__init__(left, right)


class OrSubstitution(AnySubstitution):
    """'true' if one is true."""

    def __init__(self, left: SomeSubstitutions, right: SomeSubstitutions) -> None:
        super().__init__(left, right)


class IfElseSubstitution(Substitution):
    """One of two values, by a condition."""

    def __init__(
        self,
        condition: SomeSubstitutions,
        if_value: SomeSubstitutions = '',
        else_value: SomeSubstitutions = '',
    ) -> None:
        if if_value == else_value == '':
            raise LaunchFileError('IfElseSubstitution needs if_value or else_value')
        self.condition = normalize(condition)
        self.if_value = normalize(if_value)
        self.else_value = normalize(else_value)

    def perform(self, context: LaunchContext) -> str:  # noqa: D102
        chosen = self.if_value if perform_bool(context, self.condition) else self.else_value
        return perform(context, chosen)

    def describe(self) -> str:  # noqa: D102
        chosen, other = describe(self.if_value), describe(self.else_value)
        return f'{chosen} if {describe(self.condition)} else {other}'
