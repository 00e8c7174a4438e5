"""What all figures share: their colours, and how they become SVG. The same records always draw the same bytes."""

import io
import re

import matplotlib
from matplotlib.figure import Figure

INK, QUIET = "#123457", "#808890"
"""INK stands for the colour of the surrounding text: the finished figure says `currentColor` instead."""


def svg(figure: Figure) -> str:
    """The figure as one element for a page or a file: no date, no random names, text as text."""
    stream = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "bench", "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", transparent=True)
    text = stream.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r' id="(figure|axes|patch|line2d|text|matplotlib\.axis|xtick|ytick|LineCollection)_\d+"', "", text)
    return text.replace(INK, "currentColor")
