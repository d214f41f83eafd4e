"""Atom-number fluctuations and local dephasing in tucker2020: what they cost, in decibels.

    python examples/atom_number_fluctuations.py                    the tables and the picture
    python examples/atom_number_fluctuations.py --trajectories 16  and the check by trajectories

docs/atom_number.md says what was found. Definitions (Gamma = 1, Omega the same in every shot):

blind    The moments of the mixture over N: mean spin m = E[m_N], covariance C = E[C_N] + Cov[m_N],
         xi2 = E[N] min_n n.C.n/|m|^2 over directions n perpendicular to m.
known    N is measured after the shot. Direction n and time are still the same for all N; a shot
         gives the angle of a small rotation with variance n.C_N.n/(m_N.k)^2, k = m/|m|, and shots
         are weighted by its inverse: xi2 = E[N] min_n 1/E[(m_N.k)^2/(n.C_N.n)].

N is Gaussian, or Poissonian, on a uniform grid of numbers, cut at 4 standard deviations.
"""

import argparse
import functools
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.special import gammaln

import spinsqueeze as sq
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.squeezing import perpendicular_basis, squeezing
from spinsqueeze.papers.tucker2020.crossing import crossing
from spinsqueeze.papers.tucker2020.mean_field import direction
from spinsqueeze.papers.tucker2020.setting import late_minimum, rabi
from spinsqueeze.papers.tucker2020.transients import collective_xi2
from spinsqueeze.plot.style import DASHES, PALETTE, new_figure, style

PICTURE = Path(__file__).parents[1] / "docs" / "_static" / "atom_number.png"
CUT = 4.0
"""Standard deviations of N that are kept: rarer shots would be seen and thrown away."""
POISSON = "Poisson"


@dataclass(frozen=True)
class Case:
    """One protocol: N, chi/Gamma, Upsilon/Upsilon_c, kind and rate of local noise, initial state.

    The rate of "decay" is gamma_s; that of "dephasing" is gamma_phi, at which coherences of single
    spins decay. Both take them away alike at gamma_phi = gamma_s/2.
    """

    n_spins: int
    chi: float
    drive: float
    rate: float
    kind: str = "decay"
    along_steady: bool = False

    @property
    def start(self):
        """Unit vector of the initial coherent state."""
        if self.along_steady:
            return direction(chi=self.chi, drive=self.drive)
        return (-1.0, 0.0, 0.0)

    @property
    def label(self):
        """In words."""
        rate = "gamma_s" if self.kind == "decay" else "gamma_phi"
        start = "steady" if self.along_steady else "-x"
        return f"chi {self.chi:g}, {self.drive:g} Upsilon_c, {rate} {self.rate:g}, from {start}"

    def model(self):
        """The model at the mean N; N alone changes from shot to shot."""
        noise = {"decay": sq.LocalDecay, "dephasing": sq.LocalDephasing}[self.kind]
        return sq.SpinModel(
            self.n_spins,
            hamiltonian=[
                sq.CollectiveExchange(self.chi),
                sq.Drive(rabi(self.n_spins, chi=self.chi, drive=self.drive)),
            ],
            jumps=[sq.CollectiveDecay(1.0), noise(self.rate)],
            unit="Gamma",
        )

    def end(self):
        """Somewhat past the time at which squeezing is lost; 8 lifetimes where it is not."""
        if self.kind == "decay":
            lost = crossing(self.model(), vector=self.start, longest=8.0 / self.rate)
            return min(1.08 * lost, 8.0 / self.rate)
        return 1.3 * dephasing_time(self.drive) / self.rate + 20.0 / self.n_spins

    def times(self, n_times):
        """A quarter in the first collective oscillations, the rest up to `end`."""
        early = 12.0 / self.n_spins / math.sqrt(1.0 + 4.0 * self.chi**2)
        first = np.linspace(0.0, early, n_times // 4 + 1)[1:]
        rest = np.linspace(early, max(self.end(), 2.0 * early), n_times - len(first) + 1)[1:]
        return np.concatenate([first, rest])


def dephasing_time(drive):
    """gamma_phi t at which mean field leaves the superradiant phase under dephasing.

    There the transverse spin is Omega/Upsilon_c whatever its length s (in units of N/2), so that
    d(s^2)/dt = -2 gamma_phi drive^2, from s = 1 down to s = drive.
    """
    return (1.0 - drive**2) / (2.0 * drive**2) if drive < 1.0 else 0.02


@dataclass(frozen=True)
class Members:
    """Moments of runs at fixed N: counts (I,), times (T,), spin (I, T, 3), covariance (.., 3)."""

    counts: np.ndarray
    times: np.ndarray
    spin: np.ndarray
    covariance: np.ndarray


def members(case, counts, *, method, n_times):
    """The same protocol with each number of spins, as one Dataset over `spins`."""
    return sq.sweep(
        case.model(),
        sq.CoherentState(case.start),
        case.times(n_times),
        over={"ensemble.spins": list(counts), "run.seed": list(range(len(counts)))},
        zipped=True,
        method=method,
        workers=0,
        blocks=isinstance(method, sq.QuantumTrajectories),
    )


def moments_of(case, counts, *, order, n_times):
    """`Members` by cumulants of this order."""
    method = sq.Cumulants(order, next_order=False, tolerance=1e-8)
    data = members(case, counts, method=method, n_times=n_times)
    xi2 = data["xi2"].values
    lost = np.logical_or.accumulate(~(np.isfinite(xi2) & (xi2 > 0)), axis=1)
    spin = np.where(lost[..., None], np.nan, data["spin"].values)
    covariance = np.where(lost[..., None, None], np.nan, data["covariance"].values)
    return Members(np.asarray(counts), data["time"].values, spin, covariance)


def weights_of(counts, *, mean, spread):
    """Weights (I,) of the numbers `counts`: Gaussian of relative width `spread`, or Poissonian."""
    counts = np.asarray(counts, dtype=float)
    if spread == 0:
        return (counts == mean).astype(float)
    width = math.sqrt(mean) if spread == POISSON else spread * mean
    if spread == POISSON:
        logarithm = counts * math.log(mean) - mean - gammaln(counts + 1.0)
    else:
        logarithm = -0.5 * ((counts - mean) / width) ** 2
    weights = np.where(abs(counts - mean) <= (CUT + 1e-9) * width, np.exp(logarithm), 0.0)
    return weights / weights.sum()


def mixture(weights, spin, covariance):
    """Mean spin (T, 3) and covariance (T, 3, 3) of shots with these weights: total variance."""
    used = weights > 0
    weights, spin, covariance = weights[used], spin[used], covariance[used]
    mean = np.einsum("i,ita->ta", weights, spin)
    off = spin - mean
    within = np.einsum("i,itab->tab", weights, covariance)
    return mean, within + np.einsum("i,ita,itb->tab", weights, off, off)


def blind(weights, shots):
    """xi2 (T,) where N is never known; NaN where a shot that counts has no value."""
    mean, covariance = mixture(weights, shots.spin, shots.covariance)
    good = np.isfinite(covariance).all(axis=(1, 2))
    xi2 = np.full(len(mean), np.nan)
    number = float(weights @ shots.counts)
    counts = np.full(int(good.sum()), number)
    xi2[good] = squeezing(Moments(counts, mean[good], covariance[good])).xi2
    return np.where(xi2 > 0, xi2, np.nan)


def known(weights, shots):
    """xi2 (T,) where N is known after the shot."""
    used = weights > 0
    weights, counts = weights[used], shots.counts[used]
    spin, covariance = shots.spin[used], shots.covariance[used]
    mean = np.einsum("i,ita->ta", weights, spin)
    unit = mean / np.linalg.norm(mean, axis=-1, keepdims=True)
    basis = perpendicular_basis(unit)
    slope = np.einsum("ita,ta->it", spin, unit) ** 2
    plane = np.einsum("tpa,itab,tqb->itpq", basis, covariance, basis)

    def information(angle):
        """(T, A) for angles (T, A)."""
        a = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        variance = np.einsum("trp,itpq,trq->itr", a, plane, a)
        return np.einsum("i,itr->tr", weights, slope[..., None] / variance)

    centre, width, n_angles = np.full(len(mean), 0.0), np.pi / 2, 91
    for _ in range(4):
        angles = centre[:, None] + width * np.linspace(-1.0, 1.0, n_angles)
        values = information(angles)
        best = np.argmax(np.where(np.isfinite(values), values, -np.inf), axis=1)[:, None]
        centre, width = np.take_along_axis(angles, best, axis=1)[:, 0], 3.0 * width / n_angles
    xi2 = float(weights @ counts) / np.take_along_axis(values, best, axis=1)[:, 0]
    return np.where(xi2 > 0, xi2, np.nan)


def decibels(xi2):
    """10 log10, NaN for NaN."""
    return 10.0 * np.log10(xi2)


@dataclass(frozen=True)
class Loss:
    """Decibels: least over time, at which time, at the time that is best at the mean N."""

    least: float
    time: float
    nominal: float
    window: tuple[float, float]
    """Times between which the curve stays within 1 dB of its least."""


def loss(curve, times, nominal):
    """`Loss` of a curve xi2 (T,); nominal is the index of the best time at the mean N."""
    level = decibels(curve)
    k = int(np.nanargmin(level))
    inside = level <= level[k] + 1.0
    first = k - int(np.argmin(np.append(inside[k::-1], False))) + 1
    last = k + int(np.argmin(np.append(inside[k:], False))) - 1
    return Loss(
        float(level[k]), float(times[k]), float(level[nominal]), (times[first], times[last])
    )


@dataclass(frozen=True)
class Setting:
    """What is run."""

    n_spins: int = 10_000
    protocols: tuple = (
        (0.0, False, 50.0),
        (0.0, False, 200.0),
        (1.0, False, 200.0),
        (1.0, True, 50.0),
    )
    """chi, whether from along the collective steady state (else from -x), gamma_s."""
    drives: tuple = (0.6, 0.8, 0.9, 0.95, 1.05)
    main: tuple = (0.9, 50.0)
    """Upsilon/Upsilon_c and gamma_s of the curves that are drawn."""
    step: float = 0.005
    reach: float = 0.12
    """Spacing and half width of the grid of N, relative to its mean."""
    spreads: tuple = (0.005, 0.01, POISSON, 0.03)
    n_times: int = 96
    dephasing_drives: tuple = (0.4, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
    dephasing_rates: tuple = (10.0, 50.0, 200.0)
    """gamma_s; dephasing is compared at gamma_phi = gamma_s/2."""

    @property
    def counts(self):
        """(I,) numbers of spins."""
        half = round(self.reach / self.step)
        return [round(self.n_spins * (1.0 + self.step * k)) for k in range(-half, half + 1)]

    @property
    def fine(self):
        """Spreads for the tolerable one: from 0.6 of the spacing on the sum is an integral."""
        return np.linspace(0.6 * self.step, self.reach / CUT, 28)


TINY = Setting(
    n_spins=400,
    protocols=((0.0, False, 2.0), (1.0, True, 2.0)),
    drives=(0.9,),
    main=(0.9, 2.0),
    step=0.03,
    reach=0.09,
    spreads=(0.03, POISSON),
    n_times=16,
    dephasing_drives=(0.8,),
    dephasing_rates=(2.0,),
)


def cases_of(setting):
    """All protocols at all drives; with dephasing once."""
    n = setting.n_spins
    for chi, along, rate in setting.protocols:
        for drive in setting.drives:
            yield Case(n, chi, drive, rate, along_steady=along)
    drive, rate = setting.main
    yield Case(n, 0.0, drive, rate / 2.0, kind="dephasing")


def tolerable(levels, spreads, at_zero):
    """The spread at which the least xi2 is 1 dB worse than at none; inf beyond the last."""
    lost = np.concatenate([[0.0], levels - at_zero])
    grid = np.concatenate([[0.0], spreads])
    above = np.flatnonzero(lost > 1.0)
    if len(above) == 0:
        return math.inf
    k = int(above[0])
    return float(np.interp(1.0, lost[k - 1 : k + 1], grid[k - 1 : k + 1]))


@dataclass(frozen=True)
class Finding:
    """What one case shows, by one order."""

    shots: Members
    zero: Loss
    blind: dict
    known: dict
    tolerable: float
    levels: np.ndarray
    """Least xi2, blind, in decibels over `Setting.fine`."""


def study(case, setting, *, order):
    """One case by one order of the cumulants."""
    shots = moments_of(case, setting.counts, order=order, n_times=setting.n_times)
    return analyse(shots, case.n_spins, setting)


def analyse(shots, mean, setting):
    """All spreads of one set of runs."""
    weigh = functools.partial(weights_of, shots.counts, mean=mean)
    curve = blind(weigh(spread=0), shots)
    nominal = int(np.nanargmin(curve))
    zero = loss(curve, shots.times, nominal)
    losses = {
        name: {
            spread: loss(reading(weigh(spread=spread), shots), shots.times, nominal)
            for spread in setting.spreads
        }
        for name, reading in (("blind", blind), ("known", known))
    }
    levels = np.array(
        [
            loss(blind(weigh(spread=spread), shots), shots.times, nominal).least
            for spread in setting.fine
        ]
    )
    return Finding(
        shots, zero, **losses, tolerable=tolerable(levels, setting.fine, zero.least), levels=levels
    )


def named(spread):
    """A spread as a word."""
    return spread if spread == POISSON else f"{100 * spread:g} %"


def show_case(case, setting, two, three, collective):
    """A block of the table: order 2, and in brackets what order 3 adds."""
    rate = case.rate
    print(
        f"\n{case.label}: without spread {two.zero.least:.2f} ({_more(two.zero, three.zero)}) dB "
        f"at rate x time {rate * two.zero.time:.3f}; collective steady state "
        + (f"{collective:.2f} dB" if collective < 0 else "not squeezed")
    )
    for spread in setting.spreads:
        b, k = two.blind[spread], two.known[spread]
        print(
            f"  {named(spread):>8}: {b.least - two.zero.least:+.2f} "
            f"({_more(b, three.blind[spread])}) at {rate * b.time:.3f}, within 1 dB from "
            f"{rate * b.window[0]:.3f} to {rate * b.window[1]:.3f}; at the nominal time "
            f"{b.nominal - two.zero.least:+.2f}; N known: {k.least - two.zero.least:+.2f} "
            f"({_more(k, three.known[spread])}), at the nominal time "
            f"{k.nominal - two.zero.least:+.2f}"
        )
    widest = 100 * setting.fine[-1]
    within = [
        f"{100 * order.tolerable:.2f} %" if order.tolerable < math.inf else f"> {widest:g} %"
        for order in (two, three)
    ]
    print(f"  1 dB is lost at a spread of {within[0]} (order 3: {within[1]})")


def _more(two, three):
    return f"{three.least - two.least:+.2f}"


def best_drives(findings, setting):
    """For each start and rate: the drive with the least xi2, blind, at each spread."""
    print("\nBest drive at each spread (order 2, blind):")
    groups = {}
    for case, finding in findings.items():
        if case.kind == "decay":
            groups.setdefault((case.chi, case.along_steady, case.rate), {})[case.drive] = finding
    for (chi, along, rate), by_drive in groups.items():
        words = []
        for spread in (0, *setting.spreads):
            level = {
                u: (f.zero if spread == 0 else f.blind[spread]).least for u, f in by_drive.items()
            }
            u = min(level, key=level.get)
            words.append(f"{named(spread)}: {level[u]:.2f} dB at {u:g}")
        start = "steady" if along else "-x"
        print(f"  chi {chi:g} from {start}, gamma_s {rate:g}: " + "; ".join(words))


def dephasing(setting):
    """(kind, chi, rate of decay, drive) -> late minimum by orders 2 and 3, at one N."""
    minima = {}
    n = setting.n_spins
    for chi in (0.0, 1.0):
        for kind, factor in (("decay", 1.0), ("dephasing", 0.5)):
            for rate in setting.dephasing_rates:
                for u in setting.dephasing_drives:
                    case = Case(n, chi, u, factor * rate, kind=kind, along_steady=chi > 0)
                    lows = []
                    for order in (2, 3):
                        shots = moments_of(case, [n], order=order, n_times=2 * setting.n_times)
                        curve = blind(np.ones(1), shots)
                        late = shots.times > 6.0 / n
                        lows.append(late_minimum(shots.times[late], curve[late]))
                    minima[kind, chi, rate, u] = lows
    return minima


def show_dephasing(minima, setting):
    """Decay beside dephasing, and the collective steady state."""
    print(
        "\nLate minimum (dB; order 3 less order 2; rate x time), N fixed, gamma_phi = gamma_s/2;"
        "\nchi = 0 from -x, chi = 1 from along the steady state"
    )
    for chi in (0.0, 1.0):
        for rate in setting.dephasing_rates:
            for u in setting.dephasing_drives:
                words = []
                for kind, factor in (("decay", 1.0), ("dephasing", 0.5)):
                    two, three = minima[kind, chi, rate, u]
                    level = decibels(two.xi2)
                    words.append(
                        f"{kind} {level:6.2f} ({decibels(three.xi2) - level:+.2f}; "
                        f"{factor * rate * two.time:.3f})"
                    )
                steady = decibels(collective_xi2(setting.n_spins, chi=chi, drive=u))
                print(
                    f"  chi {chi:g} gamma_s {rate:g} {u:g} Upsilon_c: {words[0]}, {words[1]}, "
                    f"steady {steady:.2f}, mean-field gamma_phi t {dephasing_time(u):.3f}"
                )


def trajectories(case, counts, *, count, n_times):
    """Replicas of (`Members` for blind, `Members` for known): the whole, then one by one less.

    Every trajectory is a block; replica b leaves out trajectory b of every number of spins. What
    blind needs are unbiased second moments, what known needs are unbiased covariances.
    """
    method = sq.QuantumTrajectories(count)
    data = members(case, counts, method=method, n_times=n_times)
    dims = ("spins", "time", "block")
    first = data["block_first"].transpose(*dims, ...).values
    second = data["block_second"].transpose(*dims, ...).values
    reference = data["block_reference"].values
    for kept in [np.arange(count), *(np.delete(np.arange(count), b) for b in range(count))]:
        f, m = first[:, :, kept], second[:, :, kept].mean(axis=2)
        mean = f.mean(axis=2)
        biased = m - np.einsum("ita,itb->itab", mean, mean)
        off = f - mean[:, :, None]
        more = np.einsum("itka,itkb->itab", off, off) / len(kept) / (len(kept) - 1)
        parts = (np.asarray(counts), data["time"].values, reference + mean)
        yield Members(*parts, biased), Members(*parts, biased + more)


def jackknife(values):
    """Value and standard error from the whole and the replicas that lack one trajectory each."""
    whole, *rest = values
    rest = np.array(rest)
    return whole, math.sqrt((len(rest) - 1) * float(np.mean((rest - rest.mean()) ** 2)))


def check(case, setting, finding, *, count):
    """Trajectories of every second N, at the times that order 2 finds best: spread -> dB, error."""
    counts = setting.counts[::2]
    replicas = list(trajectories(case, counts, count=count, n_times=setting.n_times))
    single = list(trajectories(case, [case.n_spins], count=8 * count, n_times=setting.n_times))
    checked = {}
    for spread in (0, *setting.spreads):
        if spread != POISSON and 0 < spread < 2 * setting.step:
            continue
        shots = single if spread == 0 else replicas
        for name, reading, which in (("blind", blind, 0), ("known", known, 1)):
            two = finding.zero if spread == 0 else getattr(finding, name)[spread]
            for when, time, level in (
                ("best", two.time, two.least),
                ("nominal", finding.zero.time, two.nominal),
            ):
                k = int(np.argmin(abs(finding.shots.times - time)))
                value, error = jackknife(
                    float(
                        decibels(
                            reading(
                                weights_of(replica[which].counts, mean=case.n_spins, spread=spread),
                                _at(replica[which], k),
                            )
                        )[0]
                    )
                    for replica in shots
                )
                print(
                    f"  {named(spread)}, {name}, {when} time: {value:.2f} ± {error:.2f} dB "
                    f"(order 2 {level:.2f})",
                    flush=True,
                )
                if when == "best":
                    checked[name, spread] = value, error
    return checked


def check_dephasing(setting, *, count):
    """Dephasing below the lower critical drive: the minimum by orders 2, 3 and trajectories."""
    case = Case(setting.n_spins // 5, 0.0, 0.6, setting.main[1] / 10.0, kind="dephasing")
    method = sq.QuantumTrajectories(count)
    data = members(case, [case.n_spins], method=method, n_times=setting.n_times).isel(spins=0)
    k = None
    for order in (2, 3):
        shots = moments_of(case, [case.n_spins], order=order, n_times=setting.n_times)
        curve = decibels(blind(np.ones(1), shots))
        k = int(np.nanargmin(curve)) if k is None else k
        print(
            f"  {case.label}, N = {case.n_spins}: order {order} {curve[k]:.2f} dB at gamma_phi t "
            f"{case.rate * shots.times[k]:.3f}"
        )
    value = float(data["xi2"].values[k])
    error = 10.0 / np.log(10.0) * float(data["xi2_stderr"].values[k]) / value
    print(f"  {count} trajectories: {decibels(value):.2f} ± {error:.2f} dB", flush=True)


def coarser(finding, setting, mean):
    """Largest changes of the least xi2, in dB: every second N, and every second time."""
    shots = finding.shots
    by_number = by_time = 0.0
    for spread in setting.spreads:
        weigh = functools.partial(weights_of, mean=mean, spread=spread)
        if spread == POISSON or spread >= 2 * setting.step:
            part = Members(shots.counts[::2], shots.times, shots.spin[::2], shots.covariance[::2])
            level = np.nanmin(decibels(blind(weigh(part.counts), part)))
            by_number = max(by_number, abs(level - finding.blind[spread].least))
        level = np.nanmin(decibels(blind(weigh(shots.counts), shots))[::2])
        by_time = max(by_time, abs(level - finding.blind[spread].least))
    print(
        f"  every second N changes these by at most {by_number:.3f} dB, every second time by "
        f"{by_time:.3f} dB",
        flush=True,
    )


def _index(finding):
    return int(np.argmin(abs(finding.shots.times - finding.zero.time)))


def _at(shots, k):
    place = slice(k, k + 1)
    return Members(shots.counts, shots.times[place], shots.spin[:, place],
                   shots.covariance[:, place])  # fmt: skip


def draw(findings, setting, checked, compared):
    """Curves of one protocol; least xi2 against the spread; dephasing beside decay."""
    drive, rate = setting.main
    finding = findings[Case(setting.n_spins, 0.0, drive, rate)]
    shots = finding.shots
    with style():
        figure = new_figure(14.0, 4.4)
        curves, spreads, noise = figure.subplots(1, 3)
        for k, spread in enumerate((0, *[s for s in setting.spreads if s != POISSON][-2:])):
            weights = weights_of(shots.counts, mean=setting.n_spins, spread=spread)
            look = {"color": PALETTE[k]}
            curves.plot(rate * shots.times, decibels(blind(weights, shots)),
                        label=f"spread of N {named(spread)}", **look)  # fmt: skip
            if spread:
                curves.plot(rate * shots.times, decibels(known(weights, shots)), "--", **look)
        curves.plot([], [], "--", color="black", label="N known afterwards")
        curves.set(xlabel=r"$\gamma_s t$", ylabel=r"$\xi^2$ (dB)",
                   ylim=(finding.zero.least - 1.0, 4.0))  # fmt: skip
        curves.set_title(rf"$\chi$ = 0, {drive:g} $\Upsilon_c$, $\gamma_s/\Gamma$ = {rate:g}")
        curves.legend(fontsize=9)
        chosen = [c for c in findings if (c.chi, c.kind, c.rate) == (0.0, "decay", rate)]
        for k, case in enumerate(chosen):
            row = findings[case]
            spreads.plot(
                100 * np.append(0.0, setting.fine),
                np.append(row.zero.least, row.levels),
                DASHES[k % 4],
                color=PALETTE[k],
                label=rf"{case.drive:g} $\Upsilon_c$",
            )
        for (word, spread), (value, error) in checked.items():
            width = setting.n_spins**-0.5 if spread == POISSON else spread
            if word == "blind":
                spreads.errorbar(100 * width, value, error, fmt="ok", ms=4, capsize=3)
        spreads.axvline(100 * setting.n_spins**-0.5, color="black", lw=0.8, ls=":")
        spreads.set(xlabel="spread of N (%), dotted: Poissonian",
                    ylabel=r"least $\xi^2$ over time (dB)")  # fmt: skip
        spreads.set_title("N unknown, time chosen for the spread")
        spreads.legend(fontsize=9)
        middle = setting.dephasing_rates[len(setting.dephasing_rates) // 2]
        for k, kind in enumerate(("decay", "dephasing")):
            lows = [decibels(compared[kind, 0.0, middle, u][0].xi2)
                    for u in setting.dephasing_drives]  # fmt: skip
            noise.plot(setting.dephasing_drives, lows, "o-s"[2 * k] + DASHES[k], ms=4,
                       color=PALETTE[k], label=f"local {kind}")  # fmt: skip
        steady = [decibels(collective_xi2(setting.n_spins, chi=0.0, drive=u))
                  for u in setting.dephasing_drives]  # fmt: skip
        noise.plot(setting.dephasing_drives, steady, ":", color="black", label="none, steady state")
        noise.axvline(2**-0.5, color="black", lw=0.8)
        noise.annotate(r"$\Upsilon_c'$", (0.715, 0.02), xycoords=("data", "axes fraction"))
        noise.set(xlabel=r"$\Upsilon/\Upsilon_c$", ylabel=r"least late $\xi^2$ (dB)")
        noise.set_title(rf"N fixed, $\gamma_s = 2\gamma_\phi$ = {middle:g} $\Gamma$")
        noise.legend(fontsize=9)
        figure.suptitle(f"N = {setting.n_spins}, order 2")
    return figure


def main():
    """Run, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tiny", action="store_true", help="few spins, for a test")
    parser.add_argument("--trajectories", type=int, default=0, help="of each N, as a check")
    parser.add_argument("--step", type=float, help="relative spacing of N")
    parser.add_argument("--times", type=int, help="how many times")
    parser.add_argument("-o", "--output", type=Path, default=PICTURE)
    options = parser.parse_args()
    setting = TINY if options.tiny else Setting()
    if options.step:
        setting = replace(setting, step=options.step)
    if options.times:
        setting = replace(setting, n_times=options.times)
    drive, rate = setting.main
    shown = Case(setting.n_spins, 0.0, drive, rate)
    compared = dephasing(setting)
    show_dephasing(compared, setting)
    findings, checked = {}, {}
    for case in cases_of(setting):
        two, three = (study(case, setting, order=order) for order in (2, 3))
        findings[case] = two
        steady = decibels(collective_xi2(case.n_spins, chi=case.chi, drive=case.drive))
        show_case(case, setting, two, three, steady)
        coarser(two, setting, case.n_spins)
    best_drives(findings, setting)
    draw(findings, setting, checked, compared).savefig(options.output, dpi=110)
    if options.trajectories:
        print(f"\nTrajectories, {options.trajectories} of each N: {shown.label}")
        checked = check(shown, setting, findings[shown], count=options.trajectories)
        draw(findings, setting, checked, compared).savefig(options.output, dpi=110)
        check_dephasing(setting, count=4 * options.trajectories)


if __name__ == "__main__":
    main()
