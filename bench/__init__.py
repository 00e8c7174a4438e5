"""The core and the runner: they know no method and no attack by name."""
