"""What all figures share: inks, little ink, and the SVG and PNG that they become. The same records, the same bytes."""

import io
import re
from base64 import b64decode, b64encode
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from analysis.writing.sections import Drawing

INK, QUIET = "#123457", "#808890"
"""INK stands for the colour of the surrounding text: the finished figure says `currentColor` instead."""
PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]
"""Okabe and Ito's colours, which colour-blind people tell apart; without those that vanish on black or white."""
MARKERS = "osD^vPX"
DASHES: list[Any] = ["-", (0, (5, 2)), (0, (1, 1.5))]
LITERAL: dict[Any, Any] = {"text.parse_math": False}
"""A title is text, also one with dollar signs."""
SHARP = 160
"""Points in an inch of a PNG."""
QUICK = {"compress_level": 3}
"""Half the time for a tenth more bytes."""
DOTS, COLOURS = 110, 32
"""Points in an inch, and colours, of what is rasterised in an SVG."""


def svg(figure: Figure) -> str:
    """The figure as one element for a page or a file: no date, no random names, text as text."""
    stream = io.StringIO()
    with matplotlib.rc_context({**LITERAL, "svg.hashsalt": "bench", "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", transparent=True, dpi=DOTS)
    text = stream.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r' id="(figure|axes|patch|line2d|text|matplotlib\.axis|xtick|ytick|LineCollection)_\d+"', "", text)
    text = re.sub(r"(?<=data:image/png;base64,)[^\"]*", _smaller, text)
    return text.replace(INK, "currentColor")


def _smaller(png: re.Match[str]) -> str:
    """What was rasterised, of so few colours that they fit a palette: a fifth of the bytes."""
    stream = io.BytesIO()
    image = Image.open(io.BytesIO(b64decode(png[0]))).quantize(COLOURS, Image.Quantize.FASTOCTREE)
    image.save(stream, format="PNG", optimize=True)
    return b64encode(stream.getvalue()).decode()


def png(figure: Figure) -> bytes:
    """The figure as an image on white."""
    stream = io.BytesIO()
    with matplotlib.rc_context(LITERAL):
        figure.savefig(
            stream, format="png", dpi=SHARP, facecolor="white", metadata={"Software": None}, pil_kwargs=QUICK
        )
    return stream.getvalue()


def drawing(figure: Figure, file: str, text: str) -> Drawing:
    """The figure with the end of its file's name, such as `-cost.svg`, and what to see in it."""
    return Drawing(file, svg(figure), text, png(figure))


def canvas(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, which can measure text."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def bare(axes: Axes, size: int = 9) -> None:
    """Leave axes their left and bottom edges, thin, and ticks without length."""
    axes.patch.set_visible(False)
    axes.tick_params(colors=INK, labelsize=size, length=0, pad=4)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set(color=INK, alpha=0.5)
