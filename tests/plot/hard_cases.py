"""Pictures whose texts have little room: made of tables, so that nothing is computed."""

from types import SimpleNamespace

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.text import Text

from spinsqueeze import plot
from spinsqueeze.observables.optimum import Optimum, OptimumStatus
from spinsqueeze.plot.fit import seen_ticks
from spinsqueeze.plot.style import COLUMN, new_figure

LONG = (
    "A title of many words about twisting with $\\chi = 1$, dephasing at $\\gamma = 0.01\\,\\chi$ "
    "and vacancies, in an array of 10 x 10 sites with open ends, and after it more words still"
)
RYDBERG = "Rydberg array, 5 um, C6 = 863 GHz um^6: spin echo"


def run(stop=0.4, *, unit="J", at=0.62, gaps=0, **attributes):
    """A curve of xi2 whose least value is at the fraction `at` of the times."""
    x = np.linspace(0.0, 1.0, 201)
    depth = np.interp(x, [0, max(at, 1e-9), 1], [0.0, -12.0, -3.0 if at < 1 else -12.0])
    xi2 = 10 ** (depth / 10)
    xi2[10 : 10 + gaps] = np.nan
    attributes = {"n_spins": 64, "unit": unit, "method": "dtwa", **attributes}
    data = xr.Dataset(coords={"time": ("time", stop * x)}, attrs=attributes)
    data["xi2"] = ("time", xi2)
    data["contrast"] = ("time", 1 - 0.2 * x)
    data["total_spin_squared"] = ("time", 32 * 33 * (1 - 0.1 * x))
    return data


def best(time, *, xi2=10**-1.2, status=OptimumStatus.INSIDE):
    return Optimum(
        xi2=xi2, decibels=10 * np.log10(xi2), time=time, xi2_stderr=0.0012, decibels_stderr=0.08,
        time_stderr=0.013 * time, status=status,
    )  # fmt: skip


def swept(*values, words=False, status=0, missing=0, units="J", title=""):
    names = ("coupling_strength_of_the_pairs", "rate")[: len(values)]
    shape = tuple(len(v) for v in values)
    data = xr.Dataset(attrs={"title": title})
    for name, along in zip(names, values, strict=True):
        labels = [f"a rather long word {v:g}" for v in along] if words else along
        data[name] = (name, labels, {"units": units, "path": name})
    field = 10 ** (-np.linspace(0.1, 1.7, int(np.prod(shape))).reshape(shape))
    field.ravel()[:missing] = np.nan
    data = data.set_coords(names)
    data["optimal_xi2"] = (names, field)
    data["optimal_time"] = (names, 2e-6 / field, {"units": "s"})
    codes = np.resize(np.atleast_1d(status), shape)
    data["optimal_status"] = (names, codes)
    data["optimal_at_edge"] = (names, np.isin(codes, (1, 2, 3)).astype(int))
    data["status"] = (names, np.full(shape, "done"))
    return data


def branched(title=""):
    x = np.linspace(0.1, 1.0, 30)
    data = xr.Dataset(attrs={"parameter": "rabi", "n_spins": 100, "title": title})
    data["rabi"] = (("branch", "point"), [x, x], {"units": "2 pi MHz"})
    data["spin"] = (
        ("branch", "point", "axis"),
        50 * np.stack([[-x, -x, -x], [x, x, x]]).swapaxes(1, 2),
    )
    data = data.assign_coords(axis=list("xyz"))
    data["stable"] = (("branch", "point"), np.stack([x < 0.5, x > 0.5]))
    data["physical"] = (("branch", "point"), np.stack([x < 0.9, x > 0]))
    data["n_points"] = ("branch", [30, 30])
    data["special_kind"] = ("special", ["fold", "branch point", "hopf"])
    data["special_branch"] = ("special", [0, 1, 1])
    data["special_point"] = ("special", [13, 4, 22])
    return data.set_coords("rabi")


def several_trajectories(count=40):
    data = run(2e-6, unit="1/s", title=LONG)
    data["effective_spins"] = 64 * data["contrast"]
    shape = ("time", "trajectory")
    scale = xr.DataArray(1 + 0.3 * np.arange(count) / count, dims="trajectory")
    data["trajectory_xi2"] = (data["xi2"] * scale).transpose(*shape)
    data["trajectory_effective_spins"] = (data["effective_spins"] * scale).transpose(*shape)
    data["jump_time"] = (("trajectory", "jump"), np.linspace(0, 2e-6, count * 3).reshape(count, 3))
    return data


def averaged(**attributes):
    return run(diagnostics='{"realisations": 20}', **attributes)


def variance(title):
    """What `variance_against_angle` returns, at 4 times below and 5 times above 0 dB."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 91)
    least, most, turn = 0.25, 5.0, -1.0
    attributes = {
        "n_spins": 97, "title": title, "time": 2.046e-9, "unit": "1/s", "xi2": 0.4, "contrast": 0.8,
        "xi2_kitagawa_ueda": least, "antisqueezing": most, "squeezing_angle": turn,
        "uncertainty_product": least * most / 0.8**2, "diagnostics": '{"realisations": 20}',
    }  # fmt: skip
    values = least * np.cos(angle - turn) ** 2 + most * np.sin(angle - turn) ** 2
    data = xr.Dataset(coords={"angle": ("angle", angle)}, attrs=attributes)
    data["relative_variance"] = ("angle", values)
    return data


def gains(title):
    data = xr.Dataset(coords={"time": ("time", np.linspace(0, 4, 9), {"units": "ns"})})
    data["metrological_gain"] = ("time", 1 + data.time.values)
    data["metrological_gain_numerical_error"] = ("time", 0.0 * data.time.values)
    data["best_axis"] = (("time", "axis"), np.ones((9, 3)))
    return data.assign_attrs(title=title, method="exact")


def on(width, tall, rows=1, columns=1, **options):
    figure = new_figure(width, tall)
    return figure, figure.subplots(rows, columns, **options)


def _column(data, tall=4.4, **options):
    _, panels = on(COLUMN, tall, 3, sharex=True)
    return plot.squeezing(data, ax=panels, **options)


def _ours(name):
    return {f"{name} {k}": run(at=0.3 + 0.1 * k) for k in range(4)}


def _optima(curves):
    return {name: best(0.4 * (0.3 + 0.1 * k)) for k, name in enumerate(curves)}


def _side_by_side():
    figure, panels = on(7.0, 2.4, 1, 3)
    for panel in panels:
        plot.squeezing(
            run(title="An echo in an open array, with dephasing"), ax=panel, optimum=best(0.25)
        )
    return figure


def _bare_caller():
    """The caller's own figure, of a backend that is not ours, without a layout."""
    figure = Figure(figsize=(5.0, 4.0))
    return plot.squeezing(run(88e-6, unit="1/s"), ax=figure.subplots(), optimum=best(5.4e-5))


def _sphere(projection, view=None):
    theta, phi = np.linspace(0, np.pi, 21), np.linspace(0, 2 * np.pi, 41)
    field = np.sin(theta)[:, None] * (1 + np.cos(phi)) * 1e-5
    panel = on(COLUMN, 2.6)[1]
    label = r"Husimi function $Q(\theta, \varphi)$ of a state with long words about it"
    return plot.sphere(field, theta, phi, ax=panel, projection=projection, view=view, label=label)


FAILING = r"from $\ket{+x}$, " + LONG
COUNTS = np.arange(1, 15)
CASES = {
    "two optima": lambda: plot.squeezing(
        {k: run() for k in "ab"}, optimum={k: best(0.25) for k in "ab"}),
    "four optima in a column": lambda: _column(
        _ours("a method"), optimum=_optima(_ours("a method"))),
    "nine curves in a column": lambda: _column(
        {f"a long label, seed {k}": run() for k in range(9)}),
    "one optimum in a column": lambda: _column(run(title=LONG), optimum=best(0.25)),
    "optimum at the left": lambda: plot.squeezing(
        run(at=0.0), optimum=best(0.0, xi2=1.0, status=OptimumStatus.FIRST_TIME)),
    "no squeezing": lambda: plot.squeezing(
        run(at=0.0), optimum=best(0.0, xi2=1.0, status=OptimumStatus.INITIAL_STATE)),
    "optimum at the right": lambda: _column(
        run(at=1.0), optimum=best(0.4, status=OptimumStatus.LAST_TIME)),
    "long notes": lambda: plot.squeezing(
        {f"a method with a long name {k}": run(gaps=17) for k in range(4)}),
    "long notes in a column": lambda: _column(
        {f"a method with a long name {k}": run(gaps=17) for k in range(4)}, tall=5.0),
    "tiny times": lambda: _column(run(3e-8, unit="1/s"), optimum=best(1.9e-8)),
    "tiny times in J": lambda: plot.squeezing(run(3e-8), optimum=best(1.9e-8)),
    "huge times": lambda: plot.squeezing(run(7e8, unit="2 pi MHz"), optimum=best(4.3e8)),
    "huge times in J": lambda: _column(run(7e8), optimum=best(4.3e8)),
    "failing LaTeX": lambda: plot.squeezing(
        {FAILING: run(title=FAILING)}, optimum={FAILING: best(0.2)}),
    "side by side": _side_by_side,
    "a figure of the caller": _bare_caller,
    "sweep of everything": lambda: plot.sweep(
        swept(COUNTS, status=[0, 0, 2, 3, 4, 1], missing=2, title=LONG, units="2 pi MHz")),
    "sweep in a column": lambda: plot.sweep(
        swept(COUNTS * 1e7, status=[0, 2, 3, 4], missing=2, title=FAILING), ax=on(COLUMN, 2.4)[1]),
    "sweep over long words": lambda: plot.sweep(swept(COUNTS, words=True), ax=on(COLUMN, 2.4)[1]),
    "map of everything": lambda: plot.sweep(
        swept(COUNTS, 10.0**COUNTS[:6], status=[0, 0, 2, 3, 4, 1], missing=3, title=LONG)),
    "map in a column": lambda: plot.sweep(
        swept(COUNTS, 10.0**COUNTS, status=[0, 0, 2, 3, 4, 1], missing=3), ax=on(COLUMN, 2.4)[1]),
    "map over words": lambda: plot.sweep(
        swept(COUNTS, COUNTS, words=True), quantity="optimal_time"),
    "branches in a column": lambda: plot.branches(branched(LONG), ax=on(COLUMN, 2.6)[1]),
    "forty trajectories": lambda: plot.trajectories(several_trajectories()),
    "an average": lambda: plot.squeezing(
        averaged(title=RYDBERG), optimum=best(0.25), width="column"),
    "two averages of two optima": lambda: plot.squeezing(
        {k: averaged(title=LONG, gaps=7) for k in ("at the atoms", "as measured")},
        optimum={k: best(0.25) for k in ("at the atoms", "as measured")}),
    "two averages in a column": lambda: plot.squeezing(
        {k: averaged(title=RYDBERG) for k in ("at the atoms", "as measured")},
        optimum={k: best(0.25) for k in ("at the atoms", "as measured")}, width="column"),
    "an average on one axes": lambda: plot.squeezing(
        averaged(title=RYDBERG), ax=on(COLUMN, 2.4)[1], optimum=best(0.25)),
    "an ellipse": lambda: plot.ellipse(variance(RYDBERG)),
    "an ellipse in a column": lambda: plot.ellipse(variance(RYDBERG), width="column"),
    "an ellipse of few words": lambda: plot.ellipse(
        variance(LONG), width="column", title=False, labels=False),
    "a gain": lambda: plot.sensitivity(gains(RYDBERG)),
    "a gain in a column": lambda: plot.sensitivity(gains(RYDBERG), width="column"),
    "a sweep of width column": lambda: plot.sweep(
        swept(COUNTS, status=[0, 2, 3, 4], title=RYDBERG), width="column"),
    "branches of width column": lambda: plot.branches(branched(RYDBERG), width="column"),
    "trajectories of width column": lambda: plot.trajectories(
        several_trajectories(5), width="column"),
    "sphere": lambda: _sphere("orthographic"),
    "sphere from above": lambda: _sphere("orthographic", view=(0.06, 0.0, np.sqrt(1 - 0.06**2))),
    "map of a sphere": lambda: _sphere("map"),
}  # fmt: skip


def boxes(figure):
    """Name -> extent in pixels of every text that is seen, after the layout."""
    figure.draw_without_rendering()
    out = []
    ticks = set()
    for panel in figure.axes:
        for axis in (panel.xaxis, panel.yaxis):
            ticks |= set(axis.get_ticklabels(which="both"))
            if panel.axison:
                out += [("tick", panel, label) for label in seen_ticks(axis)]
            out.append(("offset", panel, axis.get_offset_text()))
            ticks.add(axis.get_offset_text())
    legends = [panel.get_legend() for panel in figure.axes if panel.get_legend() is not None]
    inside = {text for legend in legends for text in legend.findobj(Text)}
    for text in figure.findobj(Text):
        if text not in ticks and text not in inside:
            hidden = text.axes is not None and not text.axes.axison and text not in text.axes.texts
            if not hidden:
                out.append(("text", text.axes, text))
    out += [("legend", legend.axes, legend) for legend in legends]
    return [
        SimpleNamespace(
            kind=kind, panel=panel, name=_said(kind, item), box=item.get_window_extent()
        )
        for kind, panel, item in out
        if item.get_visible() and (kind == "legend" or item.get_text().strip())
    ]


def _said(kind, item):
    return kind if kind == "legend" else item.get_text()


def collisions(figure):
    """Pairs of texts that meet, texts that cross a frame and texts that leave the page."""
    found = []
    labels = boxes(figure)
    for k, a in enumerate(labels):
        found += [(a.name, b.name) for b in labels[:k] if overlap(a.box, b.box)]
        found += [(a.name, "frame") for p in figure.axes if p.axison and crosses(a.box, p.bbox)]
        if (
            a.box.x0 < -1
            or a.box.x1 > figure.bbox.x1 + 1
            or a.box.y0 < -1
            or a.box.y1 > figure.bbox.y1 + 1
        ):
            found.append((a.name, "page"))
    return found


def overlap(a, b, slack=0.5):
    wide = min(a.x1, b.x1) - max(a.x0, b.x0)
    tall = min(a.y1, b.y1) - max(a.y0, b.y0)
    return wide > slack and tall > slack


def crosses(a, frame):
    """Whether a box lies on both sides of a line of a frame."""
    inside = (
        a.x0 >= frame.x0 - 1
        and a.x1 <= frame.x1 + 1
        and a.y0 >= frame.y0 - 1
        and a.y1 <= frame.y1 + 1
    )
    return overlap(a, frame, slack=1.0) and not inside
