"""The kitchen in real time: one physics thread, paced by the steady clock."""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.geometry import Pose
from chefmate_core.timing import Ticker
from chefmate_sim.expert.language import parse_instruction
from chefmate_sim.kitchen.judge import Verdict, judge
from chefmate_sim.kitchen.world import KitchenWorld

TICK_S = 0.005
# Time that the physics may lag behind the clock before it lets the rest go: a stalled machine
# shows as a real-time factor below 1, not as a burst of motion.
LONGEST_CATCH_UP_S = 0.05


@dataclass(frozen=True)
class KitchenSnapshot:
    """What the kitchen tells about itself at one instant."""

    joint_position_rad: np.ndarray  # (6,)
    object_poses: Mapping[str, Pose]  # base frame


class LiveKitchen:
    """Owns a `KitchenWorld` and its thread.

    Args:
        seed: which kitchen.
        snapshot_period_s: of simulated time between two calls of `on_snapshot`.
        on_snapshot: called in the physics thread; it must not block.
    """

    def __init__(
        self, seed: int, snapshot_period_s: float, on_snapshot: Callable[[KitchenSnapshot], None]
    ) -> None:
        self.world = KitchenWorld(seed)
        self.seed = seed
        self._on_snapshot = on_snapshot
        self._snapshot_period_s = snapshot_period_s
        self._ticker = Ticker(TICK_S)
        self._requests: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name='physics', daemon=True)
        self.failure: Exception | None = None  # what ended the physics, if anything did
        self._goal: tuple[str, ...] = ()
        self._before: Mapping[str, Pose] = {}
        self._verdict: Verdict | None = None
        self._real_s = self._simulated_s = 0.0
        self._due_s = 0.0  # where the world's time should be

    def start(self) -> None:
        """Begin to simulate."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)

    def reset(self, seed: int) -> None:
        """Lay the kitchen of `seed`; the arm stays as it is. Returns when it is done."""
        self._in_physics_thread(lambda: self._reset(seed))

    def set_instruction(self, instruction: str) -> None:
        """Judge this instruction from now on; raises UnknownInstructionError."""
        goal = parse_instruction(instruction)
        self._in_physics_thread(lambda: self._begin_to_judge(goal))

    def verdict(self) -> Diagnosis | None:
        """What the judge says now, or None without an instruction."""
        self._in_physics_thread(self._look)
        return diagnose(self._verdict) if self._verdict is not None else None

    def statistics(self) -> dict[str, float]:
        """Real-time factor since the start, and how the physics thread kept time."""
        factor = self._simulated_s / self._real_s if self._real_s else 1.0
        return {'real_time_factor': factor, 'simulated_s': self._simulated_s,
                **self._ticker.statistics()}  # fmt: skip

    def _in_physics_thread(self, work: Callable[[], None]) -> None:
        done = threading.Event()

        def work_and_tell() -> None:
            try:
                work()
            finally:
                done.set()

        if not self._thread.is_alive():
            work()  # before the start, or after the end: nobody else is there
            return
        self._requests.put(work_and_tell)
        done.wait(timeout=5.0)

    def _reset(self, seed: int) -> None:
        self.world.reset(seed, keep_arm=True)
        self.seed = seed
        self._due_s = 0.0
        self._goal, self._verdict = (), None

    def _begin_to_judge(self, goal: tuple[str, ...]) -> None:
        self._goal, self._before = goal, self.world.object_poses()

    def _look(self) -> None:
        if self._goal:
            world = self.world
            self._verdict = judge(
                self._goal, self._before, world.object_poses(), world.touched_slices()
            )

    def _run(self) -> None:
        try:
            self._simulate()
        except Exception as error:  # whoever asks must learn of it: a thread ends in silence
            self.failure = error

    def _simulate(self) -> None:
        last_s = time.monotonic()
        snapshot_due_s = 0.0
        while self._ticker.wait(self._stop):
            while not self._requests.empty():
                self._requests.get()()
            now_s = time.monotonic()
            elapsed_s, last_s = now_s - last_s, now_s
            step_s = min(elapsed_s, LONGEST_CATCH_UP_S)
            self._due_s += step_s
            self.world.advance(max(0.0, self._due_s - self.world.time_s))  # in whole steps
            self._real_s += elapsed_s
            self._simulated_s += step_s
            snapshot_due_s -= elapsed_s
            if snapshot_due_s <= 0.0:
                # In step with the period on average, without a burst after a stall.
                snapshot_due_s = max(snapshot_due_s + self._snapshot_period_s, 0.0)
                self._on_snapshot(
                    KitchenSnapshot(self.world.joint_position_rad(), self.world.object_poses())
                )


def diagnose(verdict: Verdict) -> Diagnosis:
    """Return a verdict with its numbers, for a report."""
    values: dict[str, float] = {}
    for placed in verdict.placed:
        values[f'{placed.name}_centre_error_mm'] = placed.centre_error_m * 1e3
        values[f'{placed.name}_tilt_deg'] = float(np.degrees(placed.tilt_rad))
        values[f'{placed.name}_height_error_mm'] = placed.height_error_m * 1e3
    for name, moved_m in verdict.neighbour_motion_m.items():
        values[f'{name}_moved_mm'] = moved_m * 1e3
    if verdict.success:
        return Diagnosis(Level.OK, 'achieved', values)
    return Diagnosis(Level.WARN, '; '.join(verdict.unmet), values)
