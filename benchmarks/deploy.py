"""The expert through the whole ROS path: processes, bytes, messages, frames, in real time.

    python benchmarks/deploy.py [--seeds 20] [--tasks bread cheese patty sandwich] [--json FILE]

For each task the system is brought up once; then the kitchen of each seed is laid, the instruction
is given to `execute_task`, and the kitchen's judge decides on success from true poses. Ten to
fifteen seconds a pick, forty-five a sandwich.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.action import ActionClient
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, JointState
from std_srvs.srv import Trigger

from chefmate_core.timing import percentiles_ms
from chefmate_msgs.action import ExecuteTask
from chefmate_ros import qos

INSTRUCTIONS = {
    'bread': 'pick up the bread slice and place it on the plate',
    'cheese': 'pick up the cheese slice and place it on the plate',
    'patty': 'pick up the patty and place it on the plate',
    'sandwich': 'make a sandwich',
}
PARTS = ('follower/arm_driver: arm', 'policy: policy', 'kitchen: physics')


class Bench(Node):
    """Lays kitchens, gives tasks, reads verdicts."""

    def __init__(self) -> None:
        super().__init__('bench')
        self.verdict: DiagnosticStatus | None = None
        self.parts: dict[str, dict[str, str]] = {}
        self.ready = {'wrist/camera_info': False, 'follower/joint_commands_applied': False}
        self.create_subscription(
            DiagnosticStatus, 'kitchen/verdict', self._on_verdict, qos.LATCHED
        )
        self.create_subscription(
            DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.DIAGNOSTICS
        )
        for topic, kind in (
            ('wrist/camera_info', CameraInfo),
            ('follower/joint_commands_applied', JointState),
        ):
            self.create_subscription(
                kind, topic, lambda _, topic=topic: self.ready.update({topic: True}),
                qos.LATEST_STATE,
            )  # fmt: skip
        self.client = ActionClient(self, ExecuteTask, 'execute_task')
        self.reset = self.create_client(Trigger, 'kitchen/reset')

    def _on_verdict(self, message: DiagnosticStatus) -> None:
        self.verdict = message

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.parts[status.name] = {entry.key: entry.value for entry in status.values}

    def wait(self, future, timeout_s: float):
        """Spin until a future is done; None on a timeout."""
        rclpy.spin_until_future_complete(self, future, timeout_sec=timeout_s)
        return future.result() if future.done() else None

    def wait_until_ready(self, timeout_s: float = 60.0) -> None:
        """Spin until torque is on, frames come and the policy takes tasks."""
        end_s = time.monotonic() + timeout_s
        while not (all(self.ready.values()) and self.client.server_is_ready()
                   and 'policy: policy' in self.parts):  # fmt: skip
            if time.monotonic() > end_s:
                sys.exit(f'the system did not come up: {self.ready}')
            rclpy.spin_once(self, timeout_sec=0.1)

    def run(self, instruction: str) -> dict:
        """Carry out one instruction; return how it went."""
        goal = ExecuteTask.Goal(instruction=instruction)
        goal.max_duration.sec = 180
        start_s = time.monotonic()
        handle = self.wait(self.client.send_goal_async(goal), 10.0)
        result = self.wait(handle.get_result_async(), 200.0) if handle else None
        duration_s = time.monotonic() - start_s
        self.verdict = None
        end_s = time.monotonic() + 3.0
        while self.verdict is None and time.monotonic() < end_s:
            rclpy.spin_once(self, timeout_sec=0.1)
        verdict = self.verdict
        achieved = verdict is not None and verdict.level == DiagnosticStatus.OK
        done = result is not None and result.result.outcome == ExecuteTask.Result.SUCCEEDED
        return {
            'success': bool(achieved and done),
            'duration_s': duration_s,
            'reason': '' if done and achieved else (
                f'{result.result.reason if result else "no result"}; '
                f'{verdict.message if verdict else "no verdict"}'
            ),
            'values': {v.key: float(v.value) for v in verdict.values} if verdict else {},
        }  # fmt: skip


def measure(task: str, seeds: int, log: Path) -> dict:
    """Bring the system up, run one task over all seeds, take it down."""
    with tempfile.TemporaryDirectory() as run_dir, log.open('w') as output:
        launch = subprocess.Popen(
            ['chefmate', 'launch', 'deploy.launch.py', 'instruction:=none', f'run_dir:={run_dir}'],
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        rclpy.init()
        bench = Bench()
        runs = []
        try:
            bench.wait_until_ready()
            for seed in range(seeds):
                if seed:
                    bench.wait(bench.reset.call_async(Trigger.Request()), 10.0)
                    time.sleep(0.3)  # the cameras take up the new kitchen
                runs.append({'seed': seed, **bench.run(INSTRUCTIONS[task])})
                done = sum(run['success'] for run in runs)
                note = '' if runs[-1]['success'] else f'  {runs[-1]["reason"]}'
                print(f'  {task} seed {seed:2d}: {done}/{len(runs)}{note}', flush=True)
            end_s = time.monotonic() + 1.2
            while time.monotonic() < end_s:
                rclpy.spin_once(bench, timeout_sec=0.1)
            parts = {name: bench.parts.get(name, {}) for name in PARTS}
        finally:
            bench.destroy_node()
            rclpy.try_shutdown()
            launch.terminate()
            launch.wait(10.0)
    return {'task': task, 'runs': runs, 'parts': parts}


def summary(result: dict) -> str:
    """Return one row of the table."""
    runs, parts = result['runs'], result['parts']
    errors = [v for run in runs for k, v in run['values'].items() if k.endswith('centre_error_mm')]
    moved = [v for run in runs for k, v in run['values'].items() if k.endswith('moved_mm')]
    durations = percentiles_ms((run['duration_s'] for run in runs), 'd')
    arm, policy, physics = (parts[name] for name in PARTS)
    received, missing = int(policy['wrist_received']), int(policy['wrist_missing'])
    return (
        f'| {result["task"]} | {sum(run["success"] for run in runs)}/{len(runs)} '
        f'| {sum(errors) / max(1, len(errors)):.1f} / {max(errors, default=0):.1f} '
        f'| {max(moved, default=0):.2f} | {durations["d_p50_ms"] / 1e3:.1f} '
        f'| {float(physics["real_time_factor"]):.3f} '
        f'| {float(arm["period_p50_ms"]):.2f} / {float(arm["period_p99_ms"]):.1f} '
        f'/ {float(arm["period_max_ms"]):.0f} '
        f'| {received}, {missing} |'
    )


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seeds', type=int, default=20)
    parser.add_argument('--tasks', nargs='+', choices=INSTRUCTIONS, default=list(INSTRUCTIONS))
    parser.add_argument('--json', type=Path)
    arguments = parser.parse_args()
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    folder = Path(tempfile.mkdtemp(prefix='chefmate_bench_'))
    results = [measure(task, arguments.seeds, folder / f'{task}.log') for task in arguments.tasks]
    print('\n| task | success | placement error mean / max, mm | most a neighbour moved, mm '
          '| median duration, s | real-time factor | loop period p50 / p99 / max, ms '
          '| wrist frames received, missing |')  # fmt: skip
    print('|' + '---|' * 8)
    for result in results:
        print(summary(result))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + '\n')
    print(f'logs: {folder}')
    sys.exit(not all(run['success'] for result in results for run in result['runs']))


if __name__ == '__main__':
    main()
