"""The tokenizer that published checkpoints do without: fetched once, at its pinned revision."""

import logging
from pathlib import Path

from chefmate_core.errors import ConfigurationError
from chefmate_policy.checkpoint import Checkpoint
from chefmate_policy.models.hub import HubId, fetch
from chefmate_policy.models.known import known_models
from chefmate_policy.models.source import TOKENIZER
from chefmate_policy.processing.tokens import has_tokenizer

_log = logging.getLogger(__name__)


def ensure_tokenizer(checkpoint: Checkpoint, models: Path) -> None:
    """Fetch the tokenizer into the folder of models where none is to be found.

    Raises:
        ConfigurationError: it is needed and cannot be fetched: no network, no room.
    """
    if checkpoint.byte_tokens or any(map(has_tokenizer, checkpoint.tokenizer_folders)):
        return
    entry = known_models(models).get(TOKENIZER)
    if entry is None or entry.revision is None:
        return  # who loads it says what is needed
    _log.info('%s has no tokenizer; fetching %s, once', checkpoint.origin, entry.origin)
    try:
        fetch(HubId(entry.origin, entry.revision), models / TOKENIZER, entry.sha256)
    except ConfigurationError as error:
        raise ConfigurationError(
            f'{checkpoint.origin} has no tokenizer, and the one of every N1.5 cannot be fetched: '
            f'{error}. On a machine with network: chefmate models fetch {TOKENIZER}'
        ) from error
