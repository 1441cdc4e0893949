"""The parameters of `viewer_node`."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from rclpy.node import Node

from chefmate_core.errors import ConfigurationError
from chefmate_ros.parameters import declare

# The scripted expert's own list (chefmate_sim.expert.language): examples, until the policy that
# runs names those that it knows. A test holds the two lists together.
KNOWN_TASKS = [
    'pick up the bread slice and place it on the plate',
    'pick up the second bread slice and place it on the plate',
    'pick up the cheese slice and place it on the plate',
    'pick up the patty and place it on the plate',
    'make a sandwich',
    'make a cheese sandwich',
]
TOKEN_VARIABLE = 'CHEFMATE_VIEW_TOKEN'
LONGEST_TOKEN_FILE_BYTES = 4096


@dataclass(frozen=True)
class ViewerParameters:
    """What the node works with."""

    host: str
    port: int
    token: str | None
    control: bool
    dark_mode: bool
    rate_hz: float
    max_duration_s: float
    known_tasks: tuple[str, ...]


def declared_parameters(node: Node) -> ViewerParameters:
    """Declare and check.

    Raises:
        ConfigurationError: the token's file cannot be read.
    """
    token_file = declare(
        node, 'token_file', '', f'File with the token, for other hosts; or set {TOKEN_VARIABLE}.'
    )
    return ViewerParameters(
        host=declare(node, 'host', 'localhost', 'Address to serve at; others need a token.'),
        port=declare(node, 'port', 8080, 'First port to try; the next free one is taken.'),
        token=read_token(token_file),
        control=declare(
            node, 'control', False, 'Whether the page may start tasks, record, release the stop.'
        ),
        dark_mode=declare(node, 'dark_mode', False, 'Light writing on dark.'),
        rate_hz=declare(node, 'rate_hz', 30.0, 'How often the arm is drawn, Hz.', (1.0, 60.0)),
        max_duration_s=declare(
            node, 'max_duration_s', 300.0, 'A task started here is given up after this, s.',
            (1.0, 3600.0),
        ),
        known_tasks=tuple(
            declare(node, 'known_tasks', KNOWN_TASKS, 'Tasks offered until the policy names its.')
        ),
    )  # fmt: skip


def robot_name(namespace: str) -> str:
    """Return what tells this robot from others, for people and for pages that come back."""
    domain = os.environ.get('ROS_DOMAIN_ID') or '0'
    name = f'{socket.gethostname()}, domain {domain}'
    return name if namespace == '/' else f'{name}, {namespace}'


def read_token(path: str) -> str | None:
    """Return the token of a file, or of the environment, or None; it is never a parameter.

    Parameters can be read by everybody on the ROS graph, and arguments by everybody on the host.

    Raises:
        ConfigurationError: the file cannot be read or is empty.
    """
    if not path:
        return os.environ.get(TOKEN_VARIABLE) or None
    try:
        with Path(path).expanduser().open(encoding='utf-8') as file:
            token = file.read(LONGEST_TOKEN_FILE_BYTES).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f'token file {path}: {error}. Next: write a token into it: '
            'python3 -c "import secrets; print(secrets.token_urlsafe())" > FILE'
        ) from error
    if not token:
        raise ConfigurationError(f'token file {path} is empty: write a token into it')
    return token
