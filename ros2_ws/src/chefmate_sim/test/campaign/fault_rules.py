"""Rules of the campaign: what goes wrong with packets, plug and servos."""

import contextlib

from campaign.foundation import Foundation
from campaign.hardware import hardware_faults
from campaign.pace import COUNTS, SEEDS
from campaign.rig import CALIBRATION
from hypothesis import strategies as st
from hypothesis.stateful import rule

from chefmate_core.errors import ChefMateError
from chefmate_core.joints import JOINT_COUNT
from chefmate_core.servo.registers import P_COEFFICIENT
from chefmate_sim.virtual_bus import Fault, FaultKind, Traffic
from chefmate_sim.virtual_bus.hardware import RefusedEeprom, Twin

_LATE_S = 0.005  # real time: longer than the driver waits for a reply
_IDS = st.sampled_from(CALIBRATION.ids)
_JOINTS = st.integers(0, JOINT_COUNT - 1)
_ID_OR_ANY = st.one_of(st.none(), _IDS)


class FaultRules(Foundation):
    """Faults of the bus and of the servos, and a hand at the limp arm."""

    @rule(
        kind=st.sampled_from(FaultKind),
        servo_id=_ID_OR_ANY,
        traffic=st.sampled_from(Traffic),
        strikes=st.integers(1, 20),
        count=COUNTS,
    )
    def some_packets_are_damaged(self, kind, servo_id, traffic, strikes, count) -> None:
        self.rig.bus.faults.add(Fault(kind, servo_id, strikes, delay_s=_LATE_S, traffic=traffic))
        self.run(count)

    @rule(
        kind=st.sampled_from(FaultKind),
        traffic=st.sampled_from(Traffic),
        probability=st.floats(0.01, 0.2),
        count=COUNTS,
    )
    def the_line_is_bad(self, kind, traffic, probability, count) -> None:
        self.rig.bus.faults.add(
            Fault(kind, None, None, probability, delay_s=_LATE_S, traffic=traffic)
        )
        self.run(count)

    @rule(servo_id=_IDS, count=COUNTS)
    def a_servo_dies(self, servo_id, count) -> None:
        self.rig.bus.faults.kill(servo_id)
        self.count('deaths')
        self.run(count)

    @rule(servo_id=_IDS, count=COUNTS)
    def a_servo_comes_back(self, servo_id, count) -> None:
        self.rig.bus.faults.revive(servo_id)
        self.run(count)

    @rule(on=st.booleans(), count=COUNTS)
    def the_adapter_hears_itself(self, on, count) -> None:
        self.rig.bus.faults.echo = on
        self.count('echoes')
        self.run(count)

    @rule(power_lost=st.booleans(), count=COUNTS, later=COUNTS)
    def the_plug_is_pulled_and_put_back(self, power_lost, count, later) -> None:
        self.rig.hang_up(power_lost)
        self.count('hang_ups_with_power_lost' if power_lost else 'hang_ups')
        self.run(count)
        self.rig.bus.plug_in()
        self.run(later)

    @rule(fault=hardware_faults, count=st.integers(1, 150))
    def something_goes_wrong_with_the_servos(self, fault, count) -> None:
        self.rig.bus.hardware.add(fault)
        self._broke(fault)
        self.run(count)

    @rule(index=_JOINTS, other=_IDS)
    def two_servos_have_one_id(self, index, other) -> None:
        if self.rig.is_running:
            return
        twin = Twin(index, other)
        if CALIBRATION.ids[index] == other:
            return
        self.rig.bus.hardware.add(twin)
        self._broke(twin)
        self._must_refuse_to_start()
        self.rig.bus.hardware.clear(Twin)

    @rule(index=_JOINTS, value=st.integers(17, 40))
    def a_servo_was_set_up_by_others_and_keeps_to_it(self, index, value) -> None:
        if self.rig.is_running:
            return
        self.rig.bus.servos[index].memory.set_lasting(P_COEFFICIENT, value)
        refusal = RefusedEeprom(index, P_COEFFICIENT)
        self.rig.bus.hardware.add(refusal)
        self._broke(refusal)
        self._must_refuse_to_start()
        self.rig.bus.hardware.clear(RefusedEeprom)

    @rule(place=st.sampled_from(['inside', 'at a limit']), seed=SEEDS)
    def a_hand_moves_the_limp_arm(self, place, seed) -> None:
        if any(self.rig.torque()):
            return
        self.rig.model.place(self.pose(place, seed))
        self.count('hands')

    def _must_refuse_to_start(self) -> None:
        with contextlib.suppress(ChefMateError):
            self.rig.start()
        assert not self.rig.is_running, 'the driver started with servos that are not set up'

    def _broke(self, fault) -> None:
        self.tally.faults[type(fault).__name__] += 1
