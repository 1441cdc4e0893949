"""Point the CMake exports of the ROS 2 wheels at this interpreter.

The wheels export include folders of the machine that built them
(`/opt/python/cpXY-cpXY/include/...`), which exist nowhere else; CMake then refuses every package
that links against rosidl's Python generators. Replace them by this environment's own. Idempotent.
"""

import re
import sys
import sysconfig
from pathlib import Path

BUILDER_INCLUDE = re.compile(r'/opt/python/cp\d+-cp\d+/include/python3\.\d+')
BUILDER_NUMPY = re.compile(
    r'/opt/python/cp\d+-cp\d+/lib/python3\.\d+/site-packages/numpy/_core/include'
)


def repair(prefix: Path) -> int:
    """Repair `<prefix>/share/*/cmake/*Export*.cmake`; return how many files changed."""
    import numpy  # the environment's own, asked for its headers

    replacements = (
        (BUILDER_NUMPY, numpy.get_include()),
        (BUILDER_INCLUDE, sysconfig.get_path('include')),
    )
    changed = 0
    for path in sorted(prefix.glob('share/*/cmake/*Export*.cmake')):
        before = path.read_text()
        after = before
        for pattern, include in replacements:
            after = pattern.sub(lambda _, value=include: value, after)
        if after != before:
            path.write_text(after)
            changed += 1
    return changed


if __name__ == '__main__':
    print(f'repaired {repair(Path(sys.prefix))} CMake export files')
