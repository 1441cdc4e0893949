"""What the policy bench found, as people read it."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chefmate_policy.bench.aims import aims
from chefmate_policy.bench.config import BACKENDS
from chefmate_policy.engine import gate

LEAST_COSINE = 0.9999  # expected of every way but fp8
LABELS = {'whole': 'whole', 'model': 'model only'}
TROUBLE_COLUMNS = 90
MB = 1e6
NOTE = (
    'whole: from frames on the host to an action in the units of the data set, as the engine '
    'answers. model only: from pixel values to an action, both on the device. The other lines are '
    'stages, timed by themselves. x eager: times as fast as the eager reference, by p50. cosine: '
    'least, of 8 observations, to the reference on the same weights and noise. work: peak above '
    'the weights, MB.'
)


def policy_table(
    settings: Mapping[str, Any], results: Mapping[str, Mapping[str, Any]]
) -> RenderableType:
    """Draw the policy bench."""
    table = Table(
        title=f'GR00T N1.5 ({settings["model"]}; {settings["parameters"]:,} parameters), '
        f'{settings["dtype"]} on {settings["device"]}',
        title_justify='left',
        title_style='bold',
        header_style='dim',
    )
    for heading in ('backend', 'what'):
        table.add_column(heading)
    for heading in ('p50 ms', 'p99', 'max', 'x eager', 'start s', 'cosine', 'weights MB', 'work'):
        table.add_column(heading, justify='right')
    for name, row in results.items():
        _add(table, name, row)
    conditions = (
        f'{settings["runs"]} runs each, by turns; {settings["cameras"]} cameras '
        f'{settings["frame"]}; {settings["prompt_tokens"]} tokens; {settings["steps"]} steps; '
        f'{settings["samples"]} sample{"s" if settings["samples"] > 1 else ""}; '
        f'torch {settings["torch"]}'
    )
    parts: list[RenderableType] = [table, Text(conditions), Text(NOTE, style='dim')]
    if settings['device'] == 'cpu':
        parts.append(Text('GPU: not measured (this ran on the processor)', style='yellow'))
    for aim in aims(settings, results):
        text = (
            f'aim: {aim.name}: {"at most" if aim.at_most else "at least"} {aim.limit:g} '
            f'{aim.unit}; found {aim.found:.2f}'
        )
        parts.append(Text(text, style='green' if aim.is_met else 'yellow'))
    return Group(*parts)


def _add(table: Table, name: str, row: Mapping[str, Any]) -> None:
    """Add a backend: a line for each part; what holds for all of it stands in the first."""
    head = (
        [f'{row["start_s"]:.1f}' if 'start_s' in row else '', _cosine(name, row)]
        + [f'{row["memory"][key] / MB:,.1f}' for key in ('weights_bytes', 'working_bytes')]
        if 'memory' in row
        else ['', '', '', '']
    )
    label: str = BACKENDS[name]
    for part, numbers in row['times'].items():
        cells = [f'{numbers[f"run_{key}_ms"]:.2f}' for key in ('p50', 'p99', 'max')]
        ratio = f'{numbers["times_eager"]:.2f}' if 'times_eager' in numbers else ''
        table.add_row(label, LABELS.get(part, f'  {part}'), *cells, ratio, *head)
        label, head = '', ['', '', '', '']
    for trouble in row['trouble']:
        short = trouble if len(trouble) <= TROUBLE_COLUMNS else f'{trouble[:TROUBLE_COLUMNS]}...'
        table.add_row(label, Text(short, style='yellow'))
    table.add_section()


def _cosine(name: str, row: Mapping[str, Any]) -> Text:
    if 'agreement' not in row:
        return Text('')
    cosine = row['agreement']['least_cosine']
    least = gate.LEAST_COSINE if name == 'fp8' else LEAST_COSINE
    return Text(f'{cosine:.6f}', style='green' if cosine >= least else 'yellow')
