"""The HTML of a report: one file, no script, nothing from elsewhere."""

from collections.abc import Sequence
from html import escape

from chefmate_core.dataset_checks.findings import Finding, Severity

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #5c6670; --rule: #dde2e7; --ground: #fff;
  --raised: #f5f7f9; --state: #2563eb; --action: #d9480f; --error: #b42318; --warning: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --soft: #9aa5b1; --rule: #333b44;
  --ground: #14181c; --raised: #1c2228; --state: #7aa7ff; --action: #ff9a62; --error: #ff8a80;
  --warning: #f0c060; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1100px; padding: 24px 20px 64px; color: var(--ink);
  background: var(--ground); font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 19px; margin: 40px 0 12px; }
h3 { font-size: 15px; margin: 18px 0 6px; color: var(--soft); font-weight: 600; }
p { margin: 0 0 12px; } .soft { color: var(--soft); }
code { font: 13px/1.5 ui-monospace, monospace; }
dl.facts { display: flex; flex-wrap: wrap; gap: 10px 28px; margin: 18px 0 0; }
dl.facts dt { color: var(--soft); font-size: 13px; } dl.facts dd { margin: 0; font-weight: 600; }
.finding { border-left: 3px solid var(--mark); background: var(--raised); margin: 0 0 10px;
  padding: 10px 14px; }
.finding p { margin: 2px 0 0; } .finding b { color: var(--mark); }
.finding.error { --mark: var(--error); } .finding.warning { --mark: var(--warning); }
.grid-of { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr));
  gap: 14px 20px; }
figure { margin: 0; } figcaption { font-size: 13px; color: var(--soft); }
svg { width: 100%; height: auto; display: block; } svg text { font: 10px system-ui, sans-serif;
  fill: var(--soft); } .grid { stroke: var(--rule); } polyline { fill: none; stroke-width: 1.6; }
.state { stroke: var(--state); } .action { stroke: var(--action); stroke-dasharray: 4 3; }
.bar { fill: var(--state); }
.key::before { content: ''; display: inline-block; width: 20px; margin-right: 6px;
  vertical-align: middle; border-top: 2px solid var(--state); }
.key.second::before { border-top: 2px dashed var(--action); } .key { margin-right: 18px; }
.strip { display: grid; grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); gap: 6px; }
.strip img { width: 100%; display: block; } .strip figcaption { font-size: 12px; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 6px 12px 6px 0; border-bottom: 1px solid var(--rule);
  vertical-align: top; } th { color: var(--soft); font-size: 13px; font-weight: 600; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
td.text { min-width: 180px; } a { color: var(--state); }
details { border-top: 1px solid var(--rule); padding: 10px 0; }
summary { cursor: pointer; font-weight: 600; }
"""


def page(title: str, sections: Sequence[str]) -> str:
    """Return a whole document."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><style>{_STYLE}</style></head><body>'
        f'{"".join(sections)}</body></html>\n'
    )


def heading(title: str, facts: Sequence[tuple[str, str]]) -> str:
    """Return the top of the page."""
    items = ''.join(
        f'<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>' for name, value in facts
    )
    return f'<h1>{escape(title)}</h1><dl class="facts">{items}</dl>'


def findings_section(findings: Sequence[Finding]) -> str:
    """Return all findings, worst first."""
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    if not findings:
        return '<h2>Findings</h2><p>Nothing found that breaks training.</p>'
    count = f'{errors} errors, {len(findings) - errors} warnings'
    return f'<h2>Findings: {count}</h2>' + ''.join(_finding(finding) for finding in findings)


def _finding(finding: Finding) -> str:
    return (
        f'<div class="finding {finding.severity.value}"><b>{escape(finding.name)}</b> '
        f'<span class="soft">{finding.severity.value}, {escape(str(finding.where))}</span>'
        f'<p>Found {escape(finding.found)}; expected {escape(finding.expected)}.</p>'
        f'<p class="soft">Repair: <code>{escape(finding.repair)}</code></p></div>'
    )


def table(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; columns are (title, class), cells are HTML."""
    head = ''.join(f'<th class="{kind}">{escape(title)}</th>' for title, kind in columns)
    body = ''.join(
        '<tr>'
        + ''.join(
            f'<td class="{kind}">{cell}</td>' for (_, kind), cell in zip(columns, row, strict=True)
        )
        + '</tr>'
        for row in rows
    )
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def filmstrip(camera: str, frames: Sequence[tuple[str, str]]) -> str:
    """Return images (caption, URI) of one camera in a row that wraps."""
    if not frames:
        return f'<h3>{escape(camera)}</h3><p class="soft">No readable image.</p>'
    figures = ''.join(
        f'<figure><img src="{uri}" alt="{escape(camera)} at {escape(caption)}">'
        f'<figcaption>{escape(caption)}</figcaption></figure>'
        for caption, uri in frames
    )
    return f'<h3>{escape(camera)}</h3><div class="strip">{figures}</div>'


def episode_section(anchor: str, summary: str, parts: Sequence[str], is_open: bool) -> str:
    """Return one episode's plots and pictures, folded unless `is_open`."""
    state = ' open' if is_open else ''
    return (
        f'<details id="{escape(anchor)}"{state}><summary>{escape(summary)}</summary>'
        f'{"".join(parts)}</details>'
    )


def key() -> str:
    """Return what the lines of the joint plots mean."""
    return (
        '<p><span class="key">state, as measured</span>'
        '<span class="key second">action, as commanded</span></p>'
    )
