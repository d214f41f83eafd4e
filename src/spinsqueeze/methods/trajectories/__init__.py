"""Quantum trajectories of alike spins: a pure state of few numbers, jump by jump."""
