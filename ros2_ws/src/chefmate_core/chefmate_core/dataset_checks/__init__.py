"""What breaks training, found by name; and a page that shows a data set.

`check(path)` returns findings, `report(path, out)` writes an HTML page, both of a LeRobot v2.1 or
v3.0 data set, one of GR00T, or a recorded session. docs/dataset-checks.md explains each finding.
"""

from chefmate_core.dataset_checks.check import check
from chefmate_core.dataset_checks.findings import CATALOGUE, Finding, Severity, Where
from chefmate_core.dataset_checks.report import report

__all__ = ['CATALOGUE', 'Finding', 'Severity', 'Where', 'check', 'report']
