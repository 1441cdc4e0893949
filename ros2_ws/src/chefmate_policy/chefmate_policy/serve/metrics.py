"""Statistics as Prometheus reads them.

The text format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import time
from collections.abc import Mapping

import numpy as np

from chefmate_core.timing import Durations
from chefmate_policy.serve.statistics import Statistics

CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
_QUANTILES = (0.5, 0.9, 0.99)


def prometheus(statistics: Statistics, gauges: Mapping[str, float], model: str) -> str:
    """Return the page; `gauges`: further values of now, by the end of their name."""
    lines: list[str] = []
    _head(lines, 'requests_total', 'counter', 'Requests by protocol, endpoint and outcome.')
    for (protocol, endpoint, outcome), count in sorted(statistics.requests.items()):
        _line(
            lines, 'requests_total', count, protocol=protocol, endpoint=endpoint, outcome=outcome
        )
    _head(lines, 'request_seconds', 'summary', 'From the request to its answer, successful ones.')
    _summary(lines, 'request_seconds', statistics.request, statistics.sums_s['request'])
    _head(lines, 'part_seconds', 'summary', 'Parts of an inference, as the engine names them.')
    for name, durations in sorted(statistics.parts.items()):
        total_s = statistics.sums_s[f'part {name}']
        _summary(lines, 'part_seconds', durations, total_s, part=name)
    _head(lines, 'connections', 'gauge', 'Open connections.')
    for protocol, count in sorted(statistics.connections.items()):
        _line(lines, 'connections', count, protocol=protocol)
    _head(lines, 'refused_connections_total', 'counter', 'Connections beyond the limit.')
    for protocol, count in sorted(statistics.refused_connections.items()):
        _line(lines, 'refused_connections_total', count, protocol=protocol)
    up_s = time.monotonic() - statistics.begun_s
    for name, value in {**gauges, 'uptime_seconds': up_s}.items():
        _head(lines, name, 'gauge', name.replace('_', ' ').capitalize() + '.')
        _line(lines, name, value)
    _head(lines, 'info', 'gauge', 'The model that is served.')
    _line(lines, 'info', 1, model=model)
    return '\n'.join(lines) + '\n'


def _head(lines: list[str], name: str, kind: str, text: str) -> None:
    lines += [f'# HELP chefmate_{name} {text}', f'# TYPE chefmate_{name} {kind}']


def _line(lines: list[str], name: str, value: float, **labels: str) -> None:
    shown = ','.join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    braces = f'{{{shown}}}' if shown else ''
    lines.append(f'chefmate_{name}{braces} {value:.9g}')


def _summary(
    lines: list[str], name: str, durations: Durations, total_s: float, **labels: str
) -> None:
    newest_s = durations.newest_s()
    if len(newest_s):
        for quantile, value in zip(_QUANTILES, np.quantile(newest_s, _QUANTILES), strict=True):
            _line(lines, name, float(value), **labels, quantile=f'{quantile:g}')
    _line(lines, f'{name}_sum', total_s, **labels)
    _line(lines, f'{name}_count', durations.count, **labels)


def _escaped(text: str) -> str:
    return text.replace('\\', r'\\').replace('"', r'\"').replace('\n', r'\n')
