"""The core and the runner: of methods and attacks they know the controls by name, and no other."""
