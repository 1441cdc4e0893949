"""Rules of the campaign: what people ask of a driver."""

from campaign.commands import goals
from campaign.foundation import Foundation
from campaign.pace import COUNTS
from hypothesis import strategies as st
from hypothesis.stateful import rule

from chefmate_core.driver.arm_driver import DriverState
from chefmate_core.errors import ChefMateError
from chefmate_core.joints import JOINT_NAMES

_BRAKING_S = 0.3  # from the highest speed of any preset to a stand: 0.17 s


class RequestRules(Foundation):
    """Emergency stops, torque, stops and starts of the driver."""

    @rule(active=st.booleans(), count=COUNTS)
    def the_emergency_stop_is_pressed_or_released(self, active, count) -> None:
        if not self.rig.is_running:
            return
        driver = self.rig.driver
        error = self.rig.ask(lambda: driver.set_estop(active))
        if active:
            assert driver.estopped, f'a stop that was pressed is not latched ({error})'
        self.count('estops' if active else 'estop_releases')
        self.run(count)

    @rule(goal=goals, count=COUNTS)
    def a_stopped_arm_is_commanded_and_stands(self, goal, count) -> None:
        rig = self.rig
        if not rig.driver.estopped or rig.driver.state is not DriverState.DRIVING:
            return
        rig.run(_BRAKING_S)
        before = rig.held_ticks()
        for _ in range(count):
            self.send('while stopped', JOINT_NAMES, goal, 'policy')
            rig.cycle()
        after = rig.held_ticks()
        for index in before.keys() & after.keys():
            moved = abs(after[index] - before[index])
            assert moved <= 1, f'{JOINT_NAMES[index]} moved by {moved} ticks while stopped'

    @rule(count=COUNTS)
    def torque_is_asked_for(self, count) -> None:
        if not self.rig.is_running:
            return
        self.engage()
        self.run(count)

    @rule(count=COUNTS)
    def torque_is_released(self, count) -> None:
        if not self.rig.is_running:
            return
        self.rig.ask(self.rig.driver.release)
        self.wants_torque = False
        self.count('releases')
        self.run(count)

    @rule(torque_off=st.booleans(), anew=st.booleans(), count=COUNTS)
    def the_driver_is_stopped(self, torque_off, anew, count) -> None:
        if not self.rig.is_running:
            return
        self.rig.stop(torque_off)
        if anew:
            self.tally.refusals.update(self.rig.driver.gate.counters)
            self.rig.replace_driver()
        self.wants_torque = False
        self.count('driver_stops')
        self.run(count)

    @rule(engage=st.booleans())
    def the_driver_is_started(self, engage) -> None:
        if self.rig.is_running:
            return
        try:
            self.rig.start()
        except ChefMateError:
            return  # told; nothing runs
        self.count('driver_starts')
        if engage:
            self.engage()
