"""`chefmate teleop`: the clutch, the keys and the live numbers of a running teleoperation."""

import argparse
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.task import Future
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import SetBool

from chefmate_core.errors import ChefMateError, ConfigurationError
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.teleop.keys import JOINT_KEYS, Jog, Keyboard, Order
from chefmate_ros import qos

FIND_S = 10.0
LOOK_S = 0.02  # between two looks at the keyboard
HELD_UP_S = 0.3  # a look that comes later finds keys of which nobody knows how old they are
SHOW_S = 0.2
PART = 'teleop: teleop'


class NoTeleoperationError(ChefMateError):
    """Nobody is there whose clutch it could be."""


def add_parser(subparsers: 'argparse._SubParsersAction') -> None:
    """Add `teleop`."""
    parser = subparsers.add_parser(
        'teleop',
        description='The clutch, the keys and the live numbers of a teleoperation that runs '
        '(chefmate launch teleop.launch.py). Space pauses and resumes; with source:=keyboard a '
        'held key moves a joint, and the arm stops when it is let go.',
        examples=(
            ('chefmate teleop', 'keys and numbers'),
            ('chefmate teleop --pause', 'pause: the arm holds'),
            ('chefmate teleop --resume', 'resume: the arm goes to the leader at blend speed'),
        ),
    )
    clutch = parser.add_mutually_exclusive_group()
    clutch.add_argument('--pause', action='store_true', help='pause, and end')
    clutch.add_argument('--resume', action='store_true', help='resume, and end')


def run(args: argparse.Namespace) -> int:
    """Show and steer until somebody leaves."""
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    only_clutch = args.pause or args.resume
    if not only_clutch and not sys.stdin.isatty():
        raise ConfigurationError(
            'chefmate teleop reads keys, and its input is no terminal. Next: run it in a '
            'terminal, or use --pause and --resume'
        )
    console = Console(highlight=False)
    rclpy.init(args=[])
    try:
        cockpit = Cockpit()
        if only_clutch:
            console.print(cockpit.set_clutch_and_wait(args.resume))
            return 0
        cockpit.wait_for_teleoperation()
        with raw_terminal(), Live(cockpit.view(), console=console, auto_refresh=False) as live:
            shown_s = 0.0
            while cockpit.step():
                if time.monotonic() - shown_s > SHOW_S:
                    live.update(cockpit.view(), refresh=True)
                    shown_s = time.monotonic()
    except KeyboardInterrupt:
        pass
    finally:
        rclpy.try_shutdown()
    return 0


class Cockpit:
    """The other end of `teleop_node`."""

    def __init__(self) -> None:
        self._node = rclpy.create_node('cockpit')
        self._keyboard = Keyboard()
        self._engaged: bool | None = None
        self._said = ''
        self._looked_s = time.monotonic()
        self._status: DiagnosticStatus | None = None
        self._jogs = self._node.create_publisher(JointState, 'teleop/jog', qos.COMMAND_READER)
        self._clutch = self._node.create_client(SetBool, 'teleop/set_clutch')
        self._node.create_subscription(Bool, 'teleop/clutch_engaged', self._on_clutch, qos.LATCHED)
        self._node.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.DIAGNOSTICS
        )

    def _on_clutch(self, message: Bool) -> None:
        self._engaged = message.data

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == PART:
                self._status = status

    def wait_for_teleoperation(self) -> None:
        """Wait for the clutch's service; raise NoTeleoperationError."""
        if not self._clutch.wait_for_service(FIND_S):
            domain = os.environ.get('ROS_DOMAIN_ID', '0')
            raise NoTeleoperationError(
                f'no teleoperation runs in ROS_DOMAIN_ID={domain}. Next: chefmate launch '
                'teleop.launch.py, in another terminal, or its ROS_DOMAIN_ID'
            )

    def set_clutch_and_wait(self, engaged: bool) -> str:
        """Set the clutch; return what was said, or raise NoTeleoperationError."""
        self.wait_for_teleoperation()
        future = self._clutch.call_async(SetBool.Request(data=engaged))
        rclpy.spin_until_future_complete(self._node, future, timeout_sec=FIND_S)
        answer = future.result() if future.done() else None
        if answer is None or not answer.success:
            raise NoTeleoperationError(answer.message if answer else 'teleop_node does not answer')
        return answer.message

    def step(self) -> bool:
        """Take the keys that were pressed and what was said; return False to leave."""
        keys = pressed_keys()
        held_up_s, self._looked_s = time.monotonic() - self._looked_s, time.monotonic()
        for key in keys:
            meaning = self._keyboard.press(key)
            if meaning is Order.LEAVE:
                return False
            if meaning is Order.TOGGLE_CLUTCH:
                self._toggle_clutch()
            elif isinstance(meaning, Jog) and held_up_s <= HELD_UP_S:
                jog = JointState(name=[meaning.joint], velocity=[meaning.velocity_rad_s])
                jog.header.stamp = self._node.get_clock().now().to_msg()
                self._jogs.publish(jog)
        rclpy.spin_once(self._node, timeout_sec=0.0)
        return True

    def _toggle_clutch(self) -> None:
        future = self._clutch.call_async(SetBool.Request(data=not self._engaged))
        future.add_done_callback(self._on_answer)

    def _on_answer(self, future: Future) -> None:
        answer = future.result()
        self._said = answer.message if answer is not None else 'no answer'

    def view(self) -> Table:
        """Return what is shown."""
        values = {v.key: v.value for v in self._status.values} if self._status else {}
        table = Table.grid(padding=(0, 2))
        clutch = {None: 'unknown', True: 'engaged', False: 'paused'}[self._engaged]
        state = self._status.message if self._status else 'waiting for numbers'
        table.add_row('clutch', Text(clutch, style='green' if self._engaged else 'yellow'), state)
        table.add_row('commands', f'{float(values.get("rate_hz", 0)):.0f} Hz', latency(values))
        for joint in JOINT_NAMES:
            keys = ' / '.join(JOINT_KEYS[joint])
            error = values.get(f'{joint}_error_rms_rad')
            text = f'error {float(error):.3f} rad rms' if error is not None else ''
            table.add_row(joint, keys, text)
        table.add_row('', 'space: clutch', f'+ / -: keys at {self._keyboard.speed_rad_s:g} rad/s')
        table.add_row('', 'x: leave', self._said)
        return table


def latency(values: dict[str, str]) -> str:
    """Return the latency from the leader's reading to the follower's wire, for people."""
    if 'latency_p50_ms' not in values:
        return 'no latency yet: nothing has moved'
    p50, p99 = (float(values[f'latency_{p}_ms']) for p in ('p50', 'p99'))
    return f'reading to wire {p50:.0f} ms, p99 {p99:.0f} ms'


@contextmanager
def raw_terminal() -> Iterator[None]:
    """Keys one by one and unseen; the terminal is as it was afterwards."""
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def pressed_keys() -> str:
    """Return what was typed since the last call, and wait a moment for it.

    Of a key that repeats faster than this looks, once is enough.
    """
    ready, _, _ = select.select([sys.stdin], [], [], LOOK_S)
    if not ready:
        return ''
    typed = os.read(sys.stdin.fileno(), 256).decode(errors='ignore')
    if '\x1b' in typed:  # an arrow, or another key of many bytes: not ours
        return ''
    return ''.join(dict.fromkeys(typed))
