"""The study of costs: what noise and training cost, and how visible the noise is."""

from collections.abc import Sequence
from statistics import fmean

from analysis.reading.conditions import LABEL, PLAIN
from analysis.reading.results import Results
from analysis.writing.sections import MISSING, Entry, Section, Table, plain_table
from bench.store import Record

NOTE = (
    "One pass is forward and backward of 128 images. Seconds depend on the machine and on what else ran there. The "
    "measure generation_time takes those of the noise by itself; with --jobs 1 nothing of the run is beside it."
)
Groups = dict[tuple[str, ...], list[Record]]
"""Cells by their labels, in the order of the plan."""


def sections(results: Results) -> list[Section]:
    """One for noise and one for training, if any cell is finished."""
    if not _finished(results):
        return []
    return [
        Section("Cost of noise: each counts once", _noise(results), note=NOTE, folded=True),
        Section("Cost of training: mean over all methods and seeds", _training(results), note=NOTE, folded=True),
    ]


def _noise(results: Results) -> Table:
    """For each method: passes and seconds of making its noise, and how visible it is; each noise counts once."""
    noises = {cell["noise_key"]: cell for cell in _finished(results)}
    columns = {
        "passes": ("noise_passes", 0),
        "seconds": ("noise_seconds", 1),
        "l2": ("noise_l2", 2),
        "changed pixels": ("noise_l0", 0),
        "PSNR, dB": ("noise_psnr", 1),
        "SSIM": ("noise_ssim", 3),
    }
    rows: list[list[Entry | str]] = []
    for place, cells in _grouped(list(noises.values()), ["dataset", "method"]).items():
        values = [_written(_mean(cells, quantity), digits) for quantity, digits in columns.values()]
        rows.append([_name(results, place), *_opening([*values, _steps(_mean(cells, "noise_linf"))], cells)])
    return plain_table(["method", *columns, "largest change"], rows)


def _training(results: Results) -> Table:
    """For each attack: passes and seconds of training one victim, over all methods and seeds, and as a multiple.

    The multiples are of plain training of the same network on the same data, if the plan has it.
    """
    groups = _grouped(_finished(results), ["dataset", "model", "attack"])
    rows: list[list[Entry | str]] = []
    for place, cells in groups.items():
        plain = groups.get((*place[:-1], PLAIN), [])
        row = []
        for quantity, digits in (("train_passes", 0), ("train_seconds", 1)):
            row += [_written(_mean(cells, quantity), digits), _written(_ratio(cells, plain, quantity), 1)]
        rows.append([_name(results, place), *_opening(row, cells)])
    return plain_table(["attack", "passes", "times plain training", "seconds", "times plain training"], rows)


def _opening(texts: Sequence[str], cells: Sequence[Record]) -> list[Entry | str]:
    """Numbers that open the cells that they are means over."""
    return [Entry(text, keys=[cell["key"] for cell in cells]) for text in texts]


def _finished(results: Results) -> list[Record]:
    return [cell for cell in results.cells if cell["status"] == "finished"]


def _grouped(cells: list[Record], labels: list[str]) -> Groups:
    groups: Groups = {}
    for cell in cells:
        groups.setdefault(tuple(cell[label] for label in labels), []).append(cell)
    return groups


def _name(results: Results, place: tuple[str, ...]) -> str:
    """The last label as people read it, after those of the others that the plan has several of."""
    several = [
        label for part, label in zip(LABEL, place[:-1], strict=False) if len({cell[part] for cell in results.cells}) > 1
    ]
    return ", ".join([*several, results.title(place[-1])])


def _mean(cells: list[Record], quantity: str) -> float | None:
    values = [cell[quantity] for cell in cells if cell[quantity] is not None]
    return fmean(values) if values else None


def _ratio(cells: list[Record], plain: list[Record], quantity: str) -> float | None:
    ours, theirs = _mean(cells, quantity), _mean(plain, quantity)
    return ours / theirs if ours is not None and theirs else None


def _written(value: float | None, digits: int) -> str:
    return MISSING if value is None else f"{value:,.{digits}f}"


def _steps(linf: float | None) -> str:
    """A bound in [0, 1] units as steps of 1/255."""
    return MISSING if linf is None else f"{255 * linf:.0f}/255"
