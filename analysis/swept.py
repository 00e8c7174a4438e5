"""Figures of settings that a grid varies: curves over one, such as M or J, and maps over two, such as two radii."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from operator import itemgetter

import matplotlib
from matplotlib.figure import Figure

from analysis.drawing.canvas import INK, LITERAL, PALETTE, canvas, drawing
from analysis.drawing.curves import FEWEST
from analysis.drawing.panels import BARS, Curve, Panel, over, panels
from analysis.numbers.estimates import Estimate
from analysis.reading.conditions import ConditionResult, by_place
from analysis.reading.published import number, parse
from analysis.reading.results import Results
from analysis.writing.sections import Drawing, file_of

Sweep = dict[tuple[str, ...], Estimate]
"""Accuracies by the values of the settings, as the grid writes them."""
Costs = dict[tuple[str, ...], float]
"""Passes of making the noise, by the same values."""
Varied = tuple[str, tuple[str, ...]]
"""The names of a method and of the settings that the grid wrote out for it."""
ORDER = ("first", "second", "third")
"""Styles of the curves of attacks."""
DANGLING = (" of", " to")
"""Ends of phrases that lack their value, such as `SEM, adversary of`."""
CELL = 0.62
"""Inches of a place of a map."""


def swept(results: Results) -> list[Drawing]:
    """Of each data set and model: one of all settings that vary alone, and one for each pair that varies together."""
    places = by_place(results.conditions)
    found = {place: _of_place(conditions) for place, conditions in places.items()}
    if len(places) == 1:
        return [drawn for drawings in found.values() for drawn in drawings]
    return [
        replace(
            one, file=one.file.replace(".svg", f"{file_of(place)}.svg"), text=f"{' on '.join(place[::-1])}: {one.text}"
        )
        for place, drawings in found.items()
        for one in drawings
    ]


def _of_place(conditions: Sequence[ConditionResult]) -> list[Drawing]:
    found: dict[Varied, dict[str, Sweep]] = {}
    titles: dict[str, list[str]] = {}
    costs: dict[Varied, Costs] = {}
    for one in conditions:
        value = one.accuracy
        [(name, settings), *_] = parse(one.label["method"])
        numeric = settings and all(number(text) is not None for text in settings.values())
        if value and numeric and not one.control:
            titles.setdefault(name, []).append(one.method.title)
            sweeps = found.setdefault((name, tuple(settings)), {})
            sweeps.setdefault(one.attack.title, {})[tuple(settings.values())] = value
            if passes := one.estimates["noise_passes"]:
                costs.setdefault((name, tuple(settings)), {})[tuple(settings.values())] = passes.mean
    clean = {one.attack.title: one.accuracy for one in conditions if one.is_clean}
    called = {name: _shared(each) or name for name, each in titles.items()}
    return [*_curves(found, called, clean, costs), *_maps(found, called)]


def _shared(titles: Sequence[str]) -> str:
    """The words with which all titles begin: what is left without the settings that vary, and no half of a phrase."""
    alike = takewhile(lambda words: len(set(words)) == 1, zip(*(title.split() for title in titles), strict=False))
    shared = " ".join(words[0] for words in alike).rstrip(",")
    return shared.rpartition(", ")[0] if shared.endswith(DANGLING) else shared


def _curves(
    found: Mapping[Varied, Mapping[str, Sweep]],
    called: Mapping[str, str],
    clean: Mapping[str, Estimate | None],
    costs: Mapping[Varied, Costs],
) -> list[Drawing]:
    """A panel for each method and setting, with a curve for each of the first attacks.

    If the noise's passes depend on the setting, a second panel has the same accuracies over these. If there is one
    attack, what it reaches on clean images is a line as well.
    """
    alone = {
        (name, settings): {attack: sweep for attack, sweep in sweeps.items() if len(sweep) >= FEWEST}
        for (name, settings), sweeps in found.items()
        if len(settings) == 1
    }
    attacks = list(dict.fromkeys(attack for sweeps in alone.values() for attack in sweeps))[: len(ORDER)]
    styles = dict(zip(attacks, ORDER, strict=False))
    reference = clean.get(attacks[0]) if len(attacks) == 1 else None
    drawn = []
    for (name, (setting,)), sweeps in alone.items():
        passes = costs.get((name, (setting,)), {})
        scales = {"": {value: _number(*value) for sweep in sweeps.values() for value in sweep}}
        if len(passes) == len(scales[""]) and len(set(passes.values())) > 1:
            scales["passes by "] = passes
        for title, across in scales.items():
            own = [_curve(styles[one], sweeps[one], across) for one in attacks if one in sweeps]
            level = [_level(own[0], reference)] if own and reference else []
            if own:
                drawn.append(Panel(f"{called[name]}, {title}{setting.replace('_', ' ')}", [*level, *own]))
    if not drawn:
        return []
    legend = {style: attack for attack, style in styles.items()} | ({"reference": "clean images"} if reference else {})
    named = "value of the setting, or passes of 128 images to make the noise"
    figure = panels(drawn, named, "accuracy, %", legend, alike=False)
    text = (
        "Accuracy over a setting of the method, all others as they are, and over the passes that the noise then costs; "
        f"lower protects better. {BARS}"
    )
    return [drawing(figure, "-settings.svg", text)]


def _curve(style: str, sweep: Sweep, across: Costs) -> Curve:
    return over(style, sorted(((across[value], known) for value, known in sweep.items()), key=itemgetter(0)))


def _level(along: Curve, known: Estimate) -> Curve:
    """The same accuracy all along a curve."""
    ends = [along.across[0], along.across[-1]]
    return Curve("reference", ends, [100 * known.mean] * 2)


def _maps(found: Mapping[Varied, Mapping[str, Sweep]], called: Mapping[str, str]) -> list[Drawing]:
    """A map for each method, pair of settings and attack with enough of them."""
    drawn: list[Drawing] = []
    whole = [(*varied, attack, sweep) for varied, sweeps in found.items() for attack, sweep in _pooled(sweeps).items()]
    for name, settings, attack, sweep in whole:
        by_row = attack not in found[name, settings] and _is_of_rows(found[name, settings])
        values = [sorted({key[place] for key in sweep}, key=_number) for place in range(len(settings))]
        if len(settings) == 2 and min(map(len, values)) >= 2 and len(sweep) >= FEWEST:
            first, second = (setting.replace("_", " ") for setting in settings)
            row = " in its row" if by_row else ""
            text = (
                f"Accuracy in percent of {called[name]} under {attack}, by {first} (down) and {second} (across); a "
                f"stronger colour is higher{row} and protects less; the lowest{row} has a frame."
            )
            figure = _map(sweep, values, (first, second), by_row=by_row)
            drawn.append(drawing(figure, f"-map-{name}-{len(drawn)}.svg", text))
    return drawn


def _is_of_rows(sweeps: Mapping[str, Sweep]) -> bool:
    """Whether each value of the first setting has met one attack, so that only its row can be compared."""
    met = {(key[0], attack) for attack, sweep in sweeps.items() for key in sweep}
    return len(met) == len({first for first, _ in met})


def _pooled(sweeps: Mapping[str, Sweep]) -> Mapping[str, Sweep]:
    """All attacks as one if each point has met a single one, such as one of the same radius."""
    every = {key: known for sweep in sweeps.values() for key, known in sweep.items()}
    return sweeps if len(every) < sum(map(len, sweeps.values())) else {" or ".join(sweeps): every}


def _map(sweep: Sweep, values: Sequence[Sequence[str]], names: tuple[str, str], *, by_row: bool) -> Figure:
    """Numbers on colours, which go from the lowest to the highest of all, or of each row."""
    down, across = values
    width, height = CELL * len(across) + 1.1, CELL * 0.7 * len(down) + 0.9
    figure = canvas(width, height)
    percents = {key: 100 * known.mean for key, known in sweep.items()}
    with matplotlib.rc_context(LITERAL):
        axes = figure.add_axes((0.9 / width, 0.6 / height, 1 - 1.0 / width, 1 - 0.7 / height))
        for (first, second), accuracy in percents.items():
            compared = [value for (row, _), value in percents.items() if row == first or not by_row]
            lowest, highest = min(compared), max(compared)
            x, y = across.index(second), down.index(first)
            strength = 0.08 + 0.67 * (accuracy - lowest) / max(highest - lowest, 1e-9)
            axes.add_patch(matplotlib.patches.Rectangle((x, y), 1, 1, facecolor=(PALETTE[1], strength), linewidth=0))
            if accuracy == lowest:
                axes.add_patch(matplotlib.patches.Rectangle((x + 0.05, y + 0.07), 0.9, 0.86, fill=False, edgecolor=INK))
            axes.text(x + 0.5, y + 0.52, f"{accuracy:.1f}", color=INK, fontsize=9, ha="center", va="center")
        axes.set_xlim(0, len(across))
        axes.set_ylim(len(down), 0)
        axes.set_xticks([place + 0.5 for place in range(len(across))], across)
        axes.set_yticks([place + 0.5 for place in range(len(down))], down)
        axes.set_xlabel(names[1], color=INK, fontsize=9)
        axes.set_ylabel(names[0], color=INK, fontsize=9)
        axes.tick_params(colors=INK, labelsize=9, length=0)
        axes.patch.set_visible(False)
        for spine in axes.spines.values():
            spine.set_visible(False)
    return figure


def _number(text: str) -> float:
    value = number(text)
    assert value is not None  # others are left out
    return value
