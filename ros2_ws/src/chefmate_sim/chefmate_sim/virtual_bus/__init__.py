"""Virtual STS3215 servos behind a pseudo-terminal: the driver cannot tell them from real ones."""

from chefmate_sim.virtual_bus.bus import VirtualServoBus
from chefmate_sim.virtual_bus.faults import Fault, FaultKind, Faults, Traffic
from chefmate_sim.virtual_bus.model import FirstOrderArm, ServoArmModel

__all__ = [
    'Fault',
    'FaultKind',
    'Faults',
    'FirstOrderArm',
    'ServoArmModel',
    'Traffic',
    'VirtualServoBus',
]
