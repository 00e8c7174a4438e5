"""Tables, figures and the report page, computed from finished cells. Nothing here trains."""
