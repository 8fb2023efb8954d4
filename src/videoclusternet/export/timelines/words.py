"""Names as timeline formats can hold them, places of files, and XML."""

from __future__ import annotations

import unicodedata
import xml.etree.ElementTree as ET
from urllib.parse import quote

from videoclusternet.export.sheet import Reel


def sound(text: str) -> str:
    """Return a text without zeros, at which C ends it, and without halves of characters."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\ufffd")


def one_line(text: str) -> str:
    """Return a text as one line that XML can hold: no control characters, single spaces."""
    kept = (
        " " if unicodedata.category(c) == "Cc" else "\ufffd" if c in "\ufffe\uffff" else c
        for c in sound(text.replace("\0", " "))
    )
    return " ".join("".join(kept).split())


def place_of(reel: Reel, host: str = "") -> str | None:
    """Return the place of a film's file as a URL, percent-encoded; None where it has none."""
    return reel.path.as_uri().replace("file://", f"file://{host}", 1) if reel.path else None


def nowhere(reel: Reel) -> str:
    """Return a relative URL that stands for a film without a file."""
    return quote(one_line(reel.name), safe="")


def add(parent: ET.Element, tag: str, text: object = None, **attributes: str) -> ET.Element:
    """Add an element."""
    child = ET.SubElement(parent, tag, attributes)
    if text is not None:
        child.text = str(text)
    return child


def document(root: ET.Element) -> str:
    """Return an XML document."""
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE {root.tag}>\n{body}\n'
