"""One table of a plan by itself, for a paper or another page."""

from dataclasses import replace

from analysis.reading.records import read_results
from analysis.reading.results import Results
from analysis.report import STUDIES
from analysis.writing.caveats import with_caveats
from analysis.writing.formats import caption, csv, latex, markdown_remarks, markdown_table, markdown_text
from analysis.writing.provenance import Chapter, chapter
from analysis.writing.templating import environment
from bench.core.errors import UserError, cut, one_line, suggestion
from bench.store import Store
from bench.words import TableFormat

MAIN = ("measured", "accuracy")
"""What a plan is made for: what it measures of each noise, if it measures anything; else accuracies."""


def table_text(
    store: Store, name: str, form: TableFormat, *, scale: str = "", study: str = "", without: tuple[str, ...] = ()
) -> str:
    """The table of a plan, or of the grid of that name at a scale, as text.

    `study` is shown instead of what the plan is made for. Raises UserError for an unknown name, with the choices.
    """
    plan = plan_of(store, name, scale)
    made = _chapter(read_results(plan, store.plans()[plan], store, without), study)
    if form == "latex":
        return latex(made)
    if form == "html":
        return _html(made)
    return _csv(made, study) if form == "csv" else _markdown(made)


def plan_of(store: Store, name: str, scale: str = "", option: str = "--table") -> str:
    """The name of the plan that a user calls, in an option, by its name, or by its grid and scale."""
    plans, name = store.plans(), one_line(name)
    if name in plans and scale in ("", plans[name]["scale"]["name"]):
        return name
    grids = list(dict.fromkeys(plan["grid"] for plan in plans.values()))
    own = {one: plan["scale"]["name"] for one, plan in plans.items() if name in (one, plan["grid"])}
    found = [one for one, its_scale in own.items() if scale in ("", its_scale)]
    if not own:
        raise UserError(f"{option} {cut(name)}: no such plan or grid in {store.root}{suggestion(name, grids)}")
    if not found:
        raise UserError(f"--scale {cut(scale)}: {name} has not run at it{suggestion(scale, own.values())}")
    if len(found) > 1:
        first = "add --scale, or " if option == "--table" and not scale else ""
        choose = f"{first}name one: {', '.join(found)}"
        raise UserError(f"{option} {name}: {len(found)} plans are of this grid; {choose}")
    return found[0]


def _chapter(results: Results, study: str) -> Chapter:
    """The chapter of a plan with the tables of one study only."""
    studies = {one.__name__.rpartition(".")[2]: one for one in STUDIES}
    if study and study not in studies:
        raise UserError(f"--study {cut(study)}: unknown{suggestion(study, studies)}")
    for name in [study] if study else MAIN:
        if sections := studies[name].sections(results):
            return chapter(results, [with_caveats(section, results) for section in sections])
    shown = [name for name, one in studies.items() if one.sections(results)]
    raise UserError(f"--study {study or MAIN[-1]}: {results.name} has none; choices: {', '.join(shown)}")


def _markdown(made: Chapter) -> str:
    parts = []
    for section in made.sections:
        parts += [markdown_text(caption(section, made)), markdown_table(section.table), *markdown_remarks(section)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _csv(made: Chapter, study: str) -> str:
    """One table of all numbers, whichever sections they stand in."""
    files = csv(replace(made, sections=[replace(section, file="") for section in made.sections]))
    if not files:
        raise UserError(f"--format csv: {study} has no numbers of its own; choices: markdown, latex, html")
    return next(iter(files.values()))


def _html(made: Chapter) -> str:
    tables = [(section, caption(section, made)) for section in made.sections]
    return environment().get_template("fragment.html").render(tables=tables) + "\n"
