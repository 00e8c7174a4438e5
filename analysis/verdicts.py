"""What the records say of the paper's claims."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from analysis import correlation
from analysis.claims import CLAIMS, FAILS, HOLDS, NOT_RUN, OF_ONE, UNSURE, Claim, Sign
from analysis.evidence import Conditions, evidence, is_planned, meets, numbers, words
from analysis.numbers.differences import LEVEL, Difference, holm
from analysis.reading.conditions import by_place
from analysis.reading.results import Measured, Results
from analysis.reading.stopping import stopped
from analysis.signs import cells_behind, is_claimed, verdict
from analysis.writing.caveats import overfitting_line, training_line
from analysis.writing.provenance import Chapter, Progress, where_it_was_run
from analysis.writing.sections import Entry, Section, p_value, plain_table
from bench.store import Record
from bench.words import flat

HEAD = ("claim", "verdict", "over", "what decides it")
NOTE = (
    "Each claim is decided on one data set, with one network and one training. It holds if every comparison has an "
    "interval on the claimed side; of the radii of random noise, every one that a plan has. It does not hold if one is "
    "on the other side by a test at 5 %, Holm-corrected for the number of comparisons. Intervals are 95 % Student "
    "intervals of paired differences: over noises or over victim seeds, whichever is wider, if both sides have "
    "several noises, else over victims of one noise. A verdict of one noise says nothing of a second one. Sides with "
    "different numbers of noises are compared unpaired (Welch). Differences are percent points. A claim on a "
    "correlation is decided likewise, by its three coefficients over generators, unless the sign within the types of "
    "generators is another one."
)


def chapters(results: Sequence[Results], studies: Sequence[Chapter]) -> Iterator[Chapter]:
    """One for each scale at which any claim can be decided; `studies` are the chapters of the same plans."""
    unchanged = [(one, study) for one, study in zip(results, studies, strict=True) if not one.plan["set"]]
    for scale in dict.fromkeys(one.plan["scale"]["name"] for one, _ in unchanged):
        plans = [(one, study) for one, study in unchanged if one.plan["scale"]["name"] == scale]
        found = verdicts(
            [Source(stopped(one), _coefficients(study), _training(one), one.name, one.measured) for one, study in plans]
        )
        if any(one.word != NOT_RUN for one in found[0].rows):
            records = {record["key"]: record for one, _ in plans for record in one.all_records}
            yield Chapter(
                f"claims-{scale}",
                f"The paper's claims: what the records of scale {scale} say of them",
                "Each verdict is computed from the records of all grids of this scale. Radii are the paper's.",
                f"claims at scale {scale}",
                Progress(
                    len({cell["key"] for one, _ in plans for cell in one.all_cells if cell["status"] == "finished"}),
                    0,
                    0,
                ),
                where_it_was_run(list(records.values())),
                "",
                "",
                [
                    _section(
                        one,
                        "Verdicts on other data, networks or trainings" if number else "Verdicts",
                        NOTE if not number else "",
                        scale,
                        tell_training=one.training != found[0].training,
                        remarks=_caveats(one, [own for own, _ in plans]),
                    )
                    for number, one in enumerate(found)
                ],
            )


def _coefficients(study: Chapter) -> list[Record]:
    """The numbers of the correlation study of a plan."""
    return [row for section in study.sections if section.file == correlation.FILE for row in section.numbers]


def _training(results: Results) -> str:
    """How the victims of a plan were trained, without how often they were looked at."""
    told = ({key: value for key, value in recipe.items() if key != "evaluate_every"} for recipe in results.recipes)
    return "; ".join(dict.fromkeys(", ".join(flat(recipe)) for recipe in told))


class Source(NamedTuple):
    """What one plan knows of the claims."""

    conditions: Conditions
    coefficients: Sequence[Record] = ()
    """The numbers of its correlation study."""
    training: str = ""
    """How its victims were trained."""
    plan: str = ""
    """Its name."""
    measured: Sequence[Measured] = ()


class Verdict(NamedTuple):
    """What the records say of one claim."""

    claim: str
    word: str
    """Holds, does not hold, cannot be told, or not run."""
    over: str = ""
    """Over how many noises its comparisons are, such as `1 to 3 noises`, or generators; empty if none was run."""
    told: str = ""
    keys: Sequence[str] = ()
    """The cells that it is computed from."""
    numbers: Sequence[Record] = ()
    """Each comparison, or each coefficient, that was run."""
    weight: int = 0
    """Comparisons that were run; a correlation is one."""
    whole: bool = False
    """Whether all of them were."""


class Verdicts(NamedTuple):
    """What one data set says of the claims, with one network trained in one way."""

    place: tuple[str, str]
    rows: list[Verdict]
    training: str = ""


def verdicts(sources: Sequence[Source]) -> list[Verdicts]:
    """A row for each claim at the place that decides most comparisons, then at the others for what they decide whole.

    A claim is never decided with numbers of several places, or of several trainings: what holds on one data set need
    not on another.
    """
    at: dict[tuple[str, tuple[str, str]], list[Source]] = {}
    for source in sources:
        for place, conditions in by_place(source.conditions).items():
            own = [row for row in source.coefficients if (row["dataset"], row["model"]) == place]
            measured = [one for one in source.measured if one.place == place]
            here = source._replace(conditions=conditions, coefficients=own, measured=measured)
            at.setdefault((source.training, place), []).append(here)
    every = [
        Verdicts(place, [_judged(claim, here) for claim in CLAIMS], training)
        for (training, place), here in (at or {("", ("", "")): []}).items()
    ]
    first, *others = sorted(every, key=lambda one: -sum(row.weight for row in one.rows))
    decided = [one._replace(rows=[row for row in one.rows if row.whole]) for one in others]
    return [first, *(one for one in decided if one.rows)]


def _caveats(one: Verdicts, plans: Sequence[Results]) -> list[str]:
    """What may be wrong with the numbers behind some verdicts; how far victims are trained, of the largest plan."""
    own = [plan for plan in plans if _training(plan) == one.training]
    largest = sorted(own, key=lambda plan: -plan.count("finished"))
    trained = next(filter(None, (training_line(plan, one.place) for plan in largest)), "")
    told = (trained, *(overfitting_line(plan, one.place) for plan in own))
    return [line for line in dict.fromkeys(told) if line]


def _section(one: Verdicts, heading: str, note: str, scale: str, *, tell_training: bool, remarks: list[str]) -> Section:
    dataset, model = one.place
    rows: list[list[Entry | str]] = [
        [row.claim, Entry(row.word, keys=row.keys), row.over, row.told] for row in one.rows
    ]
    return Section(
        heading,
        plain_table(HEAD, rows, words=(0, 1, 2, 3)),
        context=", ".join([f"{model} on {dataset}", f"scale {scale}", *([one.training] if tell_training else [])]),
        note=note,
        remarks=remarks,
        numbers=[
            {"dataset": dataset, "model": model, "training": one.training, "claim": row.claim, "verdict": row.word}
            | dict(numbers)
            for row in one.rows
            for numbers in row.numbers
        ],
    )


def _judged(claim: Claim, sources: Sequence[Source]) -> Verdict:
    if claim.sign:
        return _of_sign(claim.text, claim.sign, sources)
    plans = [one.conditions for one in sources]
    known = [(one, found) for one in claim.comparisons if (found := evidence(one, plans))]
    needed = sum(is_planned(one, plans) for one in claim.comparisons) if claim.sampled else len(claim.comparisons)
    word = _verdict([found.difference for _, found in known], needed)
    if word in (HOLDS, FAILS) and min(found.noises for _, found in known) == 1:
        word = OF_ONE.format(word)
    sides = [side for _, found in known for side in (found.low, found.high)]
    return Verdict(
        claim.text,
        word,
        over=_range([found.noises for _, found in known]),
        told=";\n".join(words(one, found) for one, found in known),
        keys=list(dict.fromkeys(key for side in sides for key in side.keys)),
        numbers=[numbers(one, found) for one, found in known],
        weight=len(known),
        whole=0 < len(known) == needed,
    )


def _range(numbers: Sequence[int]) -> str:
    """The smallest and the largest: `1 noise`, `1 to 3 noises`."""
    ends = " to ".join(dict.fromkeys(str(end(numbers)) for end in (min, max) if numbers))
    return ends and f"{ends} noise{'s' if max(numbers) > 1 else ''}"


def _of_sign(text: str, sign: Sign, sources: Sequence[Source]) -> Verdict:
    """By the most generators of one study whose number and protection from the claim's training have coefficients."""
    met = {one.attack.title: one.attack.paper for own in sources for one in own.conditions if meets(one, sign.attacks)}
    pairings: dict[tuple[int, str, str], list[Record]] = {}
    for study, source in enumerate(sources):
        for row in source.coefficients:
            same = (row["measure"], row["number"]) == (sign.measure, sign.number)
            known = same and is_claimed(sign, row["settings"]) and row["value"] is not None
            if known and row["victim"] in met:
                pairings.setdefault((study, row["title"], row["victim"]), []).append(row)
    (study, *_), own = max(pairings.items(), key=lambda item: item[1][0]["generators"], default=((0, "", ""), []))
    word = verdict(own, sign.sign)
    if not word:
        return Verdict(text, NOT_RUN)
    first, source = own[0], sources[study]
    inside = correlation.coefficient(first["r_within_types"], first["p_within_types_holm"])
    within = "" if first["r_within_types"] is None else f"; r within types {inside} after Holm"
    points = correlation.points(first["generators"], first["planned"])
    where = ", ".join(filter(None, [met[first["victim"]], source.plan]))
    told = f"{'; '.join(map(_coefficient, own))}{within} ({where}). {sign.reading}"
    keys = list(cells_behind(sign, source.conditions, source.measured, first["victim"]))
    return Verdict(text, word, points, told, keys, own, weight=1, whole=first["generators"] == first["planned"])


def _coefficient(row: Record) -> str:
    ends = "" if row["low"] is None else f" [{row['low']:.2f}, {row['high']:.2f}]"
    return f"{row['coefficient']} {row['value']:.2f}{ends}, p {p_value(row['p'])}"


def _verdict(differences: Sequence[Difference], needed: int) -> str:
    """What so many differences say, each of which the claim wants to be above 0.

    One of many is below 0 by chance more often than in one of twenty, so that is corrected; all above 0 are not.
    """
    if not differences:
        return NOT_RUN
    found = [one.p for one in differences]
    below = zip(differences, holm(found), strict=True)
    if any(one.mean < 0 and p is not None and p < LEVEL for one, p in below):
        return FAILS
    above = [one.mean > 0 and p is not None and p < LEVEL for one, p in zip(differences, found, strict=True)]
    return HOLDS if len(above) == needed and all(above) else UNSURE
