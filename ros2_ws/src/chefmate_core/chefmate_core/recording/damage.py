"""Whether a finished episode can still be read, without reading all of it."""

import json
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from mcap.reader import SeekingReader

from chefmate_core.recording.salvage import BROKEN, MAGIC
from chefmate_core.recording.session import bag_file_name, episode_name

# Source: https://mcap.dev/spec#footer-op0x02: opcode, length, starts of the summary and of its
# offsets, CRC of everything from the start of the summary to itself.
FOOTER = struct.Struct('<BQQQI')
FOOTER_OPCODE, FOOTER_LENGTH, CRC_SIZE = 0x02, 20, 4


def damage_of(session: Path, index: int) -> str:
    """Return what is wrong with a finished episode, '' if nothing is.

    Looks at the ends of the bag, where a disk that lost something shows it, at the file that
    describes the bag and at the one that describes the episode.
    """
    folder = session / episode_name(index)
    try:
        if not isinstance(json.loads(folder.with_name(f'{folder.name}.json').read_text()), dict):
            return f'{folder.name}.json holds no object'
    except (OSError, ValueError):
        return f'{folder.name}.json is missing or damaged'
    if not (folder / 'metadata.yaml').is_file():
        return 'metadata.yaml is missing'
    path = folder / bag_file_name(index)
    try:
        with path.open('rb') as stream:
            if not _is_closed(stream):
                return f'{path.name} is cut off'
            if not _has_whole_summary(stream):
                return f'{path.name} is damaged'
            stream.seek(0)
            summary = SeekingReader(stream).get_summary()
    except OSError as error:
        return f'{path.name}: {error.strerror}'
    except BROKEN:
        return f'{path.name} is damaged'
    return '' if summary is not None and summary.channels else f'{path.name} is damaged'


def _is_closed(stream: BinaryIO) -> bool:
    size = stream.seek(0, 2)
    stream.seek(max(0, size - len(MAGIC)))
    return size > len(MAGIC) + FOOTER.size and stream.read() == MAGIC


def _has_whole_summary(stream: BinaryIO) -> bool:
    """Whether the index, which readers go by, is as it was written: the footer has its CRC."""
    footer_start = stream.seek(-len(MAGIC) - FOOTER.size, 2)
    opcode, length, summary_start, _, checksum = FOOTER.unpack(stream.read(FOOTER.size))
    if (opcode, length) != (FOOTER_OPCODE, FOOTER_LENGTH) or summary_start > footer_start:
        return False
    stream.seek(summary_start)
    covered = stream.read(footer_start - summary_start + FOOTER.size - CRC_SIZE)
    return checksum in (0, zlib.crc32(covered))  # 0: its writer wrote none
