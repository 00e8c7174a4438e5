"""Tables, figures and the report page, computed from finished cells. Nothing here trains."""

import logging

logging.getLogger("matplotlib").setLevel(logging.ERROR)
"""It warns of a home where it can keep no cache: that changes no figure."""
