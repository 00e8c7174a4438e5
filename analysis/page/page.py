"""The report as one HTML page that needs nothing else: no request; what its scripts add nobody needs to read it."""

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence

from jinja2 import Environment
from markupsafe import Markup

from analysis.claims import NOT_RUN, UNSURE
from analysis.drawing.gallery_images import FACTOR, Gallery, committed
from analysis.page.answer import Answer
from analysis.page.blocks import blocks
from analysis.page.opened import Opened
from analysis.page.portraits import Portrait
from analysis.writing.provenance import CELLS, SCALE_SETS, Chapter
from analysis.writing.sections import Section, percent, rough
from analysis.writing.templating import TEMPLATES, environment

EMPTY = "no plan yet: run a grid first"
SPARED = (
    (r' xmlns(:\w+)?="[^"]*"|<!--.*?-->', ""),  # names that look like addresses, and remarks
    (r'font-family: [^;"]*; ?', ""),  # the page sets it
    (r' transform="rotate\(-?0 [^"]*"', ""),
    (r"\s*\n\s*", " "),
    (r"<g> *((?:<(?:path|text)[^>]*>(?:[^<]*</text>)? ?)+)</g>", r"\1"),  # a group of no property
    (r"> +<", "><"),
    (r"<g/>|<g></g>", ""),
)
"""What a figure does not need within a page, and what stands there instead."""
SVG, STYLE = re.compile(r"<svg.*?</svg>", re.DOTALL), re.compile(r' style="([^"]*)"')
TAG, LINE = re.compile(r"<[^>]*>"), re.compile(r' d="[^"]*"')
"""What stands between tags is text, which a plan may have written."""
TOLD = (CELLS, "Scale", SCALE_SETS)
"""Facts that a page tells elsewhere: once for each scale, or beside the title."""


def page(
    answers: Sequence[Answer],
    chapters: Sequence[Chapter],
    opened: Opened,
    files: Mapping[str, Sequence[str]],
    first: str,
    portraits: Sequence[tuple[str, Sequence[Portrait]]] = (),
    gallery: Gallery | None = None,
) -> str:
    """The whole page; `files` has the names of all other files of each plan, by the plan's name.

    `first` is the command to run if there is no plan; `portraits` are those of methods and of attacks, with titles.
    Beside these stands a gallery: `gallery`, else the committed one.
    """
    portraits = [(title, found) for title, found in portraits if found]
    shown = gallery or (committed() if portraits else None)
    template = _templates(opened).get_template("page.html")
    words = template.render(
        answers=answers,
        chapters=chapters,
        files=files,
        told=TOLD,
        undecided=(UNSURE, NOT_RUN),
        empty=EMPTY,
        first=first,
        records=opened.packed(),
        portraits=portraits,
        anchors={one.title: one.anchor for _, found in portraits for one in found},
        shown=shown,
        sheets={sheet.title: sheet for sheet in shown.sheets} if shown else {},
        factor=FACTOR,
    )
    return _with_classes(f"{words}\n")


def _templates(opened: Opened) -> Environment:
    """What renders a page whose numbers open these records."""
    templates = environment()
    templates.globals |= {"asset": _asset}
    templates.filters |= {
        "blocks": blocks,
        "data_address": _data_address,
        "inline": _inline,
        "percent": percent,
        "rough": rough,
        "places": opened.places,
        "shared_remarks": shared_remarks,
    }
    return templates


def shared_remarks(sections: Sequence[Section]) -> list[str]:
    """What is said under more than one table of a chapter, and so is told once."""
    counts = Counter(remark for section in sections for remark in section.remarks)
    return [remark for remark, count in counts.items() if count > 1]


def _asset(name: str) -> Markup:
    """A file of ours as it is, for a place where nothing is escaped."""
    return Markup((TEMPLATES / name).read_text("utf-8"))  # noqa: S704 - no user wrote it


def _data_address(png: bytes) -> str:
    """An image as an address that needs no request."""
    return f"data:image/png;base64,{b64encode(png).decode()}"


def _inline(svg: str) -> str:
    """A figure as an element of the page, which looks the same and takes fewer bytes."""
    for pattern, by in SPARED:
        svg = re.sub(pattern, by, svg, flags=re.DOTALL)
    return TAG.sub(_shorter, svg)  # what stands between tags is text, where 0.875 and M 1 stay


def _shorter(tag: re.Match[str]) -> str:
    """Places with two decimals, and lines as M1 2L3 4."""
    rounded = re.sub(r"(\.\d\d)\d+", r"\1", tag[0])
    return LINE.sub(lambda line: " " + re.sub(r" ?([A-Zz]) ?", r"\1", line[0][1:]), rounded)


def _with_classes(words: str) -> str:
    """A page whose figures share their styles, each as a class of one letter and a number: half of their bytes."""
    counts = Counter(style for svg in SVG.findall(words) for tag in TAG.findall(svg) for style in STYLE.findall(tag))
    classes = {style: f"s{number}" for number, (style, count) in enumerate(counts.most_common()) if count > 1}

    def shared(style: re.Match[str]) -> str:
        return f' class="{classes[style[1]]}"' if style[1] in classes else style[0]

    rules = "".join(f".{name}{{{style.replace('; ', ';')}}}" for style, name in classes.items())
    return SVG.sub(lambda svg: TAG.sub(lambda tag: STYLE.sub(shared, tag[0]), svg[0]), words).replace(
        "</head>", f"<style>{rules}</style>\n</head>", 1
    )
