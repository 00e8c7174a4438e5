"""What `list` shows: the names of plug-ins, networks and grids, with a line for each."""

from collections.abc import Sequence


def listing(what: str) -> list[Sequence[str]]:
    """The headings, then a name and what it is for each of `what`."""
    if what == "grids":
        from bench.grid.library import named_grids
        from bench.grid.yaml_file import read_mapping

        titles = ((name, str(read_mapping(file).get("title", ""))) for name, file in named_grids().items())
        return [("grid", "what it shows"), *titles]
    from bench.cards import first_line

    if what == "models":
        from bench.core.network_names import MODELS

        entries = [(name, first_line(model.__doc__)) for name, model in MODELS.items()]
        return [("model", "what it is"), *entries, ("timm/NAME", "Any network of timm, untrained.")]
    from bench.grid.expand import TABLES

    word = {"datasets": "data set"}.get(what, what.removesuffix("s"))
    return [(word, "what it is"), *((name, first_line(entry.__doc__)) for name, entry in TABLES[what].items())]
