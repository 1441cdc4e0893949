"""The word that a client has to know, kept in a file."""

import hmac
import logging
import stat
from pathlib import Path

from chefmate_core.errors import ConfigurationError

_LOG = logging.getLogger(__name__)


def read_token(path: Path | str) -> str:
    """Return the token in a file: its text without white space around it.

    Raises:
        ConfigurationError: the file cannot be read, or is empty.
    """
    path = Path(path).expanduser()
    try:
        mode = path.stat().st_mode
        token = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f'token file {path} cannot be read: {error}. Next: python -c "import secrets; '
            f'print(secrets.token_urlsafe())" > {path} && chmod 600 {path}'
        ) from error
    if not token:
        raise ConfigurationError(f'token file {path} is empty. Next: put a long random text in it')
    if mode & stat.S_IROTH:  # as the secrets of containers are: no reason to refuse
        _LOG.warning('token file %s can be read by everybody here: chmod 600 %s', path, path)
    return token


def same_token(expected: str, given: object) -> bool:
    """Compare in a time that tells nothing about where they differ."""
    return isinstance(given, str) and hmac.compare_digest(
        expected.encode(), given.encode('utf-8', 'surrogatepass')
    )
