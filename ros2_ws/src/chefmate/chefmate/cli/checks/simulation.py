"""Checks of the simulation: physics, and drawing without a display."""

import subprocess
import sys
from importlib.util import find_spec

from chefmate.cli.checks.finding import Finding, Machine

BACKENDS = ('egl', 'osmesa')
DEBIAN_PACKAGES = 'libegl1 libgl1-mesa-dri libosmesa6'
RENDER_TIMEOUT_S = 60.0

# In a process of its own: OpenGL that does not work may end the process, and only one backend can
# be loaded into it.
_DRAW = """
import mujoco
model = mujoco.MjModel.from_xml_string('<mujoco><worldbody><light pos="0 0 2"/><geom size=".1"/>'
                                       '</worldbody></mujoco>')
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
with mujoco.Renderer(model, 24, 32) as renderer:
    renderer.update_scene(data)
    image = renderer.render()
assert image.max() > 0, 'the image is black'
print(mujoco.__version__)
"""


def rendering(machine: Machine) -> Finding:
    """MuJoCo, and one image by each way to draw until one works."""
    if find_spec('mujoco') is None:
        return _unusable(machine, 'mujoco is not installed', 'run `make setup` in the repository')
    wanted = machine.environment.get('MUJOCO_GL', '').lower()
    reasons = []
    for backend in [wanted] if wanted else BACKENDS:
        problem, version = draw(backend, machine)
        if not problem:
            return Finding('Simulation', 'ok', f'MuJoCo {version} draws through {backend}')
        reasons.append(f'{backend}: {problem}')
    advice = f'apt-get install {DEBIAN_PACKAGES}'
    if wanted and wanted not in BACKENDS:
        advice = f'unset MUJOCO_GL, or set it to one of {", ".join(BACKENDS)}'
    return _unusable(machine, f'nothing can be drawn ({"; ".join(reasons)})', advice)


def draw(backend: str, machine: Machine, python: str = sys.executable) -> tuple[str, str]:
    """Draw one image; return (what went wrong, MuJoCo's version), one of them empty."""
    try:
        result = subprocess.run(
            [python, '-c', _DRAW],
            env={**machine.environment, 'MUJOCO_GL': backend},
            capture_output=True,
            text=True,
            timeout=RENDER_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f'{type(error).__name__}', ''
    if result.returncode == 0:
        return '', result.stdout.strip()
    lines = result.stderr.strip().splitlines()
    return (lines[-1] if lines else f'exit code {result.returncode}'), ''


def _unusable(machine: Machine, found: str, advice: str) -> Finding:
    if machine.is_real:
        return Finding('Simulation', 'warn', found, f'{advice} (a real arm works without)')
    return Finding('Simulation', 'broken', found, advice)
