"""The scripted leader: its follower does the task by following, in simulated time."""

import numpy as np
import pytest
from virtual_arm import CALIBRATION, LEADER, Clock

from chefmate_core.diagnosis import Level
from chefmate_core.geometry import Pose
from chefmate_core.joints import JOINT_NAMES, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_core.motion.reach import Reach
from chefmate_core.safety.command import Command
from chefmate_core.safety.config import load_preset
from chefmate_core.safety.gate import SafetyGate
from chefmate_core.teleop.clutch import Clutch
from chefmate_core.teleop.config import TeleopConfig
from chefmate_core.teleop.leader import LeaderTeleop
from chefmate_core.teleop.range_map import RangeMap
from chefmate_description.scene import HOME_POSITION_RAD
from chefmate_sim.expert.language import parse_instruction
from chefmate_sim.expert.policy import ExpertPolicy
from chefmate_sim.expert.simulate import TORQUE_FRACTION
from chefmate_sim.kitchen.judge import judge
from chefmate_sim.kitchen.world import KitchenWorld
from chefmate_sim.leader.hand_held_arm import HandHeldArm
from chefmate_sim.leader.scripted import Scene, ScriptedLeader

BREAD = 'pick up the bread slice and place it on the plate'
PRESET = load_preset('careful')
STEP_S = 0.01


class Studio:
    """Kitchen, leader, teleoperation and the follower's gate; one clock for all."""

    def __init__(self, seed=0):
        self.clock = Clock(100.0)
        self.world = KitchenWorld(seed)
        mapping = RangeMap(LEADER, CALIBRATION)
        home = np.array(HOME_POSITION_RAD)
        self.leader = HandHeldArm(mapping.to_leader(home), clock=self.clock)
        self.scene = Scene(
            self.world.joint_position_rad,
            self.world.joint_velocity_rad_s,
            self.world.object_poses,
        )
        self.hand = ScriptedLeader(self.leader, mapping, self.scene, ExpertPolicy(), self.clock)
        margin = PRESET.limit_margin_rad
        reach = Reach(
            PRESET.max_velocity_rad_s, LOWER_LIMITS_RAD + margin, UPPER_LIMITS_RAD - margin, 0.5
        )
        self.clutch = Clutch('leader', True)
        self.teleop = LeaderTeleop(mapping, reach, self.clutch, TeleopConfig())
        self.gate = SafetyGate(PRESET, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD, STEP_S)
        self.gate.activate(self.world.joint_position_rad(), self.clock.now_s)
        for index, fraction in enumerate(TORQUE_FRACTION):
            self.world.set_goal(index, self.world.joint_position_rad()[index])
            self.world.set_torque_limit(index, fraction)
        self.before = self.world.object_poses()

    def run(self, seconds, until=lambda: False):
        for _ in range(round(seconds / STEP_S)):
            if until():
                return True
            self.step()
        return until()

    def step(self):
        now_s = self.clock.now_s = self.clock.now_s + STEP_S
        self.hand.step()
        reading = self.leader.position_rad(), self.leader.velocity_rad_s()
        command = self.teleop.read(now_s, reading, now_s, now_s)
        if command is not None:
            self.gate.command(
                Command(JOINT_NAMES, command.goal.position_rad, now_s, command.source),
                now_s,
                now_s,
            )
        setpoint = self.gate.step(self.world.joint_position_rad(), now_s)
        self.teleop.follower.applied(setpoint.position_rad, str(setpoint.mode), now_s)
        for index, position_rad in enumerate(setpoint.position_rad):
            self.world.set_goal(index, float(position_rad))
        self.world.advance(STEP_S)

    def verdict(self):
        world = self.world
        return judge(
            parse_instruction(BREAD), self.before, world.object_poses(), world.touched_slices()
        )


def test_by_following_the_hand_the_follower_puts_the_bread_on_the_plate():
    studio = Studio()
    studio.hand.perform(BREAD)
    assert studio.run(30.0, lambda: studio.hand.phase == 'done'), studio.hand.phase
    studio.run(0.5)
    assert studio.verdict().success, studio.verdict().unmet
    assert studio.gate.counters['refused_absurd'] == 0
    assert studio.gate.counters['starvations'] == 0


def test_a_hand_whose_follower_is_paused_waits_for_it_and_then_finishes():
    studio = Studio()
    studio.hand.perform(BREAD)
    assert studio.run(10.0, lambda: studio.hand.phase.endswith('lifting'))
    studio.clutch.set(False)
    studio.run(1.5)
    held = studio.world.joint_position_rad()
    assert 'waiting' in studio.hand.phase
    studio.run(1.5)
    assert studio.world.joint_position_rad() == pytest.approx(held, abs=0.01)
    studio.clutch.set(True)
    assert studio.run(30.0, lambda: studio.hand.phase == 'done'), studio.hand.phase
    studio.run(0.5)
    assert studio.verdict().success, studio.verdict().unmet


def test_an_instruction_that_is_not_understood_is_said_and_moves_nothing():
    studio = Studio()
    before = studio.leader.position_rad()
    studio.hand.perform('paint the fence')
    studio.run(1.0)
    diagnosis = studio.hand.diagnose()
    assert diagnosis.level is Level.WARN
    assert 'bread' in diagnosis.message
    assert studio.leader.position_rad() == pytest.approx(before)


def test_a_task_that_cannot_go_on_is_given_up_with_its_reason():
    studio = Studio()
    flat = studio.world.object_poses()
    flat['bread_slice_1'] = Pose(flat['bread_slice_1'].position_m, np.array([1.0, 0.0, 0.0, 0.0]))
    studio.scene.object_poses = lambda: flat
    studio.hand.perform(BREAD)
    studio.run(1.5)
    assert studio.hand.diagnose().level is Level.WARN
    assert 'leans' in studio.hand.phase
