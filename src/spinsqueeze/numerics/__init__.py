"""Floor 2: numerics that several methods share."""
