"""The executables: each imports its node only after Ctrl-C has become a silent end.

Importing rclpy and the messages takes a good part of a second. A Ctrl-C in that time would
otherwise end in a traceback from somewhere inside an import.
"""

import importlib
import signal
from functools import partial


def _start(node: str) -> int:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return importlib.import_module(f'chefmate.nodes.{node}').main()


action_executor_node = partial(_start, 'action_executor_node')
arm_driver_node = partial(_start, 'arm_driver_node')
camera_node = partial(_start, 'camera_node')
policy_node = partial(_start, 'policy_node')
task_node = partial(_start, 'task_node')
