"""How ROS 2 names its topics and types on the wire of DDS.

Source: https://design.ros2.org/articles/topic_and_service_names.html, which every ROS 2
middleware of a DDS vendor follows.
"""

import re

from chefmate_core.errors import ConfigurationError

_TOPIC_PREFIX = 'rt'  # services have rq and rr, actions topics and services of their own
_NAME = re.compile(r'/?[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*')
_TYPE_ON_THE_WIRE = re.compile(r'(\w+)::(msg|srv|action)::dds_::(\w+)_')


def resolved(name: str, namespace: str = '/') -> str:
    """Return the full name of a topic, as `ros2 topic list` shows it.

    Args:
        name: relative (`joint_states`) or full (`/joint_states`).
        namespace: what a relative name is in, such as `/` or `/left`.

    Raises:
        ConfigurationError: `name` or `namespace` is not a name of ROS.
    """
    if not _NAME.fullmatch(name) or '__' in name:
        raise ConfigurationError(
            f'{name!r} is not the name of a topic; expected words of letters, digits and single '
            'underscores, none of which begins with a digit, joined by "/"'
        )
    if name.startswith('/'):
        return name
    if namespace in ('', '/'):
        return f'/{name}'
    if not _NAME.fullmatch(namespace):
        raise ConfigurationError(f'{namespace!r} is not a namespace; expected one such as "/left"')
    return f'/{namespace.strip("/")}/{name}'


def dds_topic(full_name: str) -> str:
    """Return the topic of DDS that carries the messages of a ROS topic with this full name."""
    return f'{_TOPIC_PREFIX}{full_name}'


def ros_type(dds_type: str) -> str:
    """Return `sensor_msgs/msg/JointState` of `sensor_msgs::msg::dds_::JointState_`.

    A type that is not of ROS is returned as it is.
    """
    match = _TYPE_ON_THE_WIRE.fullmatch(dds_type)
    return '/'.join(match.groups()) if match else dds_type
