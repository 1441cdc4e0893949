"""The page about findings and the catalogue say the same. Correct the page."""

import re
from pathlib import Path

from chefmate_core.dataset_checks import CATALOGUE

PAGE = Path(__file__).resolve().parents[4] / 'docs' / 'dataset-checks.md'


def test_the_page_has_every_finding_with_its_severity_in_the_order_of_the_catalogue():
    rows = re.findall(r'^\| `([a-z-]+)` \| (error|warning) \|', PAGE.read_text(), re.MULTILINE)
    assert rows == [(name, severity.value) for name, severity in CATALOGUE.items()]


def test_every_finding_of_the_catalogue_is_made_somewhere():
    folder = Path(__file__).resolve().parents[1] / 'chefmate_core' / 'dataset_checks'
    code = '\n'.join(
        path.read_text() for path in folder.glob('*.py') if path.name != 'findings.py'
    )
    assert [name for name in CATALOGUE if f"'{name}'" not in code] == []
