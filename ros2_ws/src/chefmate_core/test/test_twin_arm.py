"""The driver's own loop and gate, with an arm in a simulator."""

import threading
import time

import numpy as np
import pytest

from chefmate_core.driver.arm_driver import ArmDriver, DriverState
from chefmate_core.errors import BusError
from chefmate_core.joints import JOINT_NAMES, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_core.safety.command import Command
from chefmate_core.safety.config import load_preset
from chefmate_core.safety.gate import Mode, SafetyGate
from chefmate_core.servo.errors import GoalError, ServoSilentError
from chefmate_core.twin.arm import TwinArm

START_RAD = np.array([0.1, -0.3, 0.4, 0.2, 0.0, 0.3])
RATE_HZ = 60.0


class Simulator:
    """Ideal servos: the arm is where it was last told to be, and says so 200 times a second."""

    def __init__(self):
        self.position_rad = START_RAD.copy()
        self.goals = []
        self.speaks = True
        self.arm = TwinArm('isaac_joint_states', self._take, silent_s=0.5)
        self.arm.receive(self.position_rad, time.monotonic())
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._speak, daemon=True)
        self._thread.start()

    def _take(self, goal_rad):
        self.goals.append((time.monotonic(), goal_rad))
        self.position_rad = goal_rad.copy()

    def _speak(self):
        while not self._stop.wait(0.005):
            if self.speaks:
                self.arm.receive(self.position_rad, time.monotonic())

    def close(self):
        self._stop.set()
        self._thread.join()


@pytest.fixture
def simulator():
    simulator = Simulator()
    yield simulator
    simulator.close()


@pytest.fixture
def driver(simulator):
    gate = SafetyGate(load_preset('careful'), LOWER_LIMITS_RAD, UPPER_LIMITS_RAD, 1 / RATE_HZ)
    driver = ArmDriver(simulator.arm, gate, RATE_HZ)
    driver.start()
    driver.engage()
    yield driver
    driver.stop(torque_off=False)


def until(condition, what):
    end_s = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < end_s, what
        time.sleep(0.005)


def command_until(driver, target_rad, condition, what):
    end_s = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < end_s, what
        driver.command(Command(JOINT_NAMES, list(target_rad), time.time(), 'test'))
        time.sleep(0.01)


def test_it_begins_where_the_simulated_arm_is(simulator, driver):
    until(lambda: len(simulator.goals) > 10, 'goals')
    assert np.stack([goal for _, goal in simulator.goals]) == pytest.approx(
        np.tile(START_RAD, (len(simulator.goals), 1)), abs=1e-6
    )
    assert driver.gate.mode is Mode.HOLDING


def test_a_command_goes_through_the_gate_at_its_speed(simulator, driver):
    target = START_RAD + np.array([0.8, 0, 0, 0, 0, 0])
    command_until(
        driver, target, lambda: np.allclose(simulator.position_rad, target, atol=0.01), 'arrival'
    )
    positions = np.stack([goal for _, goal in simulator.goals])
    fastest_step_rad = np.max(np.abs(np.diff(positions, axis=0)))
    # After a stall of the loop one step is longer: as long as the gate lets it be.
    cap_rad_s = driver.gate.config.max_velocity_rad_s[0]
    assert fastest_step_rad <= cap_rad_s * driver.gate.config.longest_step_cycles / RATE_HZ
    assert len(positions) > 20


@pytest.mark.parametrize(
    'wrong', [[np.nan] * 6, [np.inf] * 6, [100.0] * 5]
)  # fmt: skip
def test_rubbish_never_reaches_the_simulator(simulator, driver, wrong):
    for _ in range(20):
        driver.command(Command(JOINT_NAMES, wrong, time.time(), 'test'))
        time.sleep(0.01)
    until(lambda: sum(driver.gate.counters.values()) >= 20, 'judgement')
    assert np.stack([goal for _, goal in simulator.goals]) == pytest.approx(
        np.tile(START_RAD, (len(simulator.goals), 1)), abs=1e-6
    )
    assert driver.gate.counters['accepted'] == 0


def test_two_states_that_arrive_at_almost_the_same_time_show_no_great_speed():
    arm = TwinArm('isaac_joint_states', lambda goal_rad: None, 0.5, clock=lambda: arrival_s)
    speeds = []
    for number in range(60):
        arrival_s = 100.0 + number / 60
        if number % 10 == 0:  # held up until just before the next one
            arrival_s += 1 / 60 - 2e-5
        arm.receive(np.full(6, 0.5 * number / 60), arrival_s)
        speeds.append(arm.read().velocity_rad_s[0])
    assert max(speeds) < 1.0
    assert speeds[-1] == pytest.approx(0.5)


def test_the_emergency_stop_stands_and_its_release_moves_nothing(simulator, driver):
    target = START_RAD + np.array([1.2, 0, 0, 0, 0, 0])
    command_until(driver, target, lambda: simulator.position_rad[0] > 0.3, 'motion')
    driver.set_estop(True)
    until(lambda: not np.any(np.abs(np.diff([g for _, g in simulator.goals[-5:]], axis=0)) > 0),
          'a stand')  # fmt: skip
    stood_rad = simulator.position_rad.copy()
    for _ in range(30):
        driver.command(Command(JOINT_NAMES, list(target), time.time(), 'test'))
        time.sleep(0.01)
    time.sleep(0.3)  # the last command is too old for the gate now
    driver.set_estop(False)
    time.sleep(0.2)
    assert simulator.position_rad == pytest.approx(stood_rad, abs=0.01)
    assert stood_rad[0] < target[0] - 0.05


def test_a_silent_simulator_is_a_lost_arm_and_its_return_is_a_fresh_start(simulator, driver):
    simulator.speaks = False
    until(lambda: driver.state is DriverState.LOST, 'loss')
    simulator.position_rad = START_RAD + 0.2  # somebody moved it meanwhile
    simulator.speaks = True
    until(lambda: driver.state is DriverState.DRIVING, 'return')
    until(lambda: driver.gate.mode is Mode.HOLDING, 'hold')
    assert simulator.position_rad == pytest.approx(START_RAD + 0.2, abs=0.01)


def test_servos_that_have_no_temperature_do_not_make_the_arm_slow(simulator, driver):
    until(lambda: driver.health is not None, 'telemetry')
    time.sleep(2.5)  # longer than a real arm may be without telemetry
    assert driver.gate.health.findings() == []
    assert driver.gate.speed == 1.0
    assert np.isnan(driver.health.temperature_c).all()


def test_a_simulator_that_never_spoke_is_no_arm():
    arm = TwinArm('isaac_joint_states', lambda goal: None, silent_s=0.5)
    with pytest.raises(ServoSilentError, match=r'isaac_joint_states.*never spoken.*timeline'):
        arm.connect()
    assert issubclass(ServoSilentError, BusError)


def test_states_that_are_too_old_by_their_stamps_are_no_arm():
    arm = TwinArm('isaac_joint_states', lambda goal: None, silent_s=0.5)
    arm.receive(START_RAD, time.monotonic() - 2.0)
    with pytest.raises(ServoSilentError, match=r'2\.0 s behind'):
        arm.read()


def test_a_goal_that_is_no_number_is_refused():
    arm = TwinArm('isaac_joint_states', lambda goal: None, silent_s=0.5)
    with pytest.raises(GoalError):
        arm.write_goal(np.full(6, np.nan))


def test_velocities_come_from_two_states():
    arm = TwinArm('isaac_joint_states', lambda goal: None, silent_s=0.5)
    now_s = time.monotonic()
    arm.receive(START_RAD, now_s - 0.05)
    arm.receive(START_RAD + 0.04, now_s - 0.01)
    assert arm.read().velocity_rad_s == pytest.approx(np.full(6, 1.0))


class Clock:
    """Seconds that pass when told to."""

    now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.mark.parametrize(
    ('heard_rad', 'told_rad', 'back_rad', 'held_rad'),
    [
        (0.35, 0.0, 0.36, 0.0),  # it gripped a slice, and does so still
        (1.2, 0.0, 0.35, 0.0),  # it was closing, and has gripped meanwhile
        (0.35, 0.0, 1.2, 1.2),  # it is another simulation's: open
        (0.35, 1.5, 0.4, 0.4),  # it was opening: the rest of the way is no grip
    ],
)
def test_after_a_silence_the_gripper_grips_on_and_nothing_else_moves(
    heard_rad, told_rad, back_rad, held_rad
):
    goals, clock = [], Clock()
    arm = TwinArm('isaac_joint_states', goals.append, silent_s=0.5, clock=clock)
    arm.receive(np.append(START_RAD[:5], heard_rad), clock.now_s)
    arm.set_torque(True)
    for part in (0.5, 1.0):  # told step by step, also while nothing is heard any more
        arm.write_goal(np.append(START_RAD[:5], heard_rad + part * (told_rad - heard_rad)))
        clock.now_s += 0.35
    with pytest.raises(ServoSilentError):
        arm.read()
    sagged = START_RAD[:5] + 0.02
    arm.receive(np.append(sagged, back_rad), clock.now_s)
    arm.reconnect()
    assert np.array_equal(arm.hold(), np.append(sagged, held_rad))
    assert np.array_equal(goals[-1], np.append(sagged, held_rad))


def test_without_torque_before_nothing_is_gripped():
    goals, clock = [], Clock()
    arm = TwinArm('isaac_joint_states', goals.append, silent_s=0.5, clock=clock)
    arm.receive(START_RAD, clock.now_s)
    arm.set_torque(True)
    arm.write_goal(np.append(START_RAD[:5], 0.0))
    arm.set_torque(False)
    assert np.array_equal(arm.hold(), START_RAD)
