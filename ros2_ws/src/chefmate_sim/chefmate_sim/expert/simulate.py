"""A policy against the kitchen, in process: no ROS, no wire, the same motion code.

Chunks go through the executor's timeline and the driver's safety gate, as they do on the robot, so
that their counters tell whether a plan is what the arm may do. Time is simulated time: a run is as
fast as the processor and the same seed gives the same run.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from chefmate_core.errors import PolicyError
from chefmate_core.joints import GRIPPER, JOINT_COUNT, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_core.joints import JOINT_NAMES as NAMES
from chefmate_core.motion.timeline import ChunkTimeline
from chefmate_core.policy.protocol import ActionChunk, Observation, Policy
from chefmate_core.safety.command import Command
from chefmate_core.safety.config import load_preset
from chefmate_core.safety.gate import SafetyGate
from chefmate_core.servo.readings import ArmHealth
from chefmate_sim.kitchen.world import KitchenWorld
from chefmate_sim.virtual_bus.servo import STALL_CURRENT_MA

CONTROL_PERIOD_S = 0.01
TELEMETRY_PERIOD_S = 0.1
SERVO_C, SUPPLY_V = 31.0, 7.4  # of every servo, always
# Of the servos' stall torque: the gripper has half, as LeRobot sets its Max_Torque_Limit (500).
TORQUE_FRACTION = np.where(np.arange(JOINT_COUNT) == GRIPPER, 0.5, 1.0)


@dataclass(frozen=True)
class SimulationConfig:
    """How the policy is connected. Times in s."""

    latency_s: float = 0.05  # from the observation to the chunk's arrival at the executor
    replan_period_s: float = 0.2
    settle_s: float = 0.5  # after the policy is done, before the run ends
    max_duration_s: float = 120.0
    preset: str = 'careful'  # of the safety gate


@dataclass
class SimulationResult:
    """What a run did."""

    done: bool  # the policy said so, in time
    reason: str  # why not, if not
    duration_s: float
    inference_s: list[float] = field(default_factory=list)  # of every call
    phases: list[tuple[float, str]] = field(default_factory=list)  # each one's begin
    gate: Counter = field(default_factory=Counter)
    timeline: Counter = field(default_factory=Counter)


class Simulation:
    """Runs one task; a disturbance may act on it between two control steps."""

    def __init__(
        self, world: KitchenWorld, policy: Policy, config: SimulationConfig | None = None
    ) -> None:
        self.world = world
        self.policy = policy
        self.config = config or SimulationConfig()
        self.timeline = ChunkTimeline()
        self.gate = SafetyGate(
            load_preset(self.config.preset), LOWER_LIMITS_RAD, UPPER_LIMITS_RAD, CONTROL_PERIOD_S
        )
        self.policy_is_running = True
        self.is_commanded = True  # whether the executor's goals arrive at the gate
        self.override: dict[int, float] = {}  # joint index -> rad: someone pushes the arm there
        self.last_chunk: ActionChunk | None = None
        # As on the robot, the arm has held for a while when a task begins.
        held_since_s = world.time_s - 2.0 * self.gate.config.first_motion_s
        self.gate.activate(world.joint_position_rad(), held_since_s)
        for index, fraction in enumerate(TORQUE_FRACTION):
            world.set_goal(index, world.joint_position_rad()[index])
            world.set_torque_limit(index, fraction)
        self._in_flight: deque[tuple[float, ActionChunk]] = deque()
        self._replan_s = world.time_s
        self._telemetry_due_s = world.time_s
        self._gripper_torque = float(TORQUE_FRACTION[GRIPPER])

    def run(
        self,
        instruction: str,
        on_step: Callable[['Simulation'], None] | None = None,
    ) -> SimulationResult:
        """Run the task to its end; `on_step` is called before every control step."""
        self.policy.reset(instruction)
        start_s = self.world.time_s
        result = SimulationResult(False, '', 0.0)
        ends_s = start_s + self.config.max_duration_s
        while self.world.time_s < ends_s:
            if on_step is not None:
                on_step(self)
            try:
                done = self._infer_if_due(instruction, result)
            except PolicyError as error:
                result.reason = str(error)
                break
            if done and not result.done:
                result.done = True
                ends_s = min(ends_s, self.world.time_s + self.config.settle_s)
            self._control_step()
        else:
            result.reason = '' if result.done else 'the task took too long'
        result.duration_s = self.world.time_s - start_s
        result.gate, result.timeline = self.gate.counters, self.timeline.counters
        return result

    @property
    def phase(self) -> str:
        """What the policy did at its last call."""
        return self.last_chunk.phase if self.last_chunk else ''

    def observe(self, instruction: str) -> Observation:
        """Return what the policy sees now."""
        return Observation(
            stamp_s=self.world.time_s,
            instruction=instruction,
            joint_position_rad=self.world.joint_position_rad(),
            joint_velocity_rad_s=self.world.joint_velocity_rad_s(),
            objects=self.world.object_poses(),
            speed=self.timeline.speed,
        )

    def _infer_if_due(self, instruction: str, result: SimulationResult) -> bool:
        now_s = self.world.time_s
        if not self.policy_is_running or now_s < self._replan_s - 1e-6:
            return False
        self._replan_s = now_s + self.config.replan_period_s
        chunk = self.last_chunk = self.policy.infer(self.observe(instruction))
        result.inference_s.append(chunk.timings_s.get('plan', 0.0))
        if not result.phases or result.phases[-1][1] != chunk.phase:
            result.phases.append((now_s, chunk.phase))
        self._in_flight.append((now_s + self.config.latency_s, chunk))
        return chunk.done

    def _control_step(self) -> None:
        now_s, measured = self.world.time_s, self.world.joint_position_rad()
        while self._in_flight and self._in_flight[0][0] <= now_s + 1e-6:
            _, chunk = self._in_flight.popleft()
            self.timeline.add(
                chunk.stamp_s, chunk.positions_rad, chunk.period_s, now_s, measured, chunk.done
            )
        goal = self.timeline.sample(now_s)
        if goal is not None and self.is_commanded:
            self.gate.command(
                Command(NAMES, goal.position_rad.tolist(), now_s, 'executor'), now_s, now_s
            )
        if now_s >= self._telemetry_due_s:
            self._telemetry_due_s = now_s + TELEMETRY_PERIOD_S
            self.gate.observe(self._health(), self.world.joint_velocity_rad_s(), now_s)
            self.timeline.set_speed(self.gate.speed, now_s)
        setpoint = self.gate.step(measured, now_s)
        gripper_torque = setpoint.gripper_torque or float(TORQUE_FRACTION[GRIPPER])
        if gripper_torque != self._gripper_torque:
            self._gripper_torque = gripper_torque
            self.world.set_torque_limit(GRIPPER, gripper_torque)
        for index, position_rad in enumerate(setpoint.position_rad):
            self.world.set_goal(index, self.override.get(index, float(position_rad)))
        self.world.advance(CONTROL_PERIOD_S)

    def _health(self) -> ArmHealth:
        """What the servos would report: their load; they are cool and have power."""
        load = self.world.load_fraction()
        return ArmHealth(
            temperature_c=np.full(JOINT_COUNT, SERVO_C),
            voltage_v=np.full(JOINT_COUNT, SUPPLY_V),
            load_fraction=load,
            current_ma=load * STALL_CURRENT_MA,
            status_bits=np.zeros(JOINT_COUNT, dtype=int),
            moving=np.abs(self.world.joint_velocity_rad_s()) > 0.0,
            steady_time_s=self.world.time_s,
            age_s=np.zeros(JOINT_COUNT),
        )
