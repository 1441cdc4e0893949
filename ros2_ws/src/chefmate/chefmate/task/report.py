"""The report of one task: what was asked, how it ended, and how well everything kept time."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Values = Mapping[str, str]
# Where the arm is a simulator behind the bridge, the bridge reports what a driver would.
SIMULATED_ARM = 'joint_state_bridge: arm'


@dataclass
class HealthBoard:
    """The newest diagnostics of every part, by name."""

    values: dict[str, dict[str, str]] = field(default_factory=dict)
    messages: dict[str, tuple[int, str]] = field(default_factory=dict)  # level, sentence

    def update(self, name: str, level: int, message: str, values: Values) -> None:
        """Take one DiagnosticStatus."""
        name = ARM if name == SIMULATED_ARM else name
        self.values[name] = dict(values)
        self.messages[name] = (level, message)

    def of(self, name: str) -> dict[str, str]:
        """Return the values of a part, empty if it never reported."""
        return self.values.get(name, {})


@dataclass(frozen=True)
class TaskSummary:
    """How the task ended, from its action result."""

    instruction: str
    policy: str
    hardware: str
    seed: int | None
    outcome: str
    reason: str
    start_up_s: float  # from launch to the goal being sent
    task_s: float
    chunk_count: int


ARM = 'follower/arm_driver: arm'
POLICY = 'policy: policy'
EXECUTOR = 'action_executor: timeline'
PHYSICS = 'kitchen: physics'
DRAWING = 'kitchen_cameras: drawing'
TASK = 'task: task'
PAGE = 'viewer: page'


def build_report(
    summary: TaskSummary, board: HealthBoard, verdict: tuple[bool, str, Values] | None
) -> dict[str, Any]:
    """Return the report as plain data.

    `success` asks for both: the task ended as done, and, in simulation, the judge, who reads the
    true poses, agrees.
    """
    arm, policy, executor = board.of(ARM), board.of(POLICY), board.of(EXECUTOR)
    done = summary.outcome == 'SUCCEEDED'
    success = done and (verdict is None or verdict[0])
    reason = summary.reason if success or not done or verdict is None else verdict[1]
    report: dict[str, Any] = {
        'success': success,
        'instruction': summary.instruction,
        'policy': summary.policy,
        'hardware': summary.hardware,
        'seed': summary.seed,
        'outcome': summary.outcome,
        'reason': reason,
        'durations': {
            'start_up_s': summary.start_up_s,
            'task_s': summary.task_s,
            'total_s': summary.start_up_s + summary.task_s,
        },
        'real_time_factor': _number(board.of(PHYSICS).get('real_time_factor')),
        'loop': _with_prefix(arm, ('period_', 'overruns')),
        'cameras': {
            camera: _without_prefix(policy, f'{camera}_')
            for camera in ('wrist', 'scene')
            if f'{camera}_received' in policy
        },
        'chunks': {
            'count': summary.chunk_count,
            'rate_hz': summary.chunk_count / summary.task_s if summary.task_s > 0.0 else 0.0,
            **_with_prefix(
                policy,
                ('inference_', 'observation_age_', 'chunk_', 'part_', 'un', 'last_un'),
                skip=('chunk_rate_hz',),  # of the last seconds, which the task did not fill
            ),
            **_with_prefix(executor, ('chunk', 'steps_', 'starvations', 'interruptions')),
        },
        'commands': {
            'sent': _number(executor.get('commands')),
            'rate_hz': _number(executor.get('command_rate_hz')),
            'accepted': _number(arm.get('gate_accepted', '0')),
        },
        'gate': _without_prefix(arm, 'gate_', skip=('mode',)),
        'bus': _without_prefix(arm, 'bus_'),
        'servos': {
            key: _number(value)
            for key, value in arm.items()
            if key.endswith(('_temperature_c', '_voltage_v'))
        },
        'health': {name: sentence for name, (level, sentence) in board.messages.items() if level},
    }
    if verdict is not None:
        achieved, sentence, values = verdict
        report['verdict'] = {
            'achieved': achieved,
            'message': sentence,
            **{key: _number(value) for key, value in values.items()},
        }
    return report


def write_report(report: Mapping[str, Any], path: Path) -> None:
    """Write the report as JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + '.part')
    unfinished.write_text(json.dumps(report, indent=2) + '\n')
    unfinished.replace(path)


def _number(text: str | None) -> Any:
    """Return a diagnostics value as the number it stands for, or as it is."""
    if text is None:
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _with_prefix(
    values: Values, prefixes: tuple[str, ...], skip: tuple[str, ...] = ()
) -> dict[str, Any]:
    return {
        key: _number(value)
        for key, value in values.items()
        if key.startswith(prefixes) and key not in skip
    }


def _without_prefix(values: Values, prefix: str, skip: tuple[str, ...] = ()) -> dict[str, Any]:
    found = {
        key.removeprefix(prefix): _number(value)
        for key, value in values.items()
        if key.startswith(prefix)
    }
    return {key: value for key, value in found.items() if key not in skip}
