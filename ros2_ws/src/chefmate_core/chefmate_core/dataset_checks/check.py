"""`check`: what is wrong with a data set or a session."""

from pathlib import Path

from chefmate_core.dataset.layout import INFO, Format
from chefmate_core.dataset_checks.dataset_examination import examine_dataset
from chefmate_core.dataset_checks.examination import Examination, Visit
from chefmate_core.dataset_checks.findings import SESSION, Finding, Repairs, Where
from chefmate_core.dataset_checks.session_examination import examine_session
from chefmate_core.session_reader.manifest import SESSION_FILE


def check(path: str | Path) -> list[Finding]:
    """Return everything that is wrong with a data set or a session, errors first.

    Reads all rows and decodes all videos once. Nothing is changed.
    """
    return examine(path).findings


def examine(path: str | Path, visit: Visit | None = None) -> Examination:
    """Look through a data set or a session; `visit` sees each episode that can be read."""
    root = Path(path)
    is_session = (root / SESSION_FILE).is_file()
    repairs = Repairs(str(root), SESSION if is_session else Format.LEROBOT_V30.value)
    examination = Examination(root, repairs, visit)
    if is_session:
        examine_session(root, examination)
    elif (root / INFO).is_file():
        examine_dataset(root, examination)
    else:
        examination.add([
            Finding(
                'not-a-data-set',
                Where(''),
                'a folder' if root.is_dir() else 'no such folder',
                f'a recorded session ({SESSION_FILE}) or a data set ({INFO})',
                'give the folder that holds that file',
            )
        ])  # fmt: skip
    examination.finish()
    return examination
