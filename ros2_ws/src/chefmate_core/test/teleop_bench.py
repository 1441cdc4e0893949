"""A hand on a leader, teleoperation and the follower's safety gate, with one clock."""

from pathlib import Path

import numpy as np
from gate_bench import CONFIG, WALL_S, Bench

from chefmate_core.calibration import ArmCalibration
from chefmate_core.joints import JOINT_NAMES, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_core.motion.reach import Reach
from chefmate_core.teleop.clutch import Clutch
from chefmate_core.teleop.config import TeleopConfig
from chefmate_core.teleop.jog import JogConfig, JogTeleop
from chefmate_core.teleop.leader import LeaderTeleop
from chefmate_core.teleop.range_map import RangeMap

FOLDER = Path(__file__).resolve().parents[4] / 'calibration'
FOLLOWER = ArmCalibration.load(FOLDER / 'follower.json')
LEADER = ArmCalibration.load(FOLDER / 'leader.json')
MAPPING = RangeMap(LEADER, FOLLOWER)
TELEOP = TeleopConfig()
STILL = np.zeros(6)


def reach(leash_rad=TELEOP.leash_rad):
    margin = CONFIG.limit_margin_rad
    return Reach(
        CONFIG.max_velocity_rad_s, LOWER_LIMITS_RAD + margin, UPPER_LIMITS_RAD - margin, leash_rad
    )


class _Rig:
    """The follower's gate, and a cycle in which it hears of commands and tells what it does."""

    def __init__(self, start, config):
        self.bench = Bench(start, config)
        self.bench.step(60)  # torque has been on for a while
        self.commands = []

    @property
    def gate(self):
        return self.bench.gate

    @property
    def position(self):
        return self.bench.position

    def tell(self):
        self.teleop.follower.applied(self.position, str(self.gate.mode), self.bench.now_s)

    def cycle(self, command):
        if command is not None:
            self.commands.append(command)
            age_s = WALL_S + self.bench.now_s - command.stamp_s
            self.bench.send(
                command.goal.position_rad, JOINT_NAMES, age_s=age_s, source=command.source
            )
        self.bench.step()
        self.tell()


class LeaderRig(_Rig):
    """The hand is given in the follower's joints, as the hand sees them."""

    def __init__(self, start=0.0, config=CONFIG, engaged=True):
        super().__init__(start, config)
        self.clutch = Clutch('leader', engaged)
        self.teleop = LeaderTeleop(MAPPING, reach(), self.clutch, TELEOP)
        self.tell()

    def read(self, wanted, age_s=0.001, vectors='hand'):
        if vectors == 'hand':
            wanted = np.broadcast_to(np.asarray(wanted, dtype=float), (6,))
            vectors = (MAPPING.to_leader(wanted), STILL)
        clock_s = WALL_S + self.bench.now_s
        return self.teleop.read(clock_s - age_s, vectors, clock_s, self.bench.now_s)

    def hand(self, wanted, cycles=1):
        """The hand holds the leader there, or moves it: a function of the time since now."""
        begun_s = self.bench.now_s
        for _ in range(cycles):
            place = wanted(self.bench.now_s - begun_s) if callable(wanted) else wanted
            self.cycle(self.read(place))

    def unplug(self, cycles):
        for _ in range(cycles):
            self.cycle(None)


class JogRig(_Rig):
    """A terminal that repeats its keys, or does not."""

    def __init__(self, start=0.0, config=CONFIG):
        super().__init__(start, config)
        self.clutch = Clutch('keyboard', True)
        self.teleop = JogTeleop(reach(0.1), self.clutch, TELEOP, JogConfig())
        self.tell()

    def press(self, names, velocities, age_s=0.0):
        return self.teleop.jog(names, velocities, self.bench.now_s, age_s)

    def run(self, cycles):
        for _ in range(cycles):
            clock_s = WALL_S + self.bench.now_s
            self.cycle(self.teleop.sample(clock_s, self.bench.now_s))

    def hold(self, names, velocities, seconds):
        """A held key that repeats 33 times a second."""
        for _ in range(round(seconds / 0.03)):
            assert self.press(names, velocities) is None
            self.run(3)
