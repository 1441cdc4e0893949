"""What every part says of itself in `/diagnostics`, as long as it is news."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from chefmate.task.report import ARM, EXECUTOR, PHYSICS, POLICY, SIMULATED_ARM, TASK

__all__ = [
    'ARM',
    'EXECUTOR',
    'PHYSICS',
    'POLICY',
    'RECORDER',
    'TASK',
    'TELEOP',
    'TWIN',
    'Health',
    'Report',
]

RECORDER = 'recorder: episodes'
TWIN = 'joint_state_bridge: twin'
TELEOP = 'teleop: teleop'
SIMULATOR = 'simulator'
PSEUDO_TERMINALS = '/dev/pts/'  # where virtual servos are
SILENT_AFTER_S = 4.0  # every part reports once a second


@dataclass(frozen=True)
class Report:
    """One DiagnosticStatus."""

    level: int  # 0 ok, 1 warning, 2 error
    sentence: str
    values: Mapping[str, str]
    received_s: float
    hardware: str = ''  # whose word it is: a port, say


@dataclass
class Health:
    """The newest report of every part, by name."""

    reports: dict[str, Report] = field(default_factory=dict)

    def update(self, name: str, report: Report) -> None:
        """Take one report."""
        if name == SIMULATED_ARM:
            name, report = ARM, replace(report, hardware=SIMULATOR)
        self.reports[name] = report

    def kind_of_arm(self, now_s: float) -> str:
        """Return whether it is a real arm that moves, for people; empty where that is not known.

        By the arm's newest word alone: a page may see a simulated arm end and a real one begin.
        """
        arm = self.of(ARM, now_s)
        if arm is None:
            return ''
        if arm.hardware == SIMULATOR:
            return 'Arm in a simulator'
        device = arm.values.get('device', '')
        if device.startswith(PSEUDO_TERMINALS):
            return 'Simulated arm'
        return f'Real arm at {arm.hardware}' if device else ''

    def of(self, name: str, now_s: float) -> Report | None:
        """Return a part's report; None: it never reported, or has fallen silent."""
        report = self.reports.get(name)
        if report is None or now_s - report.received_s > SILENT_AFTER_S:
            return None
        return report

    def value(self, name: str, key: str, now_s: float) -> str:
        """Return one value of a part; empty: there is none."""
        report = self.of(name, now_s)
        return '' if report is None else report.values.get(key, '')
