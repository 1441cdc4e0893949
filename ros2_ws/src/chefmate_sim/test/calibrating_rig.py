"""A calibration of a virtual arm by a simulated hand, in a time that the test moves."""

import dataclasses

from virtual_arm import CONFIG, START_RAD, Clock

from chefmate_core.calibrating.change import Patience
from chefmate_core.calibrating.eeprom import ServoSettings
from chefmate_core.calibrating.hand import SimulatedHand
from chefmate_core.calibrating.session import CalibrationSession
from chefmate_core.calibrating.views import Step
from chefmate_core.servo import registers as reg

OVER = (Step.DONE, Step.CANCELLED)
BLANK = {
    reg.HOMING_OFFSET: 0,
    reg.MIN_POSITION_LIMIT: 0,
    reg.MAX_POSITION_LIMIT: 4095,
}


def settings_of(virtual):
    """What the EEPROM of the virtual servos holds: what would be left after a power cut."""
    kept = []
    for servo in virtual.servos:
        lasting = {
            name: register.decode(servo.memory._lasting[register.address :][: register.size])
            for name, register in reg.REGISTERS.items()
        }
        names = [entry.name for entry in dataclasses.fields(ServoSettings)]
        kept.append(ServoSettings(**{name: lasting[name] for name in names}))
    return tuple(kept)


def make_blank(virtual):
    """Make the servos as new ones are: never calibrated."""
    for servo in virtual.servos:
        for register, value in BLANK.items():
            servo.memory.set_lasting(register, value)


def new_session(virtual, path, clock=None, **options):
    options.setdefault('patience', Patience(wait_s=0.0))
    return CalibrationSession(virtual.port, path, config=CONFIG, clock=clock or Clock(), **options)


def new_hand(model, **options):
    return SimulatedHand(model.place, START_RAD, **options)


def advance(session, hand, clock=None, until=Step.DONE):
    """Let the hand do what is asked and confirm, until a step is reached."""
    while session.step is not until:
        done = hand.act(session.step)
        if clock is not None:
            clock.now_s += 0.02
        session.poll()
        if done:
            session.confirm()
