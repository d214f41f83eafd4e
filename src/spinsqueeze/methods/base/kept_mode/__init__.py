"""Spins together with one cavity mode on Fock states: what the state-based methods share.

A method hands in its spins (`space.SpinSpace`), and gets the answer to a question back
(`evolution.evolve`, `steady.steady_state`). The cut-off of the mode and its displacement are chosen
on the way, from what leaves the levels that are kept.
"""
