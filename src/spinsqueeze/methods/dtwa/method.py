"""DTWA: classical trajectories from discretely sampled spins."""

from dataclasses import dataclass, field
from typing import ClassVar, final

from spinsqueeze.core import checks
from spinsqueeze.methods.base.answer import Answer
from spinsqueeze.methods.base.method import Cost, Method, Trust
from spinsqueeze.methods.base.question import Evolve, Question
from spinsqueeze.methods.base.states import ProductOfSpins, bloch_vectors
from spinsqueeze.numerics.forks import require_own_threads
from spinsqueeze.numerics.processors import available_processors
from spinsqueeze.observables.moments import BlockMoments
from spinsqueeze.observables.readings import readings_of

MAX_BLOCKS = 100
MIN_TRAJECTORIES = 4


@final
@dataclass(frozen=True, eq=False)
class DTWA(Method):
    """The discrete truncated Wigner approximation, for closed systems.

    Every spin starts at one of the corners (±1, ±1, 1) of its own frame and follows the
    mean-field equation d sigma_i/dt = B_i x sigma_i, B_i = b_i + sum_j J_ij T sigma_j / 2.
    Moments are averages over trajectories. Sources: schachenmayer2015, perlin2020.

    Args:
        n_trajectories: number of samples, at least 4. The seed and k alone give the signs that
            sample k starts with. Its steps follow from the seed, the model, the state, the times,
            the pulses, `dtype` and `tolerance`, not from n_trajectories: more extend a run.
        dtype: "float32" or "float64" for the spins (collective sums are float64 in both), or
            "auto": float32 unless its rounding alone exceeds the tolerance.
        tolerance: largest error of a trajectory's collective spin from the steps, in units of
            the projection noise sqrt(N)/2; steps are chosen by themselves.

    Exact for <s_i> and <s^z_i s^±_j> of Ising models from spins perpendicular to their axis, and
    where spins do not interact; no error estimate of the approximation itself elsewhere: compare
    with `Exact` on a small lattice. Fails at times when quantum interference matters (revivals),
    and for strongly entangled states.
    """

    n_trajectories: int = 500
    dtype: str = field(default="auto", kw_only=True)
    tolerance: float = field(default=1e-3, kw_only=True)

    references: ClassVar[tuple[str, ...]] = ("schachenmayer2015", "perlin2020")
    summary: ClassVar[str] = "closed lattice models of any size by classical trajectories"
    handles: ClassVar[frozenset[str]] = frozenset(
        ("fields", "quadratics", "pairs", "unlike_spins", "pulses")
    )

    def __post_init__(self) -> None:
        put = object.__setattr__
        n = checks.integer(
            "n_trajectories", self.n_trajectories, minimum=MIN_TRAJECTORIES, maximum=10**8
        )
        put(self, "n_trajectories", n)
        checks.choice("dtype", self.dtype, ("auto", "float32", "float64"))
        put(self, "tolerance", checks.real("tolerance", self.tolerance, minimum=1e-8, maximum=0.1))

    @classmethod
    def name(cls) -> str:
        """The name in study files."""
        return "dtwa"

    def obstacles(self, question: Question) -> list[str]:
        """Closed models without a cavity, from coherent and product states."""
        reasons = []
        if not isinstance(question.state, ProductOfSpins):
            reasons.append(
                f"{type(question.state).__name__} is not a product of spins, which is what "
                "it samples"
            )
        return reasons

    def trust(self, question: Question) -> Trust:
        """Exact but for sampling where spins do not interact, elsewhere of unknown accuracy."""
        free = not question.model.quadratics and not question.model.pairs
        return Trust("none" if free else "uncontrolled", sampled=True)

    def cost(self, question: Question) -> Cost:
        """Memory of the batches in flight and the collective spins; time from the stiffness."""
        from spinsqueeze.methods.dtwa.cost import expected_cost
        from spinsqueeze.methods.dtwa.engine import BATCH_CELLS

        assert isinstance(question, Evolve)
        memory, seconds = expected_cost(
            question.model,
            duration=question.duration,
            n_times=len(question.times),
            n_samples=self.n_trajectories,
            dtype="float64" if self.dtype == "auto" else self.dtype,
            batch_cells=BATCH_CELLS,
            n_threads=available_processors(),
        )
        return Cost(
            memory,
            seconds,
            f"N = {question.model.n_spins} spins, {self.n_trajectories} trajectories, "
            f"{len(question.times)} times",
        )

    def answer(self, question: Question) -> Answer:
        """Sample, integrate, and average in blocks."""
        from spinsqueeze.methods.dtwa.couplings import lower
        from spinsqueeze.methods.dtwa.trajectories import Options, plan_run

        require_own_threads("jax")
        assert isinstance(question, Evolve)
        question = question.per_spin()
        model = question.model
        run, plan = plan_run(
            lower(model),
            directions=bloch_vectors(question.state),
            times=question.times,
            seed=question.seed,
            rotations=question.pulses,
            options=Options(dtype=self.dtype, tolerance=self.tolerance),
        )
        done = 0

        def count(n_samples: int) -> None:
            nonlocal done
            done += n_samples
            question.progress(done / self.n_trajectories)

        result = run.run(plan, n_samples=self.n_trajectories, progress=count)
        report = result.report
        blocks = BlockMoments.from_samples(
            result.spins,
            n_spins=model.n_spins,
            n_blocks=min(self.n_trajectories, MAX_BLOCKS),
        )
        return Answer(
            readings_of(blocks),
            error={"spin": report.integration_error},
            diagnostics={
                "integration_error": report.integration_error,
                "spin_length_drift": report.spin_length_drift,
                "energy_drift": report.energy_drift,
                "n_steps": report.n_steps,
                "right_hand_sides": report.rhs_evaluations,
                "n_trajectories": self.n_trajectories,
                "dtype": report.dtype,
                "device": _device(),
                "transform": report.transform,
                **(
                    {"transform_reason": report.transform_reason} if report.transform_reason else {}
                ),
            },
            warnings=_warnings(self, report.integration_error),
        )


def _warnings(method: DTWA, error: float) -> tuple[str, ...]:
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
    if method.n_trajectories < 100:
        found.append(
            f"sampling: {method.n_trajectories} trajectories give rough error bars; 100 or more "
            "are advised"
        )
    return tuple(found)


def _device() -> str:
    import jax

    return str(jax.devices()[0].platform)
