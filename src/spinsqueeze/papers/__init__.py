"""Floor 5: published papers, one module each: figures, and claims with their verdicts."""
