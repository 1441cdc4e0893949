"""How the difference between two motions fades out."""

from dataclasses import dataclass

import numpy as np

from chefmate_core.motion.goal import JointGoal


@dataclass(frozen=True)
class Fade:
    """An offset of position and velocity that fades out, C1 at both ends.

    The position's part takes `duration_s`, the velocity's `velocity_duration_s`: over the former
    a large difference of velocities would carry the goal far away before it brings it back.
    """

    start_s: float
    duration_s: float
    velocity_duration_s: float
    offset: JointGoal

    @classmethod
    def nothing(cls) -> 'Fade':
        """Return no offset."""
        return cls(0.0, 1.0, 1.0, JointGoal(np.zeros(1), np.zeros(1)))

    @classmethod
    def between(
        cls,
        current: JointGoal,
        new: JointGoal,
        now_s: float,
        shortest_s: float,
        velocity_rad_s: float,
    ) -> 'Fade':
        """Return the offset that makes `new` go on from `current`.

        It fades within `shortest_s`, or, where it is large, at `velocity_rad_s`.
        """
        offset = JointGoal(
            current.position_rad - new.position_rad, current.velocity_rad_s - new.velocity_rad_s
        )
        # The fading cubic is fastest in its middle: 1.5 times its mean.
        needed_s = 1.5 * float(np.max(np.abs(offset.position_rad))) / velocity_rad_s
        return cls(now_s, max(shortest_s, needed_s), shortest_s, offset)

    def sample(self, now_s: float) -> JointGoal:
        """Return what is left of the offset."""
        # p (1 + 2u)(1 - u)^2 + m v (1 - v)^2
        u = min((now_s - self.start_s) / self.duration_s, 1.0)
        v = min((now_s - self.start_s) / self.velocity_duration_s, 1.0)
        p, m = self.offset.position_rad, self.offset.velocity_rad_s
        position = p * (1.0 + 2.0 * u) * (1.0 - u) ** 2
        position = position + m * (self.velocity_duration_s * v * (1.0 - v) ** 2)
        velocity = p * (-6.0 * u * (1.0 - u) / self.duration_s) + m * (1.0 - v) * (1.0 - 3.0 * v)
        return JointGoal(position, velocity)
