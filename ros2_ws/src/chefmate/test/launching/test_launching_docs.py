from pathlib import Path

from chefmate.launching.standin import OFFERED

PAGE = Path(__file__).parents[5] / 'docs/launching.md'


def test_the_page_names_everything_that_the_runner_offers():
    """If this fails, add the name to docs/launching.md, which the runner's refusals point to."""
    text = PAGE.read_text()
    missing = {name for names in OFFERED.values() for name in names if f'`{name}`' not in text}
    assert not missing
