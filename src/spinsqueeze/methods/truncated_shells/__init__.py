"""Closed lattices near the isotropic point, in the space of large total spin."""
