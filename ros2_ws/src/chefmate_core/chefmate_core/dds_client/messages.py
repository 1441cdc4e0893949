"""The messages of ROS 2 that this client speaks, as cyclonedds has them.

Fields, their order and their types are those of the ROS 2 definitions (common_interfaces,
rcl_interfaces and rosgraph at Jazzy); a test holds them to the installed packages. Units as on
every topic: rad, rad/s, Nm, metres. Strings are UTF-8.

cyclonedds reads the annotations of these classes at run time: none may be postponed here.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cyclonedds.idl import IdlStruct
from cyclonedds.idl.types import float64, int32, sequence, uint32

if TYPE_CHECKING:  # what a sequence is in Python; type checkers know cyclonedds's as a class
    Strings = list[str]
    Floats = list[float]
else:
    Strings = sequence[str]
    Floats = sequence[float64]


@dataclass
class Time(IdlStruct, typename='builtin_interfaces.msg.dds_.Time_'):
    """A point in time: whole seconds and nanoseconds since the clock's beginning."""

    sec: int32 = 0
    nanosec: uint32 = 0


@dataclass
class Duration(IdlStruct, typename='builtin_interfaces.msg.dds_.Duration_'):
    """A length of time: whole seconds and nanoseconds."""

    sec: int32 = 0
    nanosec: uint32 = 0


@dataclass
class Header(IdlStruct, typename='std_msgs.msg.dds_.Header_'):
    """When and in which frame what follows was measured."""

    stamp: Time = field(default_factory=Time)
    frame_id: str = ''


@dataclass
class Bool(IdlStruct, typename='std_msgs.msg.dds_.Bool_'):
    """std_msgs/Bool."""

    data: bool = False


@dataclass
class String(IdlStruct, typename='std_msgs.msg.dds_.String_'):
    """std_msgs/String."""

    data: str = ''


@dataclass
class Clock(IdlStruct, typename='rosgraph_msgs.msg.dds_.Clock_'):
    """rosgraph_msgs/Clock: the time of a simulation."""

    clock: Time = field(default_factory=Time)


@dataclass
class JointState(IdlStruct, typename='sensor_msgs.msg.dds_.JointState_'):
    """sensor_msgs/JointState: rad, rad/s, Nm; arrays are as long as `name`, or empty."""

    header: Header = field(default_factory=Header)
    name: Strings = field(default_factory=list)
    position: Floats = field(default_factory=list)
    velocity: Floats = field(default_factory=list)
    effort: Floats = field(default_factory=list)


@dataclass
class JointTrajectoryPoint(IdlStruct, typename='trajectory_msgs.msg.dds_.JointTrajectoryPoint_'):
    """trajectory_msgs/JointTrajectoryPoint: one row of a chunk."""

    positions: Floats = field(default_factory=list)
    velocities: Floats = field(default_factory=list)
    accelerations: Floats = field(default_factory=list)
    effort: Floats = field(default_factory=list)
    time_from_start: Duration = field(default_factory=Duration)


if TYPE_CHECKING:
    Points = list[JointTrajectoryPoint]
else:
    Points = sequence[JointTrajectoryPoint]


@dataclass
class JointTrajectory(IdlStruct, typename='trajectory_msgs.msg.dds_.JointTrajectory_'):
    """trajectory_msgs/JointTrajectory: a chunk; its stamp is that of the observation."""

    header: Header = field(default_factory=Header)
    joint_names: Strings = field(default_factory=list)
    points: Points = field(default_factory=list)
