"""The table of measures: numbers of each noise, a row for each method."""

from collections.abc import Iterator, Mapping

from analysis.reading.measures import TIMED, Way, found, generators, places, titles
from analysis.reading.results import Measured, Results
from analysis.writing.noises import INTERVALS, over_noises
from analysis.writing.sections import FAILED, MISSING, Entry, Section, plain_table

NOTE = "Each noise is measured once."


def sections(results: Results) -> list[Section]:
    """One for each data set and model for which anything is measured."""
    return [section for place in places(results) if (section := _section(results, place))]


def _section(results: Results, place: tuple[str, str]) -> Section | None:
    methods = generators(results, place)
    columns = titles(methods)
    ends = {cell["key"]: cell["status"] for cell in results.measure_cells}
    rows = [
        [Entry(first.method.title), *(_entry(measures.get(way), number, ends) for way, number in columns)]
        for measures in methods.values()
        for first in [next(iter(measures.values()))]
    ]
    if all(entry.is_empty for row in rows for entry in row[1:]):
        return None
    controls = [next(iter(measures.values())).control for measures in methods.values()]
    return Section(
        "Measures of the noise",
        plain_table(["method", *columns.values()], rows, controls=controls),
        context=results.context(place),
        note=NOTE,
        intervals=INTERVALS,
        remarks=[*_procedures(methods), *_beside(results)],
        numbers=[
            {
                "dataset": place[0],
                "model": place[1],
                "method": label,
                "measure": one.measure,
                "title": one.title,
                "noise": noise,
                **({} if result is None else {key: result.get(key) for key in one.numbers}),
            }
            for label, measures in methods.items()
            for one in measures.values()
            for noise, result in enumerate(one.found)
        ],
        file="-measures",
    )


def _beside(results: Results) -> Iterator[str]:
    """A warning if times were taken while other cells ran."""
    jobs = {
        record["provenance"].get("jobs", 1)
        for record in results.measure_records
        if record["cell"].get("measure", {}).get("name") == TIMED
    }
    if max(jobs, default=1) > 1:
        yield f"Up to {max(jobs)} cells ran at once when seconds were taken: run again with --jobs 1 for those of one."


def _entry(one: Measured | None, number: str, ends: Mapping[str, str]) -> Entry:
    """A number of a method; `ends` tells how each cell ended."""
    if one is None:
        return Entry(MISSING)
    if one.declined:
        return Entry("does not apply", note=one.declined)
    values = found(one, number)
    if any(each is not None for each in values):
        return over_noises(number, values, one.keys)
    own = {ends[key] for key in one.keys}
    return Entry(FAILED if "failed" in own else MISSING, note="no value found" if own == {"finished"} else "")


def _procedures(methods: dict[str, dict[Way, Measured]]) -> Iterator[str]:
    """With which numbers each measure was made."""
    seen = {way: one for measures in methods.values() for way, one in measures.items()}
    for one in seen.values():
        settings = ", ".join(
            f"{key.replace('_', ' ')} {value}" for key, value in one.settings.items() if key not in ("name", "revision")
        )
        if settings:
            yield f"{one.title[:1].upper()}{one.title[1:]}: {settings}."
