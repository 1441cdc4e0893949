"""Who finds whom, from the variables that ROS 2 reads, as a configuration of Cyclone DDS.

A process without ROS has no share folder, so that the configuration is made here; what concerns
large messages agrees with `cyclonedds.xml` of the package chefmate (a test compares them).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from chefmate_core.errors import ConfigurationError

LARGEST_DOMAIN = 232  # its ports end below 65536
_RANGES = ('LOCALHOST', 'SUBNET', 'SYSTEM_DEFAULT')
_LOOPBACK = '127.0.0.1'

_LARGE_MESSAGES = """
      <MaxMessageSize>65500B</MaxMessageSize>"""
_INTERNAL = """
    <Internal>
      <SocketReceiveBufferSize min="default" max="4MB"/>
      <Watermarks><WhcHigh>4MB</WhcHigh></Watermarks>
    </Internal>"""


@dataclass(frozen=True)
class Discovery:
    """A domain, and the configuration of Cyclone DDS for it."""

    domain: int
    xml: str | None  # None: Cyclone DDS reads CYCLONEDDS_URI, or goes by its own defaults


def discovery(environment: Mapping[str, str] | None = None) -> Discovery:
    """Return domain and configuration as the environment asks for them.

    `ROS_DOMAIN_ID`: as everywhere, 0 by default. `CYCLONEDDS_URI`: its owner's configuration is
    taken as it is, and nothing below counts. `ROS_AUTOMATIC_DISCOVERY_RANGE`: `LOCALHOST` (the
    default here, as ChefMate's shell has it), `SUBNET`, or `SYSTEM_DEFAULT`.
    `ROS_STATIC_PEERS`: addresses of other machines, joined by `;`. `CHEFMATE_DDS_INTERFACE`: this
    machine's address on the robot's network, where there are several networks.

    Args:
        environment: `os.environ` by default.

    Raises:
        ConfigurationError: a value that cannot be followed.
    """
    variables = os.environ if environment is None else environment
    domain = _domain(variables.get('ROS_DOMAIN_ID', ''))
    if variables.get('CYCLONEDDS_URI'):
        return Discovery(domain, None)
    only_here = variables.get('ROS_LOCALHOST_ONLY') == '1'
    wanted = variables.get('ROS_AUTOMATIC_DISCOVERY_RANGE') or 'LOCALHOST'
    peers = [peer for peer in variables.get('ROS_STATIC_PEERS', '').split(';') if peer.strip()]
    if wanted not in _RANGES:
        reason = (
            'no process would ever be found' if wanted == 'OFF' else 'that is not a range of ROS 2'
        )
        raise ConfigurationError(
            f'ROS_AUTOMATIC_DISCOVERY_RANGE is {wanted!r}: {reason}; expected one of '
            f'{", ".join(_RANGES)}'
        )
    if wanted == 'SYSTEM_DEFAULT' and not only_here:
        return Discovery(domain, None)
    if wanted == 'LOCALHOST' or only_here:
        if peers:
            raise ConfigurationError(
                f'ROS_STATIC_PEERS names {", ".join(peers)}, but discovery is for this host only; '
                'set ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET as well'
            )
        return Discovery(domain, _xml(interface=_LOOPBACK, multicast='false', peers=[_LOOPBACK]))
    interface = variables.get('CHEFMATE_DDS_INTERFACE', '')
    return Discovery(domain, _xml(interface=interface, multicast='spdp', peers=peers))


def _domain(text: str) -> int:
    """Return the number of the domain."""
    if not text:
        return 0
    if not text.isdecimal() or int(text) > LARGEST_DOMAIN:
        raise ConfigurationError(
            f'ROS_DOMAIN_ID is {text!r}; expected a number from 0 to {LARGEST_DOMAIN}'
        )
    return int(text)


def _xml(*, interface: str, multicast: str, peers: list[str]) -> str:
    """Return the configuration; `interface` empty: Cyclone DDS chooses."""
    chosen = (
        f'<Interfaces><NetworkInterface address={quoteattr(interface)}/></Interfaces>'
        if interface
        else ''
    )
    # With peers, or without multicast, a process is found by its number: the port follows from it.
    numbered = (
        '<ParticipantIndex>auto</ParticipantIndex>'
        '<MaxAutoParticipantIndex>64</MaxAutoParticipantIndex>'
        f'<Peers>{"".join(f"<Peer address={quoteattr(peer.strip())}/>" for peer in peers)}</Peers>'
        if peers
        else ''
    )
    return f"""<CycloneDDS xmlns="https://cdds.io/config">
  <Domain Id="any">
    <General>
      {chosen}
      <AllowMulticast>{multicast}</AllowMulticast>{_LARGE_MESSAGES}
    </General>
    <Discovery>{numbered}</Discovery>{_INTERNAL}
  </Domain>
</CycloneDDS>
"""
