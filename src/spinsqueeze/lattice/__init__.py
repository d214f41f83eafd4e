"""Floor 1: where the spins sit and how couplings depend on their distance."""
