"""Mean field and cumulants of any order: joint cumulants of distinct spins as a power series."""
