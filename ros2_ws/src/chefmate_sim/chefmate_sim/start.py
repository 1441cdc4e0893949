"""The executables; a Ctrl-C while they still import is a silent end, not a traceback."""

import importlib
import signal
from functools import partial


def _start(node: str) -> int:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return importlib.import_module(f'chefmate_sim.nodes.{node}').main()


kitchen_node = partial(_start, 'kitchen_node')
kitchen_camera_node = partial(_start, 'kitchen_camera_node')
