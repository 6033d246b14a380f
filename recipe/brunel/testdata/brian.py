"""Brunel's network in Brian2: what the claims of recipe brunel are held against.

    python3 brian.py 5 SI-slow AI SI-fast      # seeds; Debian's python3-brian 2.5.1 and g++
    python3 brian.py 1 SR                      # together brian-seeds.json

10,000 excitatory and 2,500 inhibitory neurons (Brunel, J. Comput. Neurosci. 8:183, 2000,
figure 8), each with 1,000 and 250 inputs drawn without replacement. Rates are of all neurons
over 1 s after 0.2 s; CV is the mean, over neurons of four spikes or more, of the coefficient of
variation of their intervals; synchrony is the variance of the number of spikes of all neurons in
1 ms over its mean. Each seed and regime is a program of its own (cpp_standalone, one thread),
and wall_seconds are those of 1.2 s of its time. tools/peers/brian_brunel.py times the same network.
"""
import json
import sys
import tempfile

import brian2 as b
import numpy as np

REGIMES = {"SR": (3, 2), "SI-fast": (6, 4), "AI": (5, 2), "SI-slow": (4.5, 0.9)}
NE, NI, CE, CI = 10000, 2500, 1000, 250
WARM, MEASURED = 0.2, 1.0


def sources(r, n, k):
    return np.concatenate([r.permutation(n)[:k] for _ in range(NE + NI)])


def network(seed, g, eta):
    """The network at rest, and what records its spikes."""
    b.start_scope()
    b.seed(seed)
    b.defaultclock.dt = 0.1 * b.ms
    r = np.random.default_rng(seed)
    # A neuron takes no input in its refractory time, from the network or from elsewhere: a binomial
    # number of CE trains of 10 Hz times eta.
    names = {"tau": 20 * b.ms, "J": 0.1 * b.mV, "g": g, "drawn": b.BinomialFunction(CE, eta * 10 * 1e-4)}
    cells = b.NeuronGroup(
        NE + NI, "dv/dt = -v/tau : volt (unless refractory)", threshold="v > 20*mV",
        reset="v = 10*mV", refractory=2 * b.ms, method="exact", namespace=names)
    cells.run_regularly("v += J*drawn()*int(not_refractory)", when="synapses")
    exc = b.Synapses(cells[:NE], cells, "", on_pre="v += J*int(not_refractory_post)", delay=1.5 * b.ms, namespace=names)
    exc.connect(i=sources(r, NE, CE), j=np.repeat(np.arange(NE + NI), CE))
    inh = b.Synapses(cells[NE:], cells, "", on_pre="v -= g*J*int(not_refractory_post)", delay=1.5 * b.ms, namespace=names)
    inh.connect(i=sources(r, NI, CI), j=np.repeat(np.arange(NE + NI), CI))
    monitor = b.SpikeMonitor(cells)
    return b.Network(cells, exc, inh, monitor), monitor


def run(seed, g, eta):
    b.device.reinit()
    b.device.activate(build_on_run=False)
    net, monitor = network(seed, g, eta)
    net.run((WARM + MEASURED) * b.second)
    with tempfile.TemporaryDirectory() as folder:
        b.device.build(directory=folder, compile=True, run=True, with_output=False)
        late = monitor.t_[:] >= WARM
        return measures(monitor.i[:][late], monitor.t_[:][late] - WARM, b.device._last_run_time)


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
    b.set_device("cpp_standalone", build_on_run=False)
    out = []
    for seed in range(1, 1 + int(sys.argv[1])):
        out.append({})
        for name in sys.argv[2:] or REGIMES:
            out[-1][name] = run(seed, *REGIMES[name])
            print(seed, name, out[-1][name], file=sys.stderr, flush=True)
    json.dump(out, sys.stdout, indent=1)
    print()
