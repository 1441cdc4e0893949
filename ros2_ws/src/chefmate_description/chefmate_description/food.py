"""The ingredients: sizes, masses, colours."""

from chefmate_description.shapes import Colour, Slice

TOAST: Colour = (0.93, 0.80, 0.57)
CRUST: Colour = (0.62, 0.36, 0.14)
BREAD_WIDTH_M, BREAD_THICKNESS_M = 0.080, 0.012

BREAD_SLICE_1 = Slice(
    'bread_slice_1', 'square', BREAD_WIDTH_M, BREAD_THICKNESS_M, 0.030, TOAST, CRUST, 0.014
)
BREAD_SLICE_2 = Slice(
    'bread_slice_2', 'square', BREAD_WIDTH_M, BREAD_THICKNESS_M, 0.030, TOAST, CRUST, 0.014
)
CHEESE_SLICE = Slice(
    'cheese_slice', 'square', 0.075, 0.004, 0.022, (0.98, 0.78, 0.16), (0.93, 0.66, 0.08), 0.004
)
PATTY = Slice('patty', 'round', 0.076, 0.012, 0.055, (0.40, 0.20, 0.10), (0.27, 0.12, 0.06))
SLICES = (BREAD_SLICE_1, BREAD_SLICE_2, CHEESE_SLICE, PATTY)
SLICE_NAMES = tuple(one.name for one in SLICES)


def slice_named(name: str) -> Slice:
    """Return the slice `name`; KeyError lists the names there are."""
    for one in SLICES:
        if one.name == name:
            return one
    raise KeyError(f'no slice {name!r} in the kitchen; there are: {", ".join(SLICE_NAMES)}')
