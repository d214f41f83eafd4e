"""Collective models in the symmetric subspace J = N/2, pure and mixed."""
