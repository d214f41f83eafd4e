"""Floor 3: the only makers, readers and mergers of Datasets; provenance."""
