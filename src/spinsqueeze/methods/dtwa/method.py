"""DTWA: classical trajectories from discretely sampled spins."""

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, final

from spinsqueeze.core import checks
from spinsqueeze.core.calls import clear_init
from spinsqueeze.methods.base.answer import COMPLETE, Answer
from spinsqueeze.methods.base.method import Cost, Trust
from spinsqueeze.methods.base.question import Evolve, Question
from spinsqueeze.methods.base.states import ProductOfSpins, bloch_vectors
from spinsqueeze.methods.base.target import DEFAULT_LIMIT, SampledMethod, collect
from spinsqueeze.methods.dtwa import atlas
from spinsqueeze.methods.dtwa.sampling import SAMPLINGS
from spinsqueeze.numerics.forks import require_own_threads
from spinsqueeze.numerics.processors import available_processors

if TYPE_CHECKING:
    from spinsqueeze.methods.dtwa.couplings import Couplings
    from spinsqueeze.models.canonical import Canonical

CHUNK = 64
"""Trajectories added for a target_error are a multiple of this: whole batches, whole sets."""


@final
@clear_init
@dataclass(frozen=True, eq=False)
class DTWA(SampledMethod):
    """The discrete truncated Wigner approximation, for closed and open systems.

    Every spin starts at one of the corners (±1, ±1, 1) of its own frame and follows the
    mean-field equation d sigma_i/dt = B_i x sigma_i, B_i = b_i + sum_j J_ij T sigma_j / 2.
    Moments are averages over trajectories. Jumps D[c.s] of rate gamma, c = u + i v, damp a spin by
    A sigma + b, A = (gamma/2)(u u^T + v v^T - u^2 - v^2), b = gamma u x v, and add noise of
    covariance -2 A - b m^T - m b^T (m: its mean Bloch vector); collective ones turn all spins by
    common noise and by the field that the others radiate, correlated ones by noise of the
    correlations f^T f. Sources: schachenmayer2015, perlin2020;
    for jumps compare huber2022 and mink2022.

    Args:
        n_trajectories: number of samples, at least 4; None: 500, or what target_error needs. The
            seed and k alone give the signs that sample k starts with. Its steps follow from the
            seed, the model, the state, the times, the pulses, `dtype` and `tolerance`, not from
            n_trajectories: more extend a run.
        dtype: "float32" or "float64" for the spins (collective sums are float64 in both), or
            "auto": float32 unless its rounding alone exceeds the tolerance.
        tolerance: largest error of a trajectory's collective spin from the steps, in units of
            the projection noise sqrt(N)/2; steps are chosen by themselves. Of open systems: from
            the steps of the drift; the noise is of weak order 2, its error estimated besides.
        sampling: "stratified": the sums of the initial signs are spread evenly over each of 32
            sets of samples, and averages corrected by what is known of these sums; error bars
            come from the sets. "independent": every sample by itself, 100 blocks.
        target_error: instead of n_trajectories: samples are added until the error bar of `target`
            is at most this, or there are max_trajectories. Ctrl-C keeps what is finished.
        target: "optimum": the standard error of the least xi2 over time, in decibels; "xi2": the
            relative standard error of xi2 at every time.
        max_trajectories: the limit with target_error, reached with a warning.

    Exact for <s_i> and <s^z_i s^±_j> of closed Ising models from spins perpendicular to their
    axis, and where spins do not interact (under local jumps, too); no error estimate of the
    approximation itself elsewhere, but on periodic squares with power-law couplings it says how
    wrong its optimum is on 4 x 4 and 5 x 5: compare with `Exact` on a small lattice. Fails at times
    when quantum interference matters (revivals), and for strongly entangled states.
    """

    n_trajectories: int | None = None
    dtype: str = field(default="auto", kw_only=True)
    tolerance: float = field(default=1e-3, kw_only=True)
    sampling: str = field(default="stratified", kw_only=True)
    target_error: float | None = field(default=None, kw_only=True)
    target: str = field(default="optimum", kw_only=True)
    max_trajectories: int = field(default=DEFAULT_LIMIT, kw_only=True)

    references: ClassVar[tuple[str, ...]] = (
        "schachenmayer2015",
        "perlin2020",
        "huber2022",
        "mink2022",
    )
    summary: ClassVar[str] = "lattice models of any size, open or closed, by classical trajectories"
    handles: ClassVar[frozenset[str]] = frozenset(
        (
            "fields",
            "quadratics",
            "pairs",
            "collective_jumps",
            "local_jumps",
            "correlated_jumps",
            "unlike_spins",
            "pulses",
        )
    )

    def __post_init__(self) -> None:
        put = object.__setattr__
        checks.choice("dtype", self.dtype, ("auto", "float32", "float64"))
        checks.choice("sampling", self.sampling, SAMPLINGS)
        self._check_number()
        put(self, "tolerance", checks.real("tolerance", self.tolerance, minimum=1e-8, maximum=0.1))

    @classmethod
    def name(cls) -> str:
        """The name in study files."""
        return "dtwa"

    def obstacles(self, question: Question) -> list[str]:
        """Models without a cavity, from coherent and product states."""
        reasons = []
        if not isinstance(question.state, ProductOfSpins):
            reasons.append(
                f"{type(question.state).__name__} is not a product of spins, which is what "
                "it samples"
            )
        return reasons

    def trust(self, question: Question) -> Trust:
        """Exact but for sampling where spins do not interact, elsewhere of unknown accuracy."""
        model = question.model
        shared = model.collective_jumps or model.correlated_jumps
        if not (model.quadratics or model.pairs or shared):
            return Trust("none", sampled=True)
        return Trust(
            "uncontrolled", sampled=True, known=atlas.in_words(atlas.known_error(question))
        )

    def cost(self, question: Question) -> Cost:
        """Memory of the batches in flight and the collective spins; time from the stiffness."""
        from spinsqueeze.methods.dtwa.cost import BATCH_CELLS, expected_cost

        assert isinstance(question, Evolve)
        most = self._most
        memory, seconds = expected_cost(
            question.model,
            duration=question.duration,
            n_times=len(question.times),
            n_samples=most,
            dtype="float64" if self.dtype == "auto" else self.dtype,
            batch_cells=BATCH_CELLS,
            n_threads=available_processors(),
        )
        counted = self._target is None
        trajectories = f"{most} trajectories" if counted else f"max_trajectories = {most}"
        return Cost(
            memory,
            seconds,
            f"N = {question.model.n_spins} spins, {trajectories}, {len(question.times)} times",
        )

    def answer(self, question: Question) -> Answer:
        """Sample, integrate, and average in blocks."""
        from spinsqueeze.methods.dtwa.couplings import lower
        from spinsqueeze.methods.dtwa.samples import Samples
        from spinsqueeze.methods.dtwa.trajectories import Options, plan_run

        require_own_threads("jax")
        assert isinstance(question, Evolve)
        errors = atlas.known_error(question)
        question = question.per_spin()
        model = question.model
        couplings = lower(model)
        stepper = stepper_of(model, couplings)
        run, plan = plan_run(
            couplings,
            directions=bloch_vectors(question.state),
            times=question.times,
            seed=question.seed,
            rotations=question.pulses,
            options=Options(dtype=self.dtype, tolerance=self.tolerance, sampling=self.sampling),
            **stepper,
        )
        samples = Samples(run, plan, stratified=self.sampling == "stratified")
        number, target = self._most, self._target
        reached: dict[str, Any] = {}
        status, interrupted = COMPLETE, False
        if target is None:
            samples.extend(number, progress=question.progress)
            readings = samples.readings()
        else:
            end = collect(
                target,
                samples,
                times=question.times,
                n_spins=model.n_spins,
                multiple=CHUNK,
                progress=question.progress,
            )
            readings, number, status = end.readings, end.count, end.status
            interrupted, reached = end.interrupted, end.diagnostics(target)
        report = samples.report
        return Answer(
            readings,
            error={"spin": report.integration_error + report.noise_error},
            diagnostics={
                "integration_error": report.integration_error,
                **({"noise_step_error": report.noise_error} if stepper else {}),
                "spin_length_drift": report.spin_length_drift,
                "energy_drift": report.energy_drift,
                "n_steps": report.n_steps,
                "right_hand_sides": report.rhs_evaluations,
                "n_trajectories": number,
                **reached,
                **({"known_error": atlas.in_words(errors)} if errors else {}),
                "dtype": report.dtype,
                "device": _device(),
                "transform": report.transform,
                **(
                    {"transform_reason": report.transform_reason} if report.transform_reason else {}
                ),
            },
            warnings=(
                *_warnings(self, number, report.integration_error),
                *atlas.warnings(errors, n_spins=model.n_spins),
            ),
            status=status,
            interrupted=interrupted,
        )


def stepper_of(model: "Canonical", couplings: "Couplings") -> dict[str, Any]:
    """The argument `stepper` of a run of this model; none where nothing jumps."""
    if not model.dissipative:
        return {}
    from spinsqueeze.methods.dtwa.jumps.reservoirs import lower_jumps
    from spinsqueeze.methods.dtwa.jumps.stepper import JumpSteps

    return {"stepper": partial(JumpSteps, reservoirs=lower_jumps(model, couplings))}


def _warnings(method: DTWA, number: int, error: float) -> tuple[str, ...]:
    found = []
    if error > method.tolerance:
        found.append(
            f"steps: the collective spin errs by {error:.2g} projection noises, more than the "
            f"tolerance {method.tolerance:.2g}; "
            + (
                "use dtype = 'auto'"
                if method.dtype == "float32"
                else "trajectories are chaotic up to these times: end earlier, or raise the "
                "tolerance, for averages need less"
            )
        )
    if number < 100:
        found.append(
            f"sampling: {number} trajectories give rough error bars; 100 or more are advised. With "
            "40 to 64, xi2 was off by 1.5 to 2.2 of its error bars (rms), by 8 at worst, mostly as "
            "too much squeezing"
        )
    return tuple(found)


def _device() -> str:
    import jax

    return str(jax.devices()[0].platform)
