"""Rules of the campaign: what arrives on the topic of commands."""

import numpy as np
from campaign.commands import SOURCES, Swing, goals, rubbish
from campaign.foundation import Foundation
from campaign.pace import COUNTS, PACES, SEEDS, steps
from hypothesis import strategies as st
from hypothesis.stateful import rule

from chefmate_core.joints import JOINT_COUNT, JOINT_NAMES
from chefmate_core.safety.command import Command

_FLOOD_PER_CYCLE = 20  # 2 kHz at 100 Hz


class CommandRules(Foundation):
    """Rubbish, floods, two at once, one goal again and again, and honest motion."""

    @rule(
        share=st.floats(0.2, 1.5),
        frequency_hz=st.floats(0.2, 2.0),
        towards=st.lists(st.sampled_from([-1, 1]), min_size=6, max_size=6).map(np.array),
        source=st.sampled_from(SOURCES),
        count=st.integers(10, 150),
        pace=PACES,
        seed=SEEDS,
    )
    def somebody_moves_the_arm(
        self, share, frequency_hz, towards, source, count, pace, seed
    ) -> None:
        rig = self.rig
        speed = rig.config.max_velocity_rad_s
        swing = Swing(rig.model.position_rad(), speed, share, frequency_hz, towards)
        began_s = rig.clock()
        for step in steps(count, pace, seed):
            self.send('honest', JOINT_NAMES, swing.at(rig.clock() - began_s), source)
            rig.cycle(step * rig.period_s)

    @rule(goal=goals, source=st.sampled_from(SOURCES), count=COUNTS, pace=PACES, seed=SEEDS)
    def somebody_repeats_one_goal(self, goal, source, count, pace, seed) -> None:
        for step in steps(count, pace, seed):
            self.send('repeated', JOINT_NAMES, goal, source)
            self.rig.cycle(step * self.rig.period_s)

    @rule(commands=st.lists(rubbish(), min_size=1, max_size=8), count=COUNTS)
    def somebody_sends_rubbish(self, commands, count) -> None:
        for command in commands:
            self.rig.command(command.at(self.rig.clock.wall()))
            self.sent('rubbish')
        self.run(count)

    @rule(first=goals, second=goals, count=COUNTS)
    def two_publishers_send_at_once(self, first, second, count) -> None:
        for _ in range(count):
            self.send('of two', JOINT_NAMES, first, 'policy')
            self.send('of two', JOINT_NAMES, second, 'leader')
            self.rig.cycle()

    @rule(goal=goals, noise_rad=st.floats(0.0, 3.0), count=st.integers(1, 10), seed=SEEDS)
    def somebody_floods_the_topic(self, goal, noise_rad, count, seed) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(count):
            for _ in range(_FLOOD_PER_CYCLE):
                scattered = goal + rng.uniform(-noise_rad, noise_rad, JOINT_COUNT)
                stamp_s = self.rig.clock.wall() + rng.uniform(-0.01, 0.01)
                self.rig.command(Command(JOINT_NAMES, scattered, stamp_s, 'flood'))
                self.sent('flood')
            self.rig.cycle()

    @rule(goal=goals, count=st.integers(200, 600))
    def hundreds_of_commands_arrive_between_two_cycles(self, goal, count) -> None:
        for index in range(count):
            stamp_s = self.rig.clock.wall() + index * 1e-6
            self.rig.command(Command(JOINT_NAMES, goal * index / count, stamp_s, 'burst'))
            self.sent('burst')
        self.rig.cycle()
