"""`spinsqueeze theorem`: whether a weak drive squeezes the emitters of a study."""

from spinsqueeze.cli.options import Study


def theorem(study: Study) -> None:
    """Say whether the steady state is squeezed in first order, along which angle, and why not."""
    from spinsqueeze.run.study_file import read_study
    from spinsqueeze.run.theorem import squeezing_theorem

    read = read_study(study)
    print(squeezing_theorem(read.model, memory_budget=read.memory_budget))
