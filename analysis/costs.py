"""What noise and training cost, and how visible the noise is: rows of a table, the headings first."""

from statistics import fmean

from analysis.conditions import Results
from analysis.labels import title
from analysis.tables import MISSING
from bench.store import Record


def noise_costs(results: Results) -> list[list[str]]:
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
    rows = [["method", *columns, "largest change"]]
    for name, cells in _grouped(results, list(noises.values()), ["dataset", "method"]).items():
        values = [_written(_mean(cells, quantity), digits) for quantity, digits in columns.values()]
        rows.append([name, *values, _steps(_mean(cells, "noise_linf"))])
    return rows


def attack_costs(results: Results) -> list[list[str]]:
    """For each attack: passes and seconds of training one victim, over all methods and seeds."""
    rows = [["attack", "passes", "seconds"]]
    for name, cells in _grouped(results, _finished(results), ["dataset", "model", "attack"]).items():
        rows.append([name, _written(_mean(cells, "train_passes"), 0), _written(_mean(cells, "train_seconds"), 1)])
    return rows


def _finished(results: Results) -> list[Record]:
    return [cell for cell in results.cells if cell["status"] == "finished"]


def _grouped(results: Results, cells: list[Record], labels: list[str]) -> dict[str, list[Record]]:
    """Cells by their last label, together with those of the others that the plan has several of; in plan order."""
    several = [label for label in labels[:-1] if len({cell[label] for cell in results.cells}) > 1]
    groups: dict[str, list[Record]] = {}
    for cell in cells:
        groups.setdefault(", ".join([*(cell[label] for label in several), title(cell[labels[-1]])]), []).append(cell)
    return groups


def _mean(cells: list[Record], quantity: str) -> float | None:
    values = [cell[quantity] for cell in cells if cell[quantity] is not None]
    return fmean(values) if values else None


def _written(value: float | None, digits: int) -> str:
    return MISSING if value is None else f"{value:,.{digits}f}"


def _steps(linf: float | None) -> str:
    """A bound in [0, 1] units as steps of 1/255."""
    return MISSING if linf is None else f"{255 * linf:.0f}/255"
