"""A policy server whose model is harmless: the arm turns its shoulder to and fro where it is.

    python tests/waving_server.py PORT

Random weights may press the arm on the table, and the gate then stops it: a test that waits for
motion cannot use them.
"""

import sys
import time

import numpy as np

from chefmate_core.policy.engine import ModelOutput
from chefmate_core.policy.modality import Modality
from chefmate_policy.serve.config import ServeConfig
from chefmate_policy.serve.server import PolicyServer

LOADING_S = 1.0
REACH, PERIOD_S = 15.0, 4.0  # of 100, half the range of a joint: up to 0.45 rad/s


class WavingEngine:
    """Says where the shoulder should be now, and nothing new of the other joints."""

    name = 'waving'
    modality = Modality(('front', 'wrist'))

    def __init__(self):
        time.sleep(LOADING_S)

    def warm_up(self):
        pass

    def infer(self, request):
        times_s = time.time() + np.arange(self.modality.horizon) * self.modality.period_s
        action = np.tile(request.state, (self.modality.horizon, 1))
        action[:, 0] = REACH * np.sin(2 * np.pi * times_s / PERIOD_S)
        return ModelOutput(action, {'arithmetic': 0.001})

    def close(self):
        pass


if __name__ == '__main__':
    PolicyServer(
        WavingEngine,
        ServeConfig(zmq_port=int(sys.argv[1]), http_port=None),
        lambda engine: print('ready', flush=True),
    ).run()
