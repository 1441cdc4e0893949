"""The fault language: one line, one fault."""

from chefmate_sim.virtual_bus.script.language import in_force, inject, parse, usage

__all__ = ['in_force', 'inject', 'parse', 'usage']
