"""Exact open dynamics of permutation-invariant ensembles in blocks of total spin."""
