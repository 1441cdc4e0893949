"""The page's node in this process, its browser a websocket."""

import threading
import time

import pytest
import rclpy

viser = pytest.importorskip('viser')
import msgspec  # noqa: E402
from websockets.sync.client import connect  # noqa: E402

from chefmate.nodes.viewer_node import ViewerNode  # noqa: E402
from chefmate_core.diagnosis import Level  # noqa: E402

PATIENCE_S = 20.0
CAMERA = {
    'type': 'ViewerCameraMessage',
    'wxyz': (1.0, 0.0, 0.0, 0.0),
    'position': (1.0, 1.0, 1.0),
    'fov': 1.0,
    'near': 0.1,
    'far': 100.0,
    'image_height': 844,
    'image_width': 390,
    'look_at': (0.0, 0.0, 0.0),
    'up_direction': (0.0, 0.0, 1.0),
}


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
