"""Colours and sizes: one drawing for light paper, which a page's style sheet can turn dark."""

import re
from collections.abc import Mapping
from typing import Any

# One colour of each joint; those of Okabe and Ito, which colour-blind people tell apart.
JOINT_COLOURS = ('#0072b2', '#d55e00', '#00875f', '#a8508a', '#9a6b00', '#3b8ec8')
MEASURED, APPLIED, REQUESTED, LEADER = '#2563ec', '#d9480f', '#8a94a0', '#12805a'
INK, SOFT, RULE, GROUND = '#1c2024', '#5c6670', '#dde2e7', '#ffffff'
MARK = '#6d28d9'  # of an instruction
MODE_COLOURS = {
    'following': '#9fd8b4',
    'blending': '#f6d37a',
    'holding': '#c3cad2',
    'estopped': '#f0958c',
    'inactive': '#e9ecef',
}

# What each colour becomes on a dark page.
_DARK = {
    INK: '#e6e9ec', SOFT: '#9aa5b1', RULE: '#333b44', GROUND: '#14181c', MARK: '#b79cff',
    MEASURED: '#7aa7ff', APPLIED: '#ff9a62', REQUESTED: '#77818c', LEADER: '#4fd0a0',
    '#0072b2': '#4ea3e0', '#d55e00': '#ff8a4c', '#00875f': '#3ccf9f', '#a8508a': '#e59cc4',
    '#9a6b00': '#f2b84b', '#3b8ec8': '#a8dcff',
    '#9fd8b4': '#1f6b46', '#f6d37a': '#7d5c0c', '#c3cad2': '#48525c', '#f0958c': '#97352c',
    '#e9ecef': '#262d34',
}  # fmt: skip

STYLE: Mapping[Any, Any] = {
    'font.family': ['DejaVu Sans'],
    'font.size': 9.0,
    'axes.titlesize': 9.5,
    'axes.titlelocation': 'left',
    'axes.labelsize': 8.5,
    'axes.labelcolor': SOFT,
    'axes.edgecolor': RULE,
    'axes.titlecolor': INK,
    'axes.facecolor': GROUND,
    'axes.grid': True,
    'axes.axisbelow': True,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'figure.facecolor': GROUND,
    'grid.color': RULE,
    'grid.linewidth': 0.7,
    'text.color': INK,
    'text.parse_math': False,  # an instruction may hold a dollar sign
    'xtick.color': SOFT,
    'ytick.color': SOFT,
    'xtick.labelsize': 8.0,
    'ytick.labelsize': 8.0,
    'lines.linewidth': 1.3,
    'lines.solid_joinstyle': 'round',
    'legend.frameon': False,
    'legend.fontsize': 8.0,
    'svg.fonttype': 'none',
    'path.simplify': False,  # it was done by columns, which keeps extremes
}


def style_sheet() -> str:
    """Return CSS that gives the drawings' colours names, dark where the reader's system is."""
    light = ''.join(f'--{_name(colour)}: {colour};' for colour in _DARK)
    dark = ''.join(f'--{_name(colour)}: {other};' for colour, other in _DARK.items())
    return f':root{{{light}}} @media (prefers-color-scheme: dark){{:root{{{dark}}}}}'


def with_named_colours(svg: str) -> str:
    """Return an SVG whose colours are those of the style sheet."""
    names = '|'.join(_DARK)
    return re.sub(names, lambda found: f'var(--{_name(found[0])})', svg)


def _name(colour: str) -> str:
    return f'plot-{colour[1:]}'
