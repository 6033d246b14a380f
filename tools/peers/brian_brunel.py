"""How fast Brian2 simulates Brunel's network: peers of W11 for `synfire bench --compare`.

    python3 brian_brunel.py cython > peers.jsonl            # Debian's python3-brian and a compiler
    python3 brian_brunel.py cpp_standalone >> peers.jsonl

The network of rule/stdp/balanced: 10,000 excitatory and 2,500 inhibitory neurons with 1,000 and
250 inputs each, drawn without replacement, in the regimes AI and SI-slow, spikes recorded, on one
thread. Figures are milliseconds of the network's time in a second: of the simulation alone,
without compiling, building and 200 ms before. Repeats go on where the last one ended.
"""
import json
import os
import sys
import tempfile
import time

import brian2 as b
import numpy as np

TARGET = sys.argv[1]
REPEATS, RUN, WARM = 7, 100, 200
REGIMES = {"AI": (5, 2), "SI-slow": (4.5, 0.9)}
NE, NI, CE, CI = 10000, 2500, 1000, 250


def sources(r, n, k):
    return np.concatenate([r.permutation(n)[:k] for _ in range(NE + NI)])


def network(g, eta):
    b.start_scope()
    b.seed(1)
    b.defaultclock.dt = 0.1 * b.ms
    r = np.random.default_rng(1)
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


def cython(g, eta):
    net, monitor = network(g, eta)
    net.run(WARM * b.ms)
    rates = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        net.run(RUN * b.ms)
        rates.append(RUN / (time.perf_counter() - start))
    return rates, monitor


def standalone(g, eta):
    """The program tells the seconds of its last run: one of it for each repeat."""
    b.device.reinit()
    b.device.activate(build_on_run=False)
    net, monitor = network(g, eta)
    net.run(WARM * b.ms)
    net.run(RUN * b.ms)
    folder = tempfile.mkdtemp()
    b.device.build(directory=folder, compile=True, run=False)
    rates = []
    for _ in range(REPEATS):
        b.device.run(folder, with_output=False, run_args=[])
        rates.append(RUN / b.device._last_run_time)
    return rates, monitor


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    if TARGET == "cpp_standalone":
        b.set_device(TARGET, build_on_run=False)
    else:
        b.prefs.codegen.target = TARGET
    for name, (g, eta) in REGIMES.items():
        rates, monitor = (standalone if TARGET == "cpp_standalone" else cython)(g, eta)
        hz = len(monitor.t) / (NE + NI) / (float(monitor.t[-1]) if len(monitor.t) else 1)
        print("%s: %.1f Hz over the whole run" % (name, hz), file=sys.stderr)
        print(json.dumps(dict(work="W11@" + name, lib="brian2 %s %s" % (b.__version__, TARGET), mode="simulate",
                              threads=1, median=float(np.median(rates)), min=min(rates), max=max(rates))), flush=True)
