"""What is read from cumulants: collective moments, and those of the mode."""

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.cumulants import states
from spinsqueeze.methods.cumulants.domain import FieldMoments
from spinsqueeze.methods.cumulants.series import Series
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.readings import Reading


def moments_of(p: Floats, model: Canonical, series: Series) -> tuple[Moments, FieldMoments | None]:
    """Of the spins, and of the mode if there is one, from p (T, K)."""
    moments = states.collective_moments(p, counts=model.counts, series=series)
    if not model.modes:
        return moments, None
    field = states.field_moments(p, n_kinds=len(model.counts), series=series)
    return moments, FieldMoments(*field)


def field_readings(field: FieldMoments | None, n_times: int) -> dict[str, Reading]:
    """Those of the mode, if there is one, at the first times."""
    if field is None:
        return {}
    return {name: Reading(values[:n_times]) for name, values in field.values.items()}
