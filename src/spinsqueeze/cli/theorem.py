"""`spinsqueeze theorem`: whether a weak drive squeezes the emitters of a study."""

from spinsqueeze.cli.options import Study
from spinsqueeze.cli.study import read


def theorem(study: Study) -> None:
    """Say whether the steady state is squeezed in first order, along which angle, and why not."""
    from spinsqueeze.run.theorem import squeezing_theorem

    asked, _ = read(study)
    print(squeezing_theorem(asked.model, memory_budget=asked.memory_budget))
