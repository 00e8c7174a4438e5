"""The embedding of perturbations, and the numbers of each source."""

from analysis.drawing.scatter import clouds, shapes
from analysis.reading.perturbations import Collected, First, collected
from analysis.reading.results import Results
from analysis.writing.noises import INTERVALS, over_noises
from analysis.writing.sections import Entry, Section, file_of, percent, plain_table

COLUMNS = {
    "mean_l2": "mean l2 norm",
    "saturated": "saturated values",
    "participation_ratio": "dimensions filled",
    "cosine": "cosine within",
}
NOTE = (
    "Perturbations of the same whole images: uniform draws, random signs, those of the noise step at several steps of "
    "the surrogate, and those that PGD finds on a victim at several steps. In the picture, of {}, each "
    "column shows one source; grey is where any source lies. It shows what lies near; numbers carry the conclusion, "
    "also those of the table that tells how far these are from the victim's."
)
COMPONENTS = "first components"
SHAPES = (
    "Shares of a source's perturbations by their l2 norm and by the share of their values that are as large as the "
    "source's largest, and the share of its variance in its first principal components, as many as the axis says, of "
    "{}. Earlier networks have shorter dashes."
)


def sections(results: Results) -> list[Section]:
    """One or two for each generator whose perturbations were collected, and each way of it.

    Numbers are those of all its noises, pictures those of the first that has any. A record that does not hold what it
    should is told, and its noise left out.
    """
    found = []
    for one in collected(results):
        found.append(_section(results, one))
        if one.first and COMPONENTS in one.first.cloud.shapes:
            found.append(_shapes(results, one, one.first))
    return found


def _section(results: Results, one: Collected) -> Section:
    keys = one.measured.keys
    names = dict.fromkeys(name for cloud in one.noises.values() for name in cloud.sources)
    found = {name: [cloud.sources.get(name) if cloud else None for cloud in one.every] for name in names}
    rows = [
        [Entry(name), *(over_noises(key, [getattr(about, key, None) for about in own], keys) for key in COLUMNS)]
        for name, own in found.items()
    ]
    file = "-perturbations" + file_of(one.labels)
    points = one.first.cloud.points if one.first else {}
    return Section(
        one.heading("Perturbations of {} and of its victim"),
        plain_table(["source", *COLUMNS.values()], rows),
        context=results.context(one.place),
        note=NOTE.format(one.first.words if one.first else "the first noise"),
        intervals=INTERVALS,
        remarks=one.damaged,
        figure=clouds(points, one.heading("perturbations of {} and of its victim"), file) if points else None,
        file=file,
        numbers=[
            one.columns | {"noise": noise, "source": name, **about.model_dump(exclude={"against"})}
            for name, own in found.items()
            for noise, about in enumerate(own)
            if about
        ],
    )


def _shapes(results: Results, one: Collected, first: First) -> Section:
    cloud = first.cloud
    components = cloud.shapes[COMPONENTS]
    told = [(number, f"{count:g}") for number, count in enumerate(components.across) if number % 2 == 0]
    file = "-shapes" + file_of(one.labels)
    return Section(
        one.heading("Sizes and dimensions of the perturbations of {} and of its victim"),
        plain_table(
            ["source", *(f"variance in {count} component{'s' if count != '1' else ''}, %" for _, count in told)],
            [[name, *(percent(shares[number]) for number, _ in told)] for name, shares in components.up.items()],
        ),
        context=results.context(one.place),
        note=SHAPES.format(first.words),
        figure=shapes({name: (shape.across, shape.up) for name, shape in cloud.shapes.items()}, COMPONENTS, file),
        file=file,
        numbers=[
            one.columns | {"noise": first.noise, "source": source, "over": name, "at": at, "share": share}
            for name, shape in cloud.shapes.items()
            for source, shares in shape.up.items()
            for at, share in zip(shape.across, shares, strict=True)
        ],
        folded=True,
    )
