"""Fixtures of the page's tests: an arm, who watches it, the page's own process, a browser."""

import numpy as np
import pytest
from browser import Browser
from deployment import ROOT, free_port
from viewer_stage import Kitchenhand, address_in

from chefmate_core.calibration import ArmCalibration
from chefmate_sim.virtual_bus.bus import VirtualServoBus
from chefmate_sim.virtual_bus.model import FirstOrderArm

FOLLOWER = ROOT / 'calibration' / 'follower.json'


@pytest.fixture
def arm(tmp_path, chefmate):
    """A driver with virtual servos at 0.2 rad; its model."""
    model = FirstOrderArm(np.full(6, 0.2))
    with VirtualServoBus(model, ArmCalibration.load(FOLLOWER), tmp_path / 'port') as bus:
        command = chefmate(
            *('launch', 'arm', f'port:={bus.port}', f'calibration:={FOLLOWER}'),
            'wait_for_port_s:=60.0',  # its servos answer from this process, which may stand
        )
        command.wait_for('torque is on')
        yield model


@pytest.fixture
def hand(domain):
    with Kitchenhand(domain) as probe:
        yield probe


@pytest.fixture
def serve(chefmate):
    """Start the page; return its address."""

    def start(*arguments):
        command = chefmate('launch', 'viewer', f'view_port:={free_port()}', *arguments)
        return address_in(command)

    return start


@pytest.fixture
def chromium():
    with Browser() as opened:
        yield opened
