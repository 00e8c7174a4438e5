"""Curves over the radius of adversarial training and over training, a panel for each method."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from statistics import fmean

from analysis.drawing.canvas import drawing
from analysis.drawing.panels import BARS, Curve, Panel, over, panels
from analysis.numbers.estimates import Estimate
from analysis.reading.conditions import PLAIN, ConditionResult
from analysis.reading.published import number, parse
from analysis.reading.results import Results
from analysis.writing.sections import Drawing
from bench.store import Record

UP = "accuracy, %"
FEWEST = 3
"""Points that make a curve."""
QUANTITIES = ("test_accuracy", "train_accuracy")
Points = list[tuple[float, float]]


def over_radius(plans: Sequence[Results]) -> list[Drawing]:
    """One, of the plan that has most points, if any has enough radii of PGD."""
    found = [(one, _by_radius(one)) for one in plans]
    plan, best = max(found, key=lambda pair: _known(pair[1]), default=(None, {}))
    clean = next((points for (_, is_clean), points in best.items() if is_clean), [])
    drawn = [
        Panel(title, [*([over("reference", clean)] if clean else []), over("first", points)])
        for (title, is_clean), points in best.items()
        if not is_clean and len(points) >= FEWEST
    ]
    if not drawn or plan is None:
        return []
    figure = panels(drawn, "radius of the victim's PGD, in 1/255", UP, {"first": "method", "reference": "clean images"})
    text = (
        f"Accuracy over the radius of adversarial training, from {plan.name}; 0 is plain training. A method is undone "
        "where its line meets that of clean images; where both fall, the radius costs more than it recovers. "
        f"{BARS}"
    )
    return [drawing(figure, "-radius.svg", text)]


def _known(found: Mapping[tuple[str, bool], Sequence[tuple[float, Estimate]]]) -> tuple[int, int]:
    """How much a plan has to draw: points of curves, then runs behind them."""
    curves = [own for (_, is_clean), own in found.items() if not is_clean and len(own) >= FEWEST]
    points = [value for own in curves for _, value in own]
    return len(points), sum(value.count for value in points)


def _by_radius(results: Results) -> dict[tuple[str, bool], list[tuple[float, Estimate]]]:
    """Accuracy over the radius in 1/255, by title of each method and whether it is the clean images."""
    found: dict[tuple[str, bool], list[tuple[float, Estimate]]] = {}
    first = next((one.place for one in results.conditions), None)
    for one in results.conditions:
        radius, value = _radius(one), one.accuracy
        if one.place == first and radius is not None and value and (one.is_clean or not one.control):
            found.setdefault((one.method.title, one.is_clean), []).append((255 * radius, value))
    return {key: sorted(points, key=itemgetter(0)) for key, points in found.items()}


def _radius(condition: ConditionResult) -> float | None:
    """Of PGD in the l-inf ball alone, 0 of plain training; None of anything else."""
    [(name, settings), *others] = parse(condition.label["attack"])
    if others or name not in (PLAIN, "pgd") or set(settings) - {"radius"}:
        return None
    return 0.0 if name == PLAIN else number(settings["radius"]) if settings else None


def over_training(results: Results) -> list[Drawing]:
    """One of plain training, from the histories of the records of a plan."""
    histories = {record["key"]: record["history"] for record in results.records if "history" in record}
    plain = [one for one in results.conditions if one.label["attack"] == PLAIN]
    plain = [one for one in plain if one.place == plain[0].place]
    own = [(one, [histories[key] for key in one.keys if key in histories]) for one in plain]
    test, seen = ({one.method.title: _mean(found, name) for one, found in own if found} for name in QUANTITIES)
    clean = next((test[one.method.title] for one, found in own if one.is_clean and found), [])
    drawn = [
        Panel(title, [*_curve("reference", clean), *_curve("second", seen[title]), *_curve("first", test[title])])
        for title in (one.method.title for one, found in own if found and not one.control)
    ]
    if not drawn:
        return []
    legend = {"first": "test images", "second": "its own training images", "reference": "test images, trained on clean"}
    figure = panels(drawn, "steps of plain training", "accuracy, %", legend)
    text = (
        "Accuracy over plain training. Protection is the gap between the dashed line, on the released images that the "
        "victim learns, and the solid one; a bump at the beginning is what early stopping could take."
    )
    return [drawing(figure, "-training.svg", text)]


def _mean(histories: Sequence[Record], name: str) -> Points:
    """Percent over steps, a mean over the victims that looked at the same steps as the first."""
    steps = histories[0]["step"]
    alike = [one[name] for one in histories if one["step"] == steps]
    return [(step, 100 * fmean(values)) for step, *values in zip(steps, *alike, strict=True)]


def _curve(style: str, points: Points) -> list[Curve]:
    """A curve, if there is any point."""
    return [Curve(style, [x for x, _ in points], [y for _, y in points])] if points else []
