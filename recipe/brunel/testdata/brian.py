"""Brunel's network in Brian2: what the claims of recipe brunel are held against.

    python3 brian.py 1 > brian.json      # seeds; Debian's python3-brian, 2.5.1

10,000 excitatory and 2,500 inhibitory neurons (Brunel, J. Comput. Neurosci. 8:183, 2000,
figure 8), each with 1,000 and 250 inputs drawn without replacement. Rates are of all neurons
over 1 s after 0.2 s; CV is the mean, over neurons of four spikes or more, of the coefficient of
variation of their intervals; synchrony is the variance of the number of spikes of all neurons in
1 ms over its mean. One connectivity a seed serves all four regimes.
"""
import json
import sys
import time

import brian2 as b
import numpy as np

b.prefs.codegen.target = "cython"
REGIMES = {"SR": (3, 2), "SI-fast": (6, 4), "AI": (5, 2), "SI-slow": (4.5, 0.9)}
NE, NI, CE, CI, J = 10000, 2500, 1000, 250, 0.1
WARM, MEASURED = 0.2, 1.0


def sources(r, n, k):
    return np.concatenate([r.permutation(n)[:k] for _ in range(NE + NI)])


def run(seed):
    b.start_scope()
    b.seed(seed)
    b.defaultclock.dt = 0.1 * b.ms
    r = np.random.default_rng(seed)
    tau = 20 * b.ms
    cells = b.NeuronGroup(
        NE + NI, "dv/dt = -v/tau : volt (unless refractory)", threshold="v > 20*mV",
        reset="v = 10*mV", refractory=2 * b.ms, method="exact", namespace={"tau": tau})
    to = np.repeat(np.arange(NE + NI), CE)
    exc = b.Synapses(cells[:NE], cells, "", on_pre="v += 0.1*mV*int(not_refractory_post)", delay=1.5 * b.ms)
    exc.connect(i=sources(r, NE, CE), j=to)
    inh = b.Synapses(cells[NE:], cells, "w : volt (shared)", on_pre="v -= w*int(not_refractory_post)", delay=1.5 * b.ms)
    inh.connect(i=sources(r, NI, CI), j=np.repeat(np.arange(NE + NI), CI))
    out = {}
    noise = np.random.default_rng([seed, 1])
    regime = {}

    @b.network_operation(when="synapses")
    def external():
        # Binomial of CE trains of 10 Hz times eta, as PoissonInput draws it; a neuron in its
        # refractory time takes no input, as with the synapses.
        drawn = noise.binomial(CE, regime["eta"] * 10 * 1e-4, NE + NI) * (J * 1e-3)
        cells.v_[:] += drawn * cells.not_refractory[:]

    monitor = b.SpikeMonitor(cells)
    net = b.Network(cells, exc, inh, monitor, external)
    for name, (g, eta) in REGIMES.items():
        regime["eta"] = eta
        inh.w = g * J * b.mV
        cells.v = 0 * b.mV
        net.run(WARM * b.second)
        before, start, at = len(monitor.t_), float(net.t_), time.time()
        net.run(MEASURED * b.second)
        wall = time.time() - at
        out[name] = measures(monitor.i[before:], monitor.t_[before:] - start, wall)
        out[name].update(seed=seed)
        print(name, out[name], file=sys.stderr, flush=True)
    return out


def measures(units, times, wall):
    counts = np.histogram(times, np.arange(0, MEASURED + 1e-9, 1e-3))[0]
    order = np.lexsort((times, units))
    units, times = units[order], times[order]
    cvs = []
    for train in np.split(times, np.searchsorted(units, np.arange(1, NE + NI))):
        if len(train) >= 4:
            d = np.diff(train)
            cvs.append(d.std() / d.mean())
    return {
        "rate": len(times) / (NE + NI) / MEASURED, "cv": float(np.mean(cvs)),
        "synchrony": float(counts.var() / counts.mean()), "wall_seconds": wall,
    }


if __name__ == "__main__":
    json.dump([run(1 + s) for s in range(int(sys.argv[1]))], sys.stdout, indent=1)
    print()
