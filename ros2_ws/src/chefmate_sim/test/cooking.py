"""One task of the expert in the simulated kitchen, and what an impartial judge says of it."""

from chefmate_sim.expert.language import parse_instruction
from chefmate_sim.expert.simulate import Simulation
from chefmate_sim.kitchen.judge import judge
from chefmate_sim.kitchen.world import KitchenWorld

BREAD = 'pick up the bread slice and place it on the plate'


def cook(expert, instruction, seed, on_step=None, config=None, world=None):
    """Run one task; return the verdict, the result and the simulation."""
    world = world or KitchenWorld(seed)
    before = world.object_poses()
    simulation = Simulation(world, expert, config)
    result = simulation.run(instruction, on_step)
    goal = parse_instruction(instruction)
    verdict = judge(goal, before, world.object_poses(), world.touched_slices())
    return verdict, result, simulation


def assert_cooked(verdict, result):
    assert result.done, result.reason
    assert verdict.success, verdict.unmet
