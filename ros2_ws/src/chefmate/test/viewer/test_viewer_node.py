"""The page's node in this process, its browser a websocket."""

import threading
import time

import pytest
import rclpy

viser = pytest.importorskip('viser')
import msgspec  # noqa: E402
from page_watcher import CAMERA  # noqa: E402
from websockets.sync.client import connect  # noqa: E402

from chefmate.nodes.viewer_node import ViewerNode  # noqa: E402
from chefmate_core.diagnosis import Level  # noqa: E402
from chefmate_ros import qos  # noqa: E402

PATIENCE_S = 20.0


@pytest.fixture
def node(monkeypatch):
    """The node, served at some port, spun by a thread."""
    from domain_coordinator import domain_id
    from rclpy.executors import SingleThreadedExecutor

    with domain_id() as number:
        monkeypatch.setenv('ROS_DOMAIN_ID', str(number))
        monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
        rclpy.init(args=['--ros-args', '-p', 'port:=0'])
        node, executor = ViewerNode(), SingleThreadedExecutor()
        executor.add_node(node)
        spinning = threading.Thread(target=executor.spin, daemon=True)
        spinning.start()
        yield node
        executor.shutdown()
        spinning.join(5.0)
        node.close()
        node.destroy_node()
        rclpy.try_shutdown()


def until(condition):
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, 'it never came to be'
        time.sleep(0.02)


def test_a_drawing_that_fails_is_said_and_the_next_one_is_made(node, monkeypatch):
    draws, draw = [], node._page.draw

    def fail_at_first(moment):
        draws.append(moment)
        if len(draws) <= 3:
            raise ValueError('an odd message')
        draw(moment)

    monkeypatch.setattr(node._page, 'draw', fail_at_first)
    viewer = connect(
        node._address.replace('http', 'ws', 1),
        subprotocols=[f'viser-v{viser.__version__}'],
        max_size=None,
    )
    with viewer:
        viewer.send(msgspec.msgpack.encode(CAMERA))
        until(lambda: len(draws) > 5)
        said = node._diagnose()
    assert said.values['drawing_failures'] == 3
    assert said.level is Level.WARN and 'an odd message' in said.message


@pytest.fixture
def arm(node):
    """The emergency stop's service and state, as a driver has them; remembers what was asked."""
    from std_msgs.msg import Bool
    from std_srvs.srv import SetBool

    arm = rclpy.create_node('arm')
    arm.asked = []
    state = arm.create_publisher(Bool, 'emergency_stop_active', qos.LATCHED)
    state.publish(Bool(data=False))

    def stop(request, response):
        arm.asked.append(request.data)
        state.publish(Bool(data=request.data))
        response.success = True
        return response

    arm.create_service(SetBool, 'emergency_stop', stop)
    node.executor.add_node(arm)
    yield arm
    arm.destroy_node()


def test_a_press_reaches_the_arm_though_nothing_can_be_drawn(node, arm):
    node._closing.set()  # ends the drawing
    node._page.changed.set()
    node._thread.join(PATIENCE_S)
    with connect(node._address.replace('http', 'ws', 1) + 'emergency-stop') as bar:
        assert bar.recv(timeout=PATIENCE_S).startswith('robot ')
        words = [bar.recv(timeout=PATIENCE_S)]
        while words[-1] != 'free':
            words.append(bar.recv(timeout=PATIENCE_S))
        assert set(words[:-1]) <= {'absent', 'unknown'}
        bar.send('stop')
        while bar.recv(timeout=PATIENCE_S) != 'stopped':
            pass
    assert arm.asked == [True]


def test_when_the_arm_has_gone_nobody_says_how_it_was(node, arm):
    with connect(node._address.replace('http', 'ws', 1) + 'emergency-stop') as bar:
        while bar.recv(timeout=PATIENCE_S) != 'free':
            pass
        arm.destroy_node()
        while bar.recv(timeout=PATIENCE_S) != 'absent':
            pass
    until(lambda: node._stop.state.stopped is None)
