"""What a checkpoint has against what a model needs: one message for all that differs."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Shape = tuple[int, ...]

# The two matrices that Qwen3 ties: files may hold either alone.
LM_HEAD = 'backbone.eagle_model.language_model.lm_head.weight'
EMBED_TOKENS = 'backbone.eagle_model.language_model.model.embed_tokens.weight'
TIED: Mapping[str, str] = {LM_HEAD: EMBED_TOKENS, EMBED_TOKENS: LM_HEAD}

FIRST = 12  # of each kind that a message lists


@dataclass(frozen=True)
class Differences:
    """Names and shapes that do not match. `tied`: name -> the twin that stands in for it."""

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    wrong: Mapping[str, tuple[Shape, Shape]] | None = None  # name -> expected, found
    tied: Mapping[str, str] | None = None

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.wrong)

    def __str__(self) -> str:
        lines = []
        if self.missing:
            lines.append(f'missing {len(self.missing)} tensors:{_listed(self.missing)}')
        if self.unexpected:
            lines.append(f'unexpected {len(self.unexpected)} tensors:{_listed(self.unexpected)}')
        if self.wrong:
            shown = [
                f'{name}: expected {list(expected)}, found {list(found)}'
                for name, (expected, found) in self.wrong.items()
            ]
            lines.append(f'wrongly shaped {len(shown)} tensors:{_listed(shown)}')
        return '\n'.join(lines) or 'every tensor is as expected'


def compare(found: Mapping[str, Shape], expected: Mapping[str, Shape]) -> Differences:
    """Return what is missing, unexpected or wrongly shaped in `found`; both name -> shape."""
    absent = [name for name in expected if name not in found]
    tied = {name: TIED[name] for name in absent if name in TIED and TIED[name] in found}
    return Differences(
        missing=tuple(name for name in absent if name not in tied),
        unexpected=tuple(name for name in found if name not in expected),
        wrong={
            name: (shape, found[name])
            for name, shape in expected.items()
            if name in found and found[name] != shape
        },
        tied=tied,
    )


def _listed(names: Sequence[str]) -> str:
    """The first few, and for the rest how many of which kind: layers count as one."""
    lines = [f'\n  {name}' for name in names[:FIRST]]
    rest = Counter(re.sub(r'\.\d+\.', '.*.', name.split(':')[0]) for name in names[FIRST:])
    if rest:
        groups = ', '.join(f'{name} ({count})' for name, count in rest.most_common(6))
        lines.append(f'\n  and {rest.total()} more: {groups}{", ..." if len(rest) > 6 else ""}')
    return ''.join(lines)
