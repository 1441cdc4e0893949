"""What `chefmate bench policy` measures: choices, checked once."""

from collections.abc import Mapping
from dataclasses import dataclass

from chefmate_core.errors import ConfigurationError
from chefmate_policy.model.config import PRESETS

# name -> what the table calls it
BACKENDS: Mapping[str, str] = {
    'reference': 'eager reference',
    'compile': 'torch.compile',
    'packed': 'packed',
    'graph': 'CUDA graph',
    'graph-compiled': 'CUDA graph, compiled',
    'fp8': 'fp8',
}
NEED_CUDA = ('graph', 'graph-compiled')
DEVICES = ('auto', 'cpu', 'cuda')
MAX_CAMERAS = 8


@dataclass(frozen=True)
class PolicyBench:
    """What to measure."""

    preset: str | None = None  # random weights of it; None: the 3B on a GPU, tiny elsewhere
    model: str | None = None  # weights of this checkpoint instead
    runs: int = 200  # of each backend
    samples: int = 1  # noise samples of a run
    device: str = 'auto'
    backends: tuple[str, ...] = ()  # empty: all that the device has
    fp8: bool = False  # besides
    cameras: int | None = None  # None: two, or those of the checkpoint
    seconds: float = 300.0  # longest start of a backend
    seed: int = 0  # of weights, frames and noise

    def __post_init__(self) -> None:
        for option, value, allowed in (
            ('--preset', self.preset, (None, *PRESETS)),
            ('--device', self.device, DEVICES),
            *(('--backends', name, tuple(BACKENDS)) for name in self.backends),
        ):
            if value not in allowed:
                raise ConfigurationError(
                    f'{option}: expected {", ".join(filter(None, allowed))}; found {value!r}'
                )
        for option, number, least, most in (
            ('--runs', self.runs, 1, 1_000_000),
            ('--samples', self.samples, 1, 16),
            ('--cameras', 1 if self.cameras is None else self.cameras, 1, MAX_CAMERAS),
        ):
            if not least <= number <= most:
                raise ConfigurationError(f'{option}: expected {least} to {most}; found {number}')
        if not 0.0 < self.seconds < 1e6:
            raise ConfigurationError(f'--seconds: expected above 0; found {self.seconds:g}')
        if self.model is not None and (self.preset is not None or self.cameras is not None):
            raise ConfigurationError(
                '--model decides weights and cameras: expected it without --preset and --cameras'
            )

    def chosen_backends(self, device: str) -> tuple[str, ...]:
        """Return what runs on `device`, 'cpu' or 'cuda', in the order of the table.

        Raises:
            ConfigurationError: one was asked for that cannot run there.
        """
        possible = [name for name in BACKENDS if device == 'cuda' or name not in NEED_CUDA]
        wrong = [name for name in self.backends if name not in possible]
        if wrong:
            raise ConfigurationError(
                f'--backends {" ".join(wrong)}: needs a CUDA device; on this one there are: '
                f'{", ".join(possible)}'
            )
        asked = self.backends or [name for name in possible if name != 'fp8']
        return tuple(name for name in possible if name in asked or (name == 'fp8' and self.fp8))
