"""`metadata.yaml` of a rosbag2 folder, version 9, as ROS 2 Jazzy writes it.

Source: ros2/rosbag2, branch jazzy, rosbag2_storage/include/rosbag2_storage/yaml.hpp.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from chefmate_core.qos_table import QosRow

FILE_NAME = 'metadata.yaml'
VERSION = 9
# What rmw has for "no limit": 2**63 - 1 ns.
INFINITE = {'sec': 9223372036, 'nsec': 854775807}


@dataclass
class Channel:
    """One topic of a bag, and how many messages it has."""

    topic: str
    type_name: str
    type_hash: str
    offered_qos_profiles: str  # YAML, as the MCAP channel carries it
    message_count: int = 0


@dataclass
class Extent:
    """How many messages a bag has, and from when to when they were received."""

    message_count: int = 0
    start_ns: int = 0
    end_ns: int = 0

    def add(self, log_ns: int) -> None:
        """Count one message."""
        self.start_ns = min(self.start_ns, log_ns) if self.message_count else log_ns
        self.end_ns = max(self.end_ns, log_ns)
        self.message_count += 1


def qos_profiles(row: QosRow) -> str:
    """Return the YAML text of the one profile that a topic's writers offer."""
    deadline_ns = None if row.deadline_s is None else round(row.deadline_s * 1e9)
    profile = {
        'history': 'keep_last',
        'depth': row.depth,
        'reliability': row.reliability.value,
        'durability': row.durability.value,
        'deadline': INFINITE
        if deadline_ns is None
        else {'sec': deadline_ns // 10**9, 'nsec': deadline_ns % 10**9},
        'lifespan': INFINITE,
        'liveliness': 'automatic',
        'liveliness_lease_duration': INFINITE,
        'avoid_ros_namespace_conventions': False,
    }
    return _dump([profile]).strip()


def metadata_yaml(
    file_name: str, channels: list[Channel], extent: Extent, custom_data: Mapping[str, str]
) -> str:
    """Return the file's content for a bag of one MCAP file."""
    start = {'nanoseconds_since_epoch': extent.start_ns}
    duration = {'nanoseconds': extent.end_ns - extent.start_ns}
    return _dump(
        {
            'rosbag2_bagfile_information': {
                'version': VERSION,
                'storage_identifier': 'mcap',
                'duration': duration,
                'starting_time': start,
                'message_count': extent.message_count,
                'topics_with_message_count': [
                    {
                        'topic_metadata': {
                            'name': channel.topic,
                            'type': channel.type_name,
                            'serialization_format': 'cdr',
                            'offered_qos_profiles': yaml.safe_load(channel.offered_qos_profiles),
                            'type_description_hash': channel.type_hash,
                        },
                        'message_count': channel.message_count,
                    }
                    for channel in channels
                ],
                'compression_format': '',
                'compression_mode': '',
                'relative_file_paths': [file_name],
                'files': [
                    {
                        'path': file_name,
                        'starting_time': start,
                        'duration': duration,
                        'message_count': extent.message_count,
                    }
                ],
                'custom_data': dict(custom_data) or None,
                'ros_distro': 'jazzy',
            }
        }
    )


class _Dumper(yaml.SafeDumper):
    """Repeats what is repeated: yaml-cpp reads anchors, people rather not."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


def _dump(content: object) -> str:
    return yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True
    )
