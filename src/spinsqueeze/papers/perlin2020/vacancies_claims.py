"""Appendix F's guesses about filling, beside what `vacancies` finds."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from spinsqueeze.papers.base import Claim, finding

PLACE = "Appendix F"
HALF, QUARTER, DIPOLAR, XX = 0.5, 0.25, 3.0, 0.0
"""Filling, alpha and J_z that are compared; the nearest ones of the data are taken."""
LONG_RANGED = 4.0
"""2 D: "severely so when D <= 2 and alpha >= 2D"."""


def claims(data: xr.Dataset) -> Sequence[Claim]:
    """The role of alpha and of J_z, and whether a quarter is enough at alpha = 3."""
    return [_worsens(data), _severely(data), _a_quarter(data), _near_isotropic(data)]


def _line(data: xr.Dataset, name: str, **where: float) -> str:
    """'alpha = 3: 1.2 ± 0.1, ...' of what is left at one filling and J_z."""
    chosen = data[[name, f"{name}_stderr"]].sel(where)
    (dim,) = chosen[name].dims
    return ", ".join(
        f"{dim} = {value:g}: {float(m):.1f} ± {float(e):.1f} dB"
        for value, m, e in zip(
            chosen[dim].values, chosen[name].values, chosen[f"{name}_stderr"].values, strict=True
        )
    )


def _nearest(data: xr.Dataset, **wanted: float) -> dict[str, float]:
    return {
        name: float(data[name].sel({name: value}, method="nearest"))
        for name, value in wanted.items()
    }


def _words(where: dict[str, float]) -> str:
    names = {"filling": "f", "j_z": "J_z"}
    return ", ".join(f"{names.get(name, name)} = {value:g}" for name, value in where.items())


def _worsens(data: xr.Dataset) -> Claim:
    where = _nearest(data, filling=HALF, j_z=XX)
    loss = data["loss"].sel(where).values
    error = data["loss_stderr"].sel(where).values
    backwards = np.diff(loss) < -2 * np.hypot(error[1:], error[:-1])
    grows = loss[-1] - loss[0] > 2 * np.hypot(error[-1], error[0])
    return finding(
        "filling-worsens-with-alpha",
        statement="resilience to low filling worsens with increasing alpha",
        place=PLACE,
        ours=f"{_words(where)}: lost to as many spins on a full lattice: "
        f"{_line(data, 'loss', **where)}",
        holds=bool(grows and not backwards.any()),
        otherwise="the loss does not grow with alpha throughout, beyond two standard errors",
    )


def _severely(data: xr.Dataset) -> Claim:
    where = _nearest(data, filling=HALF, j_z=XX)
    growth = data["growth"].sel(where)
    error = data["growth_stderr"].sel(where).values
    grows = growth.values > 2 * error
    long_ranged = growth["alpha"].values < LONG_RANGED
    small, large = data["edge"].values
    return finding(
        "filling-severe-beyond-2d",
        statement="severely so when D <= 2 and alpha >= 2D",
        place=PLACE,
        ours=f"{_words(where)}: more squeezing on {large} x {large} than on "
        f"{small} x {small} by {_line(data, 'growth', **where)}",
        holds=bool(grows[long_ranged].all() and not grows[~long_ranged].any()),
        otherwise="squeezing that grows with size does not end at alpha = 2D at this filling",
    )


def _a_quarter(data: xr.Dataset) -> Claim:
    where = _nearest(data, filling=QUARTER, alpha=DIPOLAR, j_z=XX)
    growth, error = (float(data[n].sel(where)) for n in ("growth", "growth_stderr"))
    return finding(
        "filling-critical",
        statement="consistent with a critical filling of 0.15 of the XX model at alpha = 3",
        place=PLACE,
        ours=f"{_words(where)}: squeezing grows by {growth:.1f} ± {error:.1f} dB over the sizes",
        holds=growth > 2 * error,
        otherwise="at a filling above 0.15 squeezing does not grow with size by two errors",
        value=growth,
        error=error,
    )


def _near_isotropic(data: xr.Dataset) -> Claim:
    near = float(data["j_z"].values.max())
    lowest = float(data["filling"].values.min())
    where = {"filling": lowest, "j_z": near}
    chosen = data.sel(where).isel(edge=-1)
    over = chosen["gain"] - chosen["ising"]
    error = xr.apply_ufunc(np.hypot, chosen["gain_stderr"], chosen["ising_stderr"])
    words = ", ".join(
        f"alpha = {a:g}: {o:+.1f} ± {e:.1f} dB"
        for a, o, e in zip(data["alpha"].values, over.values, error.values, strict=True)
    )
    return finding(
        "filling-near-isotropic",
        statement="squeezing well beyond the Ising limit at small filling near J_z = J_perp",
        place=PLACE,
        ours=f"{_words(where)}, over the Ising optimum at that filling: {words}",
        holds=bool((over > 2 * error).all()),
        otherwise="not beyond the Ising optimum by two standard errors at every alpha",
    )
