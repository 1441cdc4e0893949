"""ROS node names and namespaces: joining and checking, without rclpy."""

import re

from chefmate.launching.errors import LaunchFileError

_TOKEN = re.compile(r'[A-Za-z_][A-Za-z0-9_]*')


def join_namespace(outer: str | None, inner: str | None) -> str | None:
    """Return `inner` inside `outer`; an absolute `inner` stands for itself; None: not given."""
    if inner is None:
        joined = outer
    elif not outer or inner.startswith('/'):
        joined = inner
    else:
        joined = f'{outer.rstrip("/")}/{inner}'
    if joined is None or joined == '/':
        return joined
    return joined.rstrip('/')


def absolute_namespace(namespace: str | None) -> str | None:
    """Return the namespace with its leading slash.

    Raises:
        LaunchFileError: ROS would not accept it.
    """
    if namespace is None:
        return None
    absolute = namespace if namespace.startswith('/') else f'/{namespace}'
    if absolute != '/' and not all(map(_TOKEN.fullmatch, absolute[1:].split('/'))):
        raise LaunchFileError(
            f'namespace {namespace!r} is not valid; each part between slashes holds letters, '
            f'digits and _, and does not begin with a digit'
        )
    return absolute


def checked_node_name(name: str) -> str:
    """Return `name`, or raise LaunchFileError where ROS would not accept it."""
    if not _TOKEN.fullmatch(name):
        raise LaunchFileError(
            f'node name {name!r} is not valid; it holds letters, digits and _, and does not '
            f'begin with a digit'
        )
    return name
