"""Loads a policy in a thread of its own: gigabytes and warm-up, while others go on."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from chefmate_core.errors import ChefMateError, ConfigurationError
from chefmate_core.policy.protocol import Policy
from chefmate_core.policy.registry import PolicyContext, load_policy
from chefmate_core.policy.resolve import ChosenPolicy, choose_policy


class PolicyLoading:
    """One attempt to load a policy. The owner polls; `tell` is called in the loading thread."""

    def __init__(
        self, text: str, options: str, context: PolicyContext, tell: Callable[[str], None]
    ) -> None:
        """`text` is what `choose_policy` takes; `options` a JSON object.

        Raises:
            ConfigurationError: `text` means no policy, or `options` is no JSON object.
        """
        self.what = 'loading'
        self.failure = ''  # why there is no policy, once `is_done`
        self._text, self._tell = text, tell
        self._chosen = choose(text, options)
        self._context = replace(context, tell=self._now)
        self._policy: Policy | None = None
        self._is_wanted = True
        self._lock = threading.Lock()
        self._begun_s = time.monotonic()
        self._thread = threading.Thread(target=self._load, name='loading', daemon=True)
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """Whether there is a policy, or a failure."""
        return not self._thread.is_alive()

    @property
    def elapsed_s(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self._begun_s

    def take(self) -> Policy | None:
        """Return the policy, which belongs to the caller from now on, or None."""
        with self._lock:
            policy, self._policy = self._policy, None
        return policy

    def abandon(self) -> None:
        """Close the policy, as soon as it is loaded: nobody wants it any more."""
        with self._lock:
            self._is_wanted = False
        policy = self.take()
        if policy is not None:
            policy.close()

    def _now(self, what: str) -> None:
        self.what = what
        self._tell(what)

    def _load(self) -> None:
        try:
            policy = load_policy(self._chosen.name, self._context, **self._chosen.options)
        except ChefMateError as error:
            self.failure = str(error)
        except Exception as error:  # a policy's own bug is a failure with a name
            self.failure = f'{type(error).__name__}: {error}'
        else:
            with self._lock:
                self._policy = policy
            if not self._is_wanted:
                self.abandon()


def choose(text: str, options: str) -> ChosenPolicy:
    """Return what `text` and `options`, a JSON object, choose.

    Raises:
        ConfigurationError: they choose nothing.
    """
    try:
        parsed = json.loads(options)
    except ValueError as error:
        raise ConfigurationError(f'policy_options: {options!r} is no JSON: {error}') from error
    if not isinstance(parsed, dict):
        raise ConfigurationError(f'policy_options: expected a JSON object; found {options!r}')
    return choose_policy(text, parsed)
