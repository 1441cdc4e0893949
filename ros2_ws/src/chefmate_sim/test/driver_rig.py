"""The driver's loop in real time, on a virtual arm of its own."""

import dataclasses
import time

import numpy as np
from virtual_arm import CALIBRATION

from chefmate_core.driver.arm_driver import ArmDriver
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.safety.command import Command
from chefmate_core.safety.config import load_preset
from chefmate_core.safety.gate import SafetyGate
from chefmate_core.servo.arm import FeetechArm
from chefmate_core.servo.registers import TORQUE_ENABLE
from chefmate_sim.virtual_bus import FirstOrderArm, VirtualServoBus

RATE_HZ = 100.0
CAREFUL = load_preset('careful')


def new_driver(port, calibration=CALIBRATION, estop_mode='hold', **callbacks):
    """A driver of the arm at a port, not started."""
    gate = SafetyGate(
        dataclasses.replace(CAREFUL, estop_mode=estop_mode),
        calibration.lower_limits_rad,
        calibration.upper_limits_rad,
        1 / RATE_HZ,
    )
    return ArmDriver(FeetechArm(str(port), calibration), gate, RATE_HZ, **callbacks)


class Rig:
    """A driver on a virtual arm, and what it published."""

    start_rad = np.full(6, 0.2)

    def __init__(self, link, estop_mode='hold', calibration=CALIBRATION):
        self.model = FirstOrderArm(self.start_rad)
        self.bus = VirtualServoBus(self.model, calibration, link)
        self.readings, self.setpoints, self.estops = [], [], []
        self.driver = new_driver(
            link,
            calibration,
            estop_mode,
            on_reading=self.readings.append,
            on_setpoint=self.setpoints.append,
            on_estop=self.estops.append,
        )

    def command(self, positions, source='test'):
        self.driver.command(Command(JOINT_NAMES, positions, time.time(), source))

    def stream(self, positions, seconds):
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self.command(positions)
            time.sleep(0.01)

    def torque(self):
        """Whether any servo has torque on, as the servos themselves know it."""
        return any(servo.memory.get(TORQUE_ENABLE) for servo in self.bus.servos)

    def close(self):
        self.bus.clear_faults()
        self.driver.stop(torque_off=True)
        self.bus.close()
