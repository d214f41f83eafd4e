"""Study: everything one run needs, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

from spinsqueeze.core import checks
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.plain import key, same
from spinsqueeze.core.progress import Progress
from spinsqueeze.methods.base.method import Method
from spinsqueeze.methods.base.question import DEFAULT_MEMORY_BUDGET, Question
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.catalogue import state_as_dict
from spinsqueeze.models.losses import Losses
from spinsqueeze.models.model import SpinModel, checked_model
from spinsqueeze.models.pulse import Pulse
from spinsqueeze.models.readout import Readout
from spinsqueeze.models.states import InitialState
from spinsqueeze.models.tables import model_as_tables
from spinsqueeze.run.choice import make_method
from spinsqueeze.run.questions import (
    AUTO,
    check_evolution,
    check_steady,
    evolve_question,
    listed,
    steady_question,
)
from spinsqueeze.run.ranges import shortest


@final
@clear_init
@dataclass(frozen=True, eq=False)
class Study:
    """A model with its state, times, method and seed: what a study file holds.

    Args:
        model: the model.
        initial_state: the state at time 0; None only for a steady state.
        times: output times (T,), strictly increasing, >= 0; None or "auto": those around the
            optimum, see `simulate`; None for a steady state.
        steady_state: look for the steady state instead of evolving.
        pulses: instantaneous rotations.
        losses: single spins leave during the run.
        readout: how the spins are misread at the end; adds `measured_xi2` to the result.
        method: a method with its options; None lets `simulate` choose.
        seed: seed of the sampling methods.
        memory_budget: bytes.
        title: a title for people.
        sweep: dotted path -> list of values, or None.

    Raises:
        InvalidInput: an argument breaks its rule.
    """

    model: SpinModel
    initial_state: InitialState | None = field(default=None, kw_only=True)
    times: Any = field(default=None, kw_only=True)
    steady_state: bool = field(default=False, kw_only=True)
    pulses: Sequence[Pulse] = field(default=(), kw_only=True)
    losses: Losses | None = field(default=None, kw_only=True)
    readout: Readout | None = field(default=None, kw_only=True)
    method: Method | None = field(default=None, kw_only=True)
    seed: int = field(default=0, kw_only=True)
    memory_budget: float = field(default=DEFAULT_MEMORY_BUDGET, kw_only=True)
    title: str = field(default="", kw_only=True)
    sweep: Mapping[str, list[Any]] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        checks.text("title", self.title)
        put = object.__setattr__
        checked_model(self.model)
        put(self, "pulses", listed(self.pulses))
        checks.flag("steady_state", self.steady_state)
        if self.method is not None:
            put(self, "method", make_method(self.method))
        if self.readout is not None and not isinstance(self.readout, Readout):
            raise InvalidInput.of(
                "readout",
                f"must be a readout such as Readout(detection_error=0.01), got "
                f"{checks.shown(self.readout)}",
            )
        if self.steady_state:
            self._require_no_times()
            seed, memory_budget = check_steady(
                self.model,
                self.initial_state,
                seed=self.seed,
                memory_budget=self.memory_budget,
            )
            put(self, "seed", seed)
            put(self, "memory_budget", memory_budget)
            return
        if self.initial_state is None:
            raise InvalidInput.of(
                "initial_state", "must be given, e.g. CoherentState('+x'), or steady_state=True"
            )
        times, seed, memory_budget = check_evolution(
            self.model,
            self.initial_state,
            self.times,
            pulses=self.pulses,
            losses=self.losses,
            seed=self.seed,
            memory_budget=self.memory_budget,
        )
        put(self, "times", times)
        put(self, "seed", seed)
        put(self, "memory_budget", memory_budget)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Study) and same(self.as_tables(), other.as_tables())

    def __hash__(self) -> int:
        return hash(key(self.as_tables()))

    def _require_no_times(self) -> None:
        given = {"times": self.times is not None, "pulses": self.pulses, "losses": self.losses}
        for name, value in given.items():
            if value:
                raise InvalidInput(f"{name} have no place in a steady state; drop them")

    @property
    def automatic_times(self) -> bool:
        """Whether the run chooses its times."""
        return isinstance(self.times, str)

    @property
    def canonical_model(self) -> Canonical:
        """The model as methods see it, without pulses."""
        return self.model.canonical

    def question(self, *, progress: Progress | None = None) -> Question:
        """What a method is asked.

        Args:
            progress: called with the fraction done.

        Raises:
            InvalidInput: a part of the study or progress breaks its rule, or the times are not
                chosen yet.
        """
        if self.automatic_times:
            raise InvalidInput.of("times", "are chosen by the run; give times to ask before it")
        options: dict[str, Any] = {"seed": self.seed, "memory_budget": self.memory_budget}
        if self.steady_state:
            return steady_question(
                self.model, initial_state=self.initial_state, progress=progress, **options
            )
        return evolve_question(
            self.model,
            self.initial_state,  # type: ignore[arg-type]  # checked when made
            self.times,
            pulses=self.pulses,
            losses=self.losses,
            progress=progress,
            **options,
        )

    def as_tables(self, *, every_option: bool = False) -> dict[str, Any]:
        """The study as plain tables, in the schema of study files; defaults are left out.

        Args:
            every_option: of the method, defaults too.
        """
        tables: dict[str, Any] = {"title": self.title} if self.title else {}
        tables |= model_as_tables(self.model)
        if self.initial_state is not None:
            tables["initial_state"] = state_as_dict(self.initial_state)
        if self.pulses:
            tables["pulses"] = [pulse.as_dict() for pulse in self.pulses]
        if self.losses is not None:
            tables["losses"] = self.losses.as_dict()
        if self.readout is not None:
            tables["readout"] = self.readout.as_dict()
        if self.method is not None:
            method = self.method
            tables["method"] = method.full_table() if every_option else method.option_table()
        run: dict[str, Any] = {"steady_state": True}
        if not self.steady_state:
            run = {"times": AUTO if self.automatic_times else shortest(self.times)}
        run["seed"] = self.seed
        if self.memory_budget != DEFAULT_MEMORY_BUDGET:
            run["memory_budget"] = self.memory_budget
        tables["run"] = run
        if self.sweep is not None:
            tables["sweep"] = {path: list(values) for path, values in self.sweep.items()}
        return tables
