"""Places panels by inches, so that every section's axis of time has the same left and right."""

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDTH_IN = 11.0
_LEFT_IN, _RIGHT_IN = 1.15, 0.45
_BETWEEN_IN = 0.75  # two columns of panels
ABOVE_IN, BELOW_IN = 0.42, 0.5  # a panel: title and names of lines; the last row: numbers


@dataclass(frozen=True)
class Paper:
    """A stretch of a figure that is as wide as it.

    Attributes:
        figure: drawn on.
        top_in: where the stretch begins, from the figure's upper edge.
    """

    figure: Figure
    top_in: float = 0.0

    def panel(
        self, from_top_in: float, height_in: float, column: int = 0, columns: int = 1
    ) -> Axes:
        """Return new axes, `height_in` high without their title and numbers."""
        total_in = float(self.figure.get_figheight())
        width_in = (WIDTH_IN - _LEFT_IN - _RIGHT_IN - _BETWEEN_IN * (columns - 1)) / columns
        left_in = _LEFT_IN + column * (width_in + _BETWEEN_IN)
        bottom_in = total_in - self.top_in - from_top_in - height_in
        return self.figure.add_axes(
            (
                left_in / WIDTH_IN,
                bottom_in / total_in,
                width_in / WIDTH_IN,
                height_in / total_in,
            )
        )

    def text(self, from_top_in: float, text: str, **style: Any) -> None:
        """Write at the left edge, centred at `from_top_in`."""
        total_in = float(self.figure.get_figheight())
        y = 1.0 - (self.top_in + from_top_in) / total_in
        self.figure.text(0.18 / WIDTH_IN, y, text, va='center', **style)
