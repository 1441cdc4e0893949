"""Ask a person before something that cannot simply be repeated."""

import sys

from rich.console import Console

from chefmate_core.errors import ConfigurationError


def confirm(question: str, is_sure: bool) -> None:
    """Return if the person says yes, or said so by --yes.

    Raises:
        ConfigurationError: the answer is no, or there is nobody to ask.
    """
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError(f'{question} Nobody can be asked here. Next: give --yes')
    # without markup: rich would take [y/N] for a style
    answer = Console(highlight=False).input(f'{question} [y/N] ', markup=False)
    if answer.strip().lower() not in ('y', 'yes'):
        raise ConfigurationError('not confirmed; nothing was changed')
