"""A script in place of a person: it moves the leader so that the follower does a task.

It looks at the kitchen and at the follower, as a person does, and thinks with the scripted expert:
where the expert would send the follower, the hand brings the leader. A follower that is held, by
the clutch or an emergency stop, is waited for, and gone on with from where it is.
"""

import queue
import threading
import time
from collections.abc import Callable, Mapping

import numpy as np

from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.errors import PolicyError
from chefmate_core.geometry import Pose
from chefmate_core.motion.timeline import ChunkTimeline
from chefmate_core.policy.protocol import Observation, Policy
from chefmate_core.teleop.range_map import RangeMap
from chefmate_core.timing import Ticker
from chefmate_sim.leader.hand_held_arm import HandHeldArm

PERIOD_S = 0.005  # of the hand: two places between two readings of the leader
THINKS_S = 0.2  # between two looks at the kitchen
PATIENCE_S = 0.5  # before it begins: a person looks first, and the follower blends


class Scene:
    """What the hand's owner sees; the physics may be reset meanwhile."""

    def __init__(
        self,
        follower_position_rad: Callable[[], np.ndarray],
        follower_velocity_rad_s: Callable[[], np.ndarray],
        object_poses: Callable[[], Mapping[str, Pose]],
    ) -> None:
        self.follower_position_rad = follower_position_rad
        self.follower_velocity_rad_s = follower_velocity_rad_s
        self.object_poses = object_poses


class ScriptedLeader:
    """Runs in a thread of its own between `start` and `stop`.

    Args:
        arm: the leader.
        mapping: from the leader's range to the follower's.
        scene: what is looked at.
        policy: who decides where the follower should go, in the follower's joints.
        clock: seconds of the steady clock.
    """

    def __init__(
        self,
        arm: HandHeldArm,
        mapping: RangeMap,
        scene: Scene,
        policy: Policy,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.failure: Exception | None = None  # what ended the thread; its owner must look
        self.phase = 'waiting for an instruction'
        self._arm, self._mapping, self._scene, self._policy = arm, mapping, scene, policy
        self._clock = clock
        self._instruction = ''
        self._timeline = ChunkTimeline()
        self._instructions: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thinks_at_s = np.inf
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name='scripted leader', daemon=True)

    def perform(self, instruction: str) -> None:
        """Begin a task, again if it is the same one; an unknown one is told by `diagnose`."""
        self._instructions.put(instruction)

    def start(self) -> None:
        """Take the leader in hand."""
        self._thread.start()

    def stop(self) -> None:
        """Let go of it."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)

    def diagnose(self) -> Diagnosis:
        """What the hand does."""
        level = Level.WARN if self.phase.startswith('given up') else Level.OK
        return Diagnosis(level, self.phase, {'instruction': self._instruction})

    def _run(self) -> None:
        try:
            ticker = Ticker(PERIOD_S)
            while ticker.wait(self._stop):
                self.step()
        except Exception as error:  # whoever asks must learn of it: a thread ends in silence
            self.failure = error

    def step(self) -> None:
        """Look, think and move once; the thread does it every `PERIOD_S`."""
        now_s = self._clock()
        while not self._instructions.empty():
            self._begin(self._instructions.get(), now_s)
        if now_s >= self._thinks_at_s:
            self._thinks_at_s = now_s + THINKS_S
            self._think(now_s)
        goal = self._timeline.sample(self._clock())
        if goal is not None:
            self._arm.move(self._mapping.to_leader(goal.position_rad))

    def _begin(self, instruction: str, now_s: float) -> None:
        self._timeline.clear()
        self._thinks_at_s = np.inf
        self._instruction = instruction
        try:
            self._policy.reset(instruction)
        except PolicyError as error:
            self.phase = f'given up: {error}'
            return
        self._thinks_at_s = now_s + PATIENCE_S
        self.phase = 'looking'

    def _think(self, now_s: float) -> None:
        scene = self._scene
        try:
            chunk = self._policy.infer(
                Observation(
                    stamp_s=now_s,
                    instruction=self._instruction,
                    joint_position_rad=scene.follower_position_rad(),
                    joint_velocity_rad_s=scene.follower_velocity_rad_s(),
                    objects=scene.object_poses(),
                )
            )
        except PolicyError as error:
            self.phase, self._thinks_at_s = f'given up: {error}', np.inf
            return
        self.phase = chunk.phase
        if chunk.done:
            self._thinks_at_s = np.inf
        leader_rad = self._mapping.to_follower(self._arm.position_rad())
        self._timeline.add(
            chunk.stamp_s,
            chunk.positions_rad,
            chunk.period_s,
            self._clock(),
            leader_rad,
            chunk.done,
        )
