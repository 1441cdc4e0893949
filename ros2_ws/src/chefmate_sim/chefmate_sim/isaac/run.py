"""Runs the kitchen in Isaac Sim 5.x or 6.x, with Isaac's own Python: docs/isaac.md.

`./python.sh -m chefmate_sim.isaac.run --stage kitchen.usd`. Needs no ROS and no MuJoCo in that
Python: stage and graph come from modules that import numpy and pxr only.
"""

import argparse
import logging
import tempfile
from pathlib import Path
from typing import Any

from chefmate_core.errors import ConfigurationError
from chefmate_description.scene import CAMERAS
from chefmate_sim.isaac.graph import (
    GRAPH_PATH,
    READ_JOINT_STATE,
    Graph,
    Target,
    Topics,
    joint_graph,
)

BRIDGE_EXTENSION = 'isaacsim.ros2.bridge'
_log = logging.getLogger(__name__)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return what was asked for; what is not known is left to Isaac Sim."""
    topics = Topics()
    parser = argparse.ArgumentParser(
        prog='chefmate_sim.isaac.run', description='The kitchen in Isaac Sim, on ROS 2 topics.'
    )
    parser.add_argument('--stage', type=Path, help='file of `chefmate sim usd`; else it is built')
    parser.add_argument('--seed', type=int, default=0, help='which kitchen, if it is built')
    parser.add_argument('--headless', action='store_true', help='without a window')
    parser.add_argument('--no-cameras', action='store_true', help='joints only')
    parser.add_argument(
        '--wall-time', action='store_true', help="stamp with the machine's time, publish no clock"
    )
    parser.add_argument('--command-topic', default=topics.command)
    parser.add_argument('--states-topic', default=topics.states)
    return parser.parse_known_args(arguments)[0]


def stage_file(args: argparse.Namespace, folder: Path) -> Path:
    """Return the stage to open, written to `folder` if none was given.

    Raises:
        ConfigurationError: there is none, or it breaks a rule; the message names each prim.
    """
    from chefmate_sim.isaac.stage import build_stage, open_stage, write_stage
    from chefmate_sim.isaac.validator import validate
    from chefmate_sim.kitchen.variation import KitchenVariation

    path = args.stage
    if path is None:
        path = folder / f'kitchen_{args.seed}.usdc'
        write_stage(build_stage(KitchenVariation.sample(args.seed)), path)
    findings = validate(open_stage(path))
    if findings:
        listed = '\n  '.join(str(finding) for finding in findings)
        raise ConfigurationError(f'{path} cannot be simulated as a kitchen:\n  {listed}')
    return path


def graph_for(args: argparse.Namespace, *, reads_joint_state: bool) -> Graph:
    """Return the graph for these arguments."""
    from chefmate_sim.isaac.camera_prims import camera_path
    from chefmate_sim.isaac.stage import ARM_PATH

    cameras = () if args.no_cameras else CAMERAS
    return joint_graph(
        str(ARM_PATH),
        {camera.name: str(camera_path(ARM_PATH, camera)) for camera in cameras},
        Topics(command=args.command_topic, states=args.states_topic),
        reads_joint_state=reads_joint_state,
        wall_time=args.wall_time,
    )


def main() -> None:
    """Start Isaac Sim, open the kitchen, add the graph, and play until the window is closed."""
    args = parse_arguments()
    from isaacsim import SimulationApp

    app = SimulationApp({'headless': args.headless})
    try:
        with tempfile.TemporaryDirectory() as folder:
            _play(app, args, stage_file(args, Path(folder)))
    finally:
        app.close()


def _play(app: Any, args: argparse.Namespace, path: Path) -> None:
    # Modules of Isaac Sim, there only once the application runs.
    import omni.graph.core as og
    import omni.kit.app
    import omni.timeline
    import omni.usd

    manager = omni.kit.app.get_app().get_extension_manager()
    manager.set_extension_enabled_immediate(BRIDGE_EXTENSION, True)
    app.update()
    if not omni.usd.get_context().open_stage(str(path)):
        raise ConfigurationError(f'Isaac Sim cannot open {path}; its log says why')
    app.update()
    reads_joint_state = og.get_node_type(READ_JOINT_STATE).is_valid()
    _add_graph(og, graph_for(args, reads_joint_state=reads_joint_state))
    app.update()
    timeline = omni.timeline.get_timeline_interface()
    timeline.play()
    _log.info('%s plays; commands on %s', path.name, args.command_topic)
    while app.is_running():
        app.update()
    timeline.stop()


def _add_graph(og: Any, graph: Graph) -> None:
    import usdrt.Sdf

    def value(one: Any) -> Any:
        return [usdrt.Sdf.Path(one.path)] if isinstance(one, Target) else one

    keys = og.Controller.Keys
    og.Controller.edit(
        {'graph_path': GRAPH_PATH, 'evaluator_name': 'execution'},
        {
            keys.CREATE_NODES: list(graph.nodes),
            keys.CONNECT: list(graph.connections),
            keys.SET_VALUES: [(name, value(one)) for name, one in graph.values],
        },
    )


if __name__ == '__main__':
    main()
