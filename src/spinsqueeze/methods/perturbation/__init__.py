"""Steady states next to a model that conserves the magnetisation and rests in all spins down."""
