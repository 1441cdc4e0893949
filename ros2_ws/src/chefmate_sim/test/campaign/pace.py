"""How time goes on between two things that happen."""

import random

from hypothesis import strategies as st

COUNTS = st.integers(1, 40)  # of cycles
PACES = st.sampled_from(['even', 'even', 'jitter', 'stalls'])
SEEDS = st.integers(0, 2**16)


def steps(count: int, pace: str, seed: int) -> list[float]:
    """Return cycle lengths in nominal periods."""
    rng = random.Random(seed)
    if pace == 'jitter':
        return [rng.uniform(0.3, 2.5) for _ in range(count)]
    if pace == 'stalls':
        return [float(rng.randint(1, 50)) if rng.random() < 0.1 else 1.0 for _ in range(count)]
    return [1.0] * count
