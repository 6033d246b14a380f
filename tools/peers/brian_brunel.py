"""How fast Brian2 simulates Brunel's network: peers of W11 for `synfire bench --compare`.

    python3 brian_brunel.py cython > peers.jsonl            # Debian's python3-brian and a compiler
    python3 brian_brunel.py cpp_standalone >> peers.jsonl

The network of recipe brunel's testdata/brian.py: 10,000 excitatory and 2,500 inhibitory neurons with 1,000 and
250 inputs each, drawn without replacement, in the regimes AI and SI-slow, spikes recorded, on one
thread. Figures are milliseconds of the network's time in a second: of the simulation alone,
without compiling, building and 200 ms before. Repeats go on where the last one ended; a program of
cpp_standalone begins anew each time.
"""
import json
import os
import sys
import tempfile
import time

import brian2 as b
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../recipe/brunel/testdata"))
from brian import NE, NI, REGIMES, network

TARGET = sys.argv[1]
REPEATS, RUN, WARM = 7, 100, 200  # ms


def cython(g, eta):
    net, monitor = network(1, g, eta)
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
    net, monitor = network(1, g, eta)
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
    for name in ("AI", "SI-slow"):
        g, eta = REGIMES[name]
        rates, monitor = (standalone if TARGET == "cpp_standalone" else cython)(g, eta)
        hz = len(monitor.t) / (NE + NI) / (float(monitor.t[-1]) if len(monitor.t) else 1)
        print("%s: %.1f Hz over the whole run" % (name, hz), file=sys.stderr)
        print(json.dumps(dict(work="W11@" + name, lib="brian2 %s %s" % (b.__version__, TARGET), mode="simulate",
                              threads=1, median=float(np.median(rates)), min=min(rates), max=max(rates))), flush=True)
