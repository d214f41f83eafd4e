"""Floor 2: terms, jumps, states and the model, lowered to one canonical form. Plain data."""
