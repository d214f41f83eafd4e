"""Observables: once, for all methods, from collective moments or from states."""
