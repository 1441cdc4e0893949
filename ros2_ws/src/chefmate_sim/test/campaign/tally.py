"""What a campaign did, over all its runs: a table for people and JSON for machines."""

import json
from collections import Counter

import numpy as np

from chefmate_core.joints import JOINT_NAMES
from chefmate_core.safety.config import GateConfig
from chefmate_sim.virtual_bus.monitor import BusMonitor

_SUMMED = (
    'goals',
    'goals_driven',
    'goals_lost',
    'torque_ons',
    'torque_losses',
    'rests',
    'violations',
)


class Tally:
    """Sums over runs."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.commands: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.recoveries: list[tuple[float, float]] = []  # virtual s, real s
        self.max_velocity_share = 0.0  # of the preset's cap, any joint
        self.max_acceleration_share = 0.0

    def add_monitor(self, monitor: BusMonitor, config: GateConfig) -> None:
        """Add what a monitor saw under the caps of `config`."""
        seen = monitor.statistics()
        for name in _SUMMED:
            self.counts[name] += int(seen.get(name, 0))
        self.max_velocity_share = max(
            self.max_velocity_share,
            *(
                seen[f'{name}_max_velocity_rad_s'] / cap
                for name, cap in zip(JOINT_NAMES, config.max_velocity_rad_s, strict=True)
            ),
        )
        self.max_acceleration_share = max(
            self.max_acceleration_share,
            *(
                seen[f'{name}_max_acceleration_rad_s2'] / cap
                for name, cap in zip(JOINT_NAMES, config.max_acceleration_rad_s2, strict=True)
            ),
        )

    def as_dict(self) -> dict:
        """Return everything, ready for JSON."""
        virtual, real = np.array(self.recoveries or [(0.0, 0.0)]).T
        return {
            **self.counts,
            'max_velocity_share_of_cap': round(self.max_velocity_share, 3),
            'max_acceleration_share_of_cap': round(self.max_acceleration_share, 3),
            'commands_by_kind': dict(sorted(self.commands.items())),
            'gate_decisions': dict(sorted(self.refusals.items())),
            'faults_by_kind': dict(sorted(self.faults.items())),
            'recoveries': len(self.recoveries),
            'recovery_virtual_s': _percentiles(virtual),
            'recovery_real_s': _percentiles(real),
        }

    def table(self) -> str:
        """Return it for people, followed by the same as JSON in one line."""
        lines = []
        for name, value in self.as_dict().items():
            if isinstance(value, dict):
                lines.append(name)
                lines += [f'  {key:<36} {count:>12}' for key, count in value.items()]
            else:
                lines.append(f'{name:<38} {value:>12}')
        return '\n'.join([*lines, self.json()])

    def json(self) -> str:
        """Return it in one line."""
        return json.dumps(self.as_dict())


def _percentiles(values: np.ndarray) -> dict[str, float]:
    p50, p99 = np.percentile(values, (50, 99))
    return {
        'p50': round(float(p50), 4),
        'p99': round(float(p99), 4),
        'max': round(values.max(), 4),
    }
