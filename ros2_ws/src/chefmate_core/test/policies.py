"""Small policies and sensors, for the tests of what runs a policy."""

import time

import numpy as np

from chefmate_core.errors import PolicyError, UnknownInstructionError
from chefmate_core.policy.engine import EngineBusyError
from chefmate_core.policy.observations import ObservationBuffer
from chefmate_core.policy.protocol import ActionChunk, PolicySpec

JOINTS = (np.zeros(6), np.zeros(6))


class CountingPolicy:
    """Moves nothing; done after `chunks` chunks, broken after `healthy`."""

    def __init__(self, chunks=3, healthy=100, spec=None):
        self.spec = spec or PolicySpec('counting', replan_period_s=0.01)
        self.chunks, self.healthy, self.inferences = chunks, healthy, 0

    def reset(self, instruction):
        if instruction == 'unknown':
            raise UnknownInstructionError('say something else')
        self.inferences = 0

    def infer(self, observation):
        self.inferences += 1
        if self.inferences > self.healthy:
            raise PolicyError('out of ideas')
        return ActionChunk(
            observation.stamp_s, np.zeros((16, 6)), done=self.inferences >= self.chunks
        )

    def close(self):
        pass


def observed(max_age_s=10.0):
    buffer = ObservationBuffer(['wrist'], max_age_s)
    buffer.add_joints(time.time(), *JOINTS)
    return buffer


class Cook(CountingPolicy):
    """Remembers instructions and observations; busy for its first inferences."""

    def __init__(self, busy=0, trouble=EngineBusyError, **options):
        super().__init__(**options)
        self.instructions, self.observations = [], []
        self.busy, self.trouble = busy, trouble

    def reset(self, instruction):
        if instruction == 'unknown':
            raise UnknownInstructionError('say something else')
        self.instructions.append(instruction)

    def infer(self, observation):
        self.observations.append(observation)
        if self.busy > 0:
            self.busy -= 1
            raise self.trouble('come again')
        return super().infer(observation)
