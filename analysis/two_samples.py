"""How far the perturbations of each source are from those of the victim, in numbers."""

from analysis.reading.perturbations import Collected, collected
from analysis.reading.results import Results
from analysis.writing.noises import INTERVALS, over_noises
from analysis.writing.sections import Entry, Section, file_of, plain_table

COLUMNS = {
    "two_sample": "told apart",
    "cosine": "cosine between",
    "mmd": "discrepancy",
    "mmd_p": "p of equal distributions",
}
NOTE = (
    "A linear map that tells two sources apart half of the time knows nothing. It never saw the images that it is "
    "asked about. The discrepancy is the squared maximum mean discrepancy (MMD) under a Gaussian kernel. That is as "
    "wide as the median distance of the pair, so numbers of different pairs have no common unit. p is that of "
    "permutations which swap the sources of an image, not corrected for the number of pairs; of several noises it is "
    "the least and the largest."
)


def sections(results: Results) -> list[Section]:
    """One for each generator whose perturbations were compared, and each way of it."""
    return [section for one in collected(results) if (section := _section(results, one)).table.rows]


def _section(results: Results, one: Collected) -> Section:
    keys = one.measured.keys
    noises = [
        {(name, victim): apart for name, about in cloud.sources.items() for victim, apart in about.against.items()}
        if cloud
        else {}
        for cloud in one.every
    ]
    pairs: dict[tuple[str, str], None] = {}
    for name, victim in (pair for apart in noises for pair in apart):
        if (victim, name) not in pairs:  # two networks of the victim are compared once
            pairs[name, victim] = None
    found = {pair: [apart.get(pair) for apart in noises] for pair in pairs}
    rows: list[list[Entry | str]] = [
        [*pair, *(over_noises(key, [getattr(apart, key, None) for apart in own], keys) for key in COLUMNS)]
        for pair, own in found.items()
    ]
    return Section(
        one.heading("How far the perturbations of {} are from those of its victim"),
        plain_table(["source", "beside", *COLUMNS.values()], rows, words=(0, 1)),
        context=results.context(one.place),
        note=NOTE,
        intervals=INTERVALS,
        file="-apart" + file_of(one.labels),
        numbers=[
            one.columns | {"noise": noise, "source": name, "beside": victim, **apart.model_dump()}
            for (name, victim), own in found.items()
            for noise, apart in enumerate(own)
            if apart
        ],
    )
