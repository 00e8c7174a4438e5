"""What a ranking says in three sentences, and what it may not be used for."""

from collections.abc import Sequence

from analysis.claims import RECOVERED
from analysis.page.ranking import Ranked, breaks
from analysis.reading.conditions import PLAIN
from analysis.reading.controls import answers_among
from analysis.reading.results import Results
from analysis.reading.stopping import stopped
from analysis.writing.caveats import interval_line, training_line, ways_line
from analysis.writing.sections import percent
from analysis.writing.tables import training_passes

SYNTHETIC = "synthetic"
"""The data set that the suite draws itself, by its name."""


def sentences(rows: Sequence[Ranked], results: Results) -> list[str]:
    """Who is ahead, who cannot be told apart from it, and what breaks the most methods at what cost.

    Methods with missing cells are left out, because the attack that breaks them may be among these.
    """
    methods = [row for row in rows if not (row.control or row.missing)]
    clean = next((row for row in rows if row.clean), None)
    if not methods:
        return []
    return [
        text
        for text in (_ahead(methods[0], clean), _not_told_apart(methods), _breaking(methods, clean, results))
        if text
    ]


def limits(results: Results, rows: Sequence[Ranked]) -> list[str]:
    """Sentences on what the numbers of a plan may not be used for."""
    place = rows[0].best.place if rows and rows[0].best else None
    scale = results.plan["scale"]["name"]
    lines = ["They are no numbers to compare with published ones."] if scale != "paper" else []
    if is_synthetic(results, place):
        lines.append("They are no evidence about photographs: the images are drawn by the suite.")
    lines += [interval_line(results)]
    missing = [row.title for row in rows if row.missing]
    if missing:
        lines.append(f"{', '.join(missing)}: not all attacks have been tried, so the numbers can only rise.")
    told = [tell(results, place) for tell in (training_line, ways_line)] if place else []
    return lines + [line for line in told if line]


def is_synthetic(results: Results, place: tuple[str, str] | None) -> bool:
    """Whether the images of a data set and model, else any of the plan, are those that the suite draws."""
    labels = {one.label["dataset"] for one in results.conditions if place is None or one.place == place}
    return any(label.split()[0] == SYNTHETIC for label in labels)


def _ahead(first: Ranked, clean: Ranked | None) -> str:
    below = f", {percent(clean.accuracy - first.accuracy)} points below clean images" if clean else ""
    place = "is ahead" if first.group is not None else "is lowest so far"
    return (
        f"{first.title} {place}: a trainer who chooses the attack gets {percent(first.accuracy)} %"
        f"{below}, by {'plain training' if first.attack == PLAIN else first.attack}."
    )


def _not_told_apart(methods: Sequence[Ranked]) -> str:
    """From the leader, by the groups of the league; empty if it is alone."""
    first, *others = methods
    if not others:
        return ""
    if first.group is None:
        return "Single runs tell no method apart from another: a few points mean nothing."
    close = [row.title for row in others if row.group == first.group]
    if not close:
        return "Every other method is told apart from it: tests at 5 % in all."
    return f"{_listed(close)} {'is' if len(close) == 1 else 'are'} not told apart from it: tests at 5 % in all."


def _breaking(methods: Sequence[Ranked], clean: Ranked | None, results: Results) -> str:
    """The attack under which most methods leave what clean images would give, nearly."""
    if not clean:
        return ""
    titles, place = {row.title for row in methods}, clean.best and clean.best.place
    here = [one for one in stopped(results) if one.place == place]
    free = [one for one in answers_among(here) if not (one.assumes or one.control)]
    first = {one.attack.title: one for one in reversed(free)}
    broken: dict[str, set[str]] = {title: set() for title in first}
    for one in free:
        if one.method.title in titles and breaks(one, clean):
            broken[one.attack.title].add(one.method.title)
    plainly = broken.pop(next((title for title, one in first.items() if one.label["attack"] == PLAIN), ""), set())
    count = max(map(len, broken.values()), default=0)
    if not count:
        return f"No attack brings any method back to {100 * RECOVERED:.0f} % of the best on clean images."
    most = [title for title, titles in broken.items() if len(titles) == count]
    names = _listed(most)
    act, it = ("breaks", "it reaches") if len(most) == 1 else ("break", "each reaches")
    cost = _times_plain(results, first[most[0]].label["attack"]) if len(most) == 1 else ""
    return (
        f"{names[:1].upper()}{names[1:]} {act} most, {count} of {len(methods)} methods{cost}: {it} "
        f"{100 * RECOVERED:.0f} % of the best on clean images. Plain training reaches that on {len(plainly) or 'none'} "
        "of them."
    )


def _listed(names: Sequence[str]) -> str:
    """`A, B and C`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _times_plain(results: Results, attack: str) -> str:
    """What training costs under an attack, if its passes and those of plain training are known."""
    passes, plain = (training_passes(results.conditions, label) for label in (attack, PLAIN))
    return f", at {passes / plain:.1f} times the training cost" if passes and plain else ""
