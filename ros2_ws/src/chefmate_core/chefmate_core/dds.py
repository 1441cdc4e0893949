"""The environment that every ChefMate process needs for DDS: large images, and who finds whom.

One host is the default: the topics that move the arm do not leave the machine, and nobody else's
reach it.
"""

import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.errors import ConfigurationError

FAST_DDS_FILE = 'fastdds.xml'
CYCLONE_DDS_FILE = 'cyclonedds.xml'
# <segment_size> of fastdds.xml; what one process takes is a tenth more (measured: 35.7 MB).
SHARED_MEMORY_PER_PROCESS_BYTES = 36_000_000
SHARED_MEMORY = Path('/dev/shm')  # where Linux keeps POSIX shared memory

_PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'CYCLONEDDS_URI')


def dds_environment(
    config_dir: Path,
    *,
    two_hosts: bool = False,
    peers: Sequence[str] = (),
    interface_address: str = '',
    inherited: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the variables to add to the environment of every process.

    Args:
        config_dir: the folder of `fastdds.xml` and `cyclonedds.xml` (`<share>/chefmate/config`).
        two_hosts: find the processes of other machines in the subnet too.
        peers: addresses of the other machines, for networks that do not pass multicast.
        interface_address: this machine's address on the robot's network; only Cyclone DDS needs
            it, and with `peers` it is found out.
        inherited: the environment so far (`os.environ`). A profile that its owner chose stays.

    Two hosts without peer and interface find one another by Fast DDS's own multicast; Cyclone DDS
    then goes by its own defaults, as its profile needs an interface.

    Raises:
        ConfigurationError: a profile file is missing, a peer cannot be reached, or peers were
            given for one host.
    """
    if peers and not two_hosts:
        raise ConfigurationError(
            f'peers {", ".join(peers)} were given, but discovery is for this host only; '
            'ask for two hosts as well'
        )
    files = {name: config_dir / name for name in (FAST_DDS_FILE, CYCLONE_DDS_FILE)}
    for path in files.values():
        if not path.is_file():
            raise ConfigurationError(
                f'the DDS profile {path} is missing; build the workspace again, or give the '
                'folder that holds it'
            )
    variables = {
        'FASTRTPS_DEFAULT_PROFILES_FILE': str(files[FAST_DDS_FILE]),
        'CYCLONEDDS_URI': f'file://{files[CYCLONE_DDS_FILE]}',
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET' if two_hosts else 'LOCALHOST',
    }
    if two_hosts and (peers or interface_address):
        variables.update(_cyclone_variables(peers, interface_address))
    elif two_hosts:
        del variables['CYCLONEDDS_URI']
    if peers:
        variables['ROS_STATIC_PEERS'] = ';'.join(peers)
    for name in _PROFILE_VARIABLES:
        if (inherited or {}).get(name):
            variables.pop(name, None)
    return variables


def _cyclone_variables(peers: Sequence[str], interface_address: str) -> dict[str, str]:
    """Return what `cyclonedds.xml` reads, for two hosts."""
    variables = {
        'CHEFMATE_DDS_INTERFACE': interface_address or _address_towards(peers[0]),
        'CHEFMATE_DDS_MULTICAST': 'spdp',
    }
    if peers:
        variables['CHEFMATE_DDS_PEER'] = peers[0]
    return variables


def _address_towards(peer: str) -> str:
    """Return this machine's IPv4 address on the way to `peer`; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((peer, 9))
        except OSError as error:
            raise ConfigurationError(
                f'the peer {peer!r} cannot be reached: {error}. Give the address of a machine '
                'on the same network'
            ) from error
        return probe.getsockname()[0]


def shared_memory_diagnosis(processes: int, folder: Path = SHARED_MEMORY) -> Diagnosis:
    """Say whether `processes` more ChefMate processes fit into the machine's shared memory.

    Where they do not (a container's 64 MB), Fast DDS falls back to UDP without a word, and readers
    that take only the newest image lose half of them.
    """
    needed_bytes = processes * SHARED_MEMORY_PER_PROCESS_BYTES
    try:
        status = os.statvfs(folder)
    except OSError as error:
        return Diagnosis(Level.ERROR, f'no shared memory at {folder}: {error.strerror}')
    free_bytes = status.f_bavail * status.f_frsize
    values = {'free_mb': free_bytes / 1e6, 'needed_mb': needed_bytes / 1e6}
    if free_bytes >= needed_bytes:
        return Diagnosis(Level.OK, f'{free_bytes / 1e6:.0f} MB of shared memory free', values)
    return Diagnosis(
        Level.ERROR,
        f'{folder} has {free_bytes / 1e6:.0f} MB free, {processes} processes need '
        f'{needed_bytes / 1e6:.0f} MB: images will be lost. Free some, remount it larger '
        '(mount -o remount,size=1g), or start the container with --ipc=host or --shm-size=1g',
        values,
    )
