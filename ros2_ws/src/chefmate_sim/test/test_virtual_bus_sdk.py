"""Feetech's own SDK, which knows nothing of this code, talks to the virtual servos."""

import numpy as np
import pytest
import scservo_sdk as sdk
from virtual_arm import CALIBRATION, START_RAD

START_TICKS = np.rint(CALIBRATION.rad_to_ticks(START_RAD)).astype(int)


@pytest.fixture
def setting(virtual, model, clock):
    port = sdk.PortHandler(virtual.port)
    port.openPort()
    port.setBaudRate(1_000_000)
    # The SDK adds up milliseconds where it means bytes: too short for a busy machine.
    port.setPacketTimeout = lambda length: port.setPacketTimeoutMillis(500)
    yield virtual, model, clock, port, sdk.PacketHandler(0)
    port.closePort()


def test_ping_returns_the_model(setting):
    _, _, _, port, packets = setting
    for servo_id in range(1, 7):
        assert packets.ping(port, servo_id) == (777, sdk.COMM_SUCCESS, 0)


def test_read_returns_present_positions(setting):
    _, _, _, port, packets = setting
    for index in range(6):
        value, result, error = packets.read2ByteTxRx(port, index + 1, 56)
        assert (result, error) == (sdk.COMM_SUCCESS, 0)
        assert value == START_TICKS[index]


def test_group_sync_write_moves_and_group_sync_read_sees_it(setting):
    _, arm, clock, port, packets = setting
    for servo_id in range(1, 7):
        assert packets.write1ByteTxRx(port, servo_id, 40, 1) == (sdk.COMM_SUCCESS, 0)
    writer = sdk.GroupSyncWrite(port, packets, 42, 2)
    goals = CALIBRATION.rad_to_goal_ticks(np.full(6, 0.2))
    for index, goal in enumerate(goals.tolist()):
        assert writer.addParam(index + 1, [goal & 0xFF, goal >> 8])
    assert writer.txPacket() == sdk.COMM_SUCCESS
    # A read behind it on the same wire is answered after the write was executed.
    packets.ping(port, 1)
    clock.now_s += 5.0
    reader = sdk.GroupSyncRead(port, packets, 56, 4)
    for servo_id in range(1, 7):
        reader.addParam(servo_id)
    assert reader.txRxPacket() == sdk.COMM_SUCCESS
    for index in range(6):
        assert reader.isAvailable(index + 1, 56, 2)
        assert reader.getData(index + 1, 56, 2) == goals[index]
    np.testing.assert_allclose(arm.position_rad(), CALIBRATION.ticks_to_rad(goals), atol=1e-6)


def test_registered_writes_wait_for_the_action(setting):
    _, _, _, port, packets = setting
    goal = int(START_TICKS[2]) + 40
    data = [goal & 0xFF, goal >> 8]
    assert packets.regWriteTxRx(port, 3, 42, 2, data) == (sdk.COMM_SUCCESS, 0)
    assert packets.read1ByteTxRx(port, 3, 64)[0] == 1
    assert packets.read2ByteTxRx(port, 3, 42)[0] == START_TICKS[2]
    packets.action(port, sdk.BROADCAST_ID)
    assert packets.read2ByteTxRx(port, 3, 42)[0] == goal
    assert packets.read1ByteTxRx(port, 3, 64)[0] == 0


def test_an_unknown_id_stays_silent(setting):
    _, _, _, port, packets = setting
    port.setPacketTimeout = lambda length: port.setPacketTimeoutMillis(30)
    _, result, _ = packets.ping(port, 9)
    assert result == sdk.COMM_RX_TIMEOUT


def test_a_status_bit_comes_with_every_reply(setting):
    bus, _, _, port, packets = setting
    bus.servos[1].voltage_v = 3.5
    _, result, error = packets.read2ByteTxRx(port, 2, 56)
    assert (result, error) == (sdk.COMM_SUCCESS, sdk.ERRBIT_VOLTAGE)
