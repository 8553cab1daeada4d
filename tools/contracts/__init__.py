"""Import contracts of our own, run by import-linter beside its built-in ones."""
