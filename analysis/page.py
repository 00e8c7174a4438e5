"""The report as one HTML page that needs nothing else: no script, no request."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from analysis.provenance import CELLS, Chapter

TEMPLATES = Path(__file__).parent / "templates"
EMPTY = "no plan yet: run a grid first"


def page(chapters: Sequence[Chapter], files: Mapping[str, Sequence[str]], first: str) -> str:
    """The whole page; `files` has the names of all other files of each plan, by the plan's name.

    `first` is the command to run if there is no plan.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["inline"] = _inline
    template = environment.get_template("page.html")
    return template.render(chapters=chapters, files=files, cells=CELLS, empty=EMPTY, first=first) + "\n"


def _inline(svg: str) -> str:
    """A figure as an element of the page: names of the format, which look like addresses, are not needed there."""
    return re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)
