"""The ingredients: sizes, masses, colours."""

from dataclasses import replace

from chefmate_description.shapes import Slice

BREAD_SLICE_1 = Slice(
    name='bread_slice_1',
    shape='square',
    width_m=0.080,
    thickness_m=0.012,
    mass_kg=0.030,
    colour=(0.93, 0.80, 0.57),
    edge_colour=(0.62, 0.36, 0.14),  # crust
    corner_radius_m=0.014,
)
BREAD_SLICE_2 = replace(BREAD_SLICE_1, name='bread_slice_2')
CHEESE_SLICE = Slice(
    name='cheese_slice',
    shape='square',
    width_m=0.075,
    thickness_m=0.004,
    mass_kg=0.022,
    colour=(0.98, 0.78, 0.16),
    edge_colour=(0.90, 0.62, 0.08),
    corner_radius_m=0.004,
    marks='holes',
)
PATTY = Slice(
    name='patty',
    shape='round',
    width_m=0.076,
    thickness_m=0.012,
    mass_kg=0.055,
    colour=(0.40, 0.20, 0.10),
    edge_colour=(0.24, 0.11, 0.06),
    marks='grill',
)
SLICES = (BREAD_SLICE_1, BREAD_SLICE_2, CHEESE_SLICE, PATTY)
SLICE_NAMES = tuple(one.name for one in SLICES)


def slice_named(name: str) -> Slice:
    """Return the slice `name`; KeyError lists the names there are."""
    for one in SLICES:
        if one.name == name:
            return one
    raise KeyError(f'no slice {name!r} in the kitchen; there are: {", ".join(SLICE_NAMES)}')
