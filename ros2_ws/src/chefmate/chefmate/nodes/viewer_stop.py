"""The page's emergency stop on the ROS graph: what is heard of it, and what all bars are told."""

import time

from rclpy.node import Node
from rclpy.subscription import Subscription
from std_msgs.msg import Bool

from chefmate.nodes.viewer_actions import ViewerActions
from chefmate.viewer.deeds import Deed
from chefmate.viewer.emergency_stop import EmergencyStop
from chefmate.viewer.feeds import Feeds
from chefmate.viewer.health import Health
from chefmate.viewer.serving import Serving
from chefmate.viewer.stop_bar import TELL_S
from chefmate.viewer.story import arm_speaks
from chefmate_ros import qos
from chefmate_ros.timers import steady_timer


class ViewerStop:
    """Messages around `EmergencyStop`; nothing here waits for what is drawn.

    Attributes:
        state: what is known of the stop.
    """

    def __init__(
        self, node: Node, actions: ViewerActions, serving: Serving, feeds: Feeds, health: Health
    ) -> None:
        self.state = EmergencyStop(self._ask)
        self._actions, self._serving = actions, serving
        self._feeds, self._health = feeds, health
        self._node = node
        self._heard, self._was_alone = self._listen(), False
        steady_timer(node, TELL_S, self._tell)

    def press(self) -> None:
        """A browser wants the arm to stop; called in the thread that heard it."""
        self.state.press(time.monotonic())

    def _ask(self, stop: bool) -> None:
        self._actions.do(Deed.STOP if stop else Deed.RELEASE)

    def _listen(self) -> Subscription:
        return self._node.create_subscription(
            Bool, 'emergency_stop_active', self._on_message, qos.LATCHED
        )

    def _on_message(self, message: Bool) -> None:
        self.state.heard(message.data)
        self._tell()

    def _tell(self) -> None:
        """Also a sign of life, of the thread that hears from the arm."""
        now_s = time.monotonic()
        if not self._heard.get_publisher_count():
            self.state.heard(None)
            self._was_alone = True
        elif self._was_alone:
            # A driver that was away, hung or cut off: DDS does not tell its latched word again to
            # a reader that has had it.
            self._was_alone = False
            self._node.destroy_subscription(self._heard)
            self._heard = self._listen()
        speaks = arm_speaks(self._feeds, self._health, now_s)
        word = self.state.look(self._actions.can_stop, speaks, now_s)
        self._serving.gateway.tell_stop(word)
