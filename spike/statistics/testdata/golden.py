"""Values of package statistics from the definitions in its comments, the plain way:
python3 golden.py > golden.json, with NumPy 1.24 and SciPy 1.10."""
import json
import numpy as np
from scipy import stats, integrate

rng = np.random.default_rng(20)
START, STOP = 1.0, 5.0


def poisson(n):
    return np.sort(np.round(rng.uniform(START, STOP, n), 3))


# Three units of three trials; unit 1 follows unit 0 by 12 ms, unit 2 has bursts.
units = [[poisson(30), poisson(24), poisson(41)]]
units.append([np.unique(np.concatenate([np.round(t[::2] + 0.012, 3), poisson(9)])) for t in units[0]])
units[1] = [t[t <= STOP] for t in units[1]]
units.append([np.unique(np.concatenate([poisson(12), np.round(2 + 0.3 * k + 0.006 * np.arange(7), 3)])) for k in range(3)])
units[0] = [np.unique(t) for t in units[0]]
T = STOP - START
out = {"start": START, "stop": STOP, "units": [[t.tolist() for t in u] for u in units], "values": {}}
val = out["values"]


def counts(t, width):
    n = int(np.ceil(T / width - 1e-9))
    k = np.minimum(np.floor((t - START) / (T / n) + 1e-9).astype(int), n - 1)
    return np.bincount(k, minlength=n), T / n


u = units[0]
isis = [np.diff(t) for t in u]
val["cv"] = np.concatenate(isis).std() / np.concatenate(isis).mean()
val["cv2"] = np.concatenate([2 * np.abs(np.diff(i)) / (i[1:] + i[:-1]) for i in isis]).mean()
val["lv"] = np.concatenate([3 * (np.diff(i) / (i[1:] + i[:-1])) ** 2 for i in isis]).mean()
val["lvr"] = np.concatenate([3 * (1 - 4 * i[1:] * i[:-1] / (i[1:] + i[:-1]) ** 2) * (1 + 4 * 0.005 / (i[1:] + i[:-1])) for i in isis]).mean()
val["isi"] = np.histogram(np.concatenate(isis) + 1e-9, np.arange(0, 0.41, 0.02))[0].tolist()
val["isi_above"] = int((np.concatenate(isis) + 1e-9 >= 0.4).sum())
c = np.array([counts(t, 0.25)[0] for t in u])
val["fano_trials"] = [v if np.isfinite(v) else None for v in c.var(axis=0) / np.where(c.mean(axis=0) == 0, np.nan, c.mean(axis=0))]
val["fano_time"] = c.var() / c.mean()

k = c.sum(axis=0)
val["psth"] = (k / 0.25 / 3).tolist()
val["psth_low"] = np.where(k > 0, stats.chi2.ppf(0.025, 2 * np.maximum(k, 1)) / 2, 0).__truediv__(0.75).tolist()
val["psth_high"] = (stats.chi2.ppf(0.975, 2 * k + 2) / 2 / 0.75).tolist()

# Kernels by their textbook forms: a boxcar of half width √3 σ, τ = σ, τ = σ/√2.
sigma = 0.06
forms = {
    "gaussian": lambda x: stats.norm.pdf(x, scale=sigma),
    "boxcar": lambda x: stats.uniform.pdf(x, -np.sqrt(3) * sigma, 2 * np.sqrt(3) * sigma),
    "exponential": lambda x: stats.expon.pdf(x, scale=sigma),
    "alpha": lambda x: stats.gamma.pdf(x, 2, scale=sigma / np.sqrt(2)),
}
centres = START + (np.arange(50) + 0.5) * T / 50
for name, f in forms.items():
    r = np.array([sum(f(t - s).sum() for s in u) / 3 for t in centres])
    val["rate_" + name] = r.tolist()
    # What of the kernel lies inside the window, by integration between its kinks.
    mass = [sum(integrate.quad(lambda s: f(t - s), a, b, limit=200)[0] for a, b in zip(e[:-1], e[1:]))
            for t in centres
            for e in [np.unique(np.clip([START, t - 40 * sigma, t - np.sqrt(3) * sigma, t, t + np.sqrt(3) * sigma, STOP], START, STOP))]]
    val["rate_border_" + name] = (r / np.array(mass)).tolist()


def cost(times, w):
    d = times[:, None] - times[None, :]
    psi = np.exp(-d ** 2 / (4 * w * w)) / (2 * np.sqrt(np.pi) * w)
    k = np.exp(-d ** 2 / (2 * w * w)) / (np.sqrt(2 * np.pi) * w)
    return psi.sum() - 2 * (k.sum() - np.trace(k))


bumps = np.sort(np.concatenate([rng.normal(1.8, 0.12, 150), rng.normal(3.6, 0.6, 150)]))
bumps = np.unique(np.round(bumps[(bumps > START) & (bumps < STOP)], 5))
out["bumps"] = bumps.tolist()
grid = np.exp(np.linspace(np.log(1e-3), np.log(T), 4000))
val["bandwidth"] = float(grid[np.argmin([cost(bumps, w) for w in grid])])

# The variable kernel, with whole matrices.
n, dt = 160, T / 160
y = counts(bumps, dt)[0].astype(float)
tt = np.arange(n)
gauss = lambda d, w: np.exp(-d ** 2 / (2 * w ** 2)) / (np.sqrt(2 * np.pi) * w)
D = tt[:, None] - tt[None, :]
W = 2 * (n / 2) ** (np.arange(32) / 31)
costs = []
for w in W:
    K = gauss(D, w)
    r = K @ y
    costs.append(r ** 2 - 2 * y * (r - K[0, 0]))
best = np.array([[W[np.argmin([gauss(t - tt, big) @ c for c in costs])] for t in tt] for big in W])


def variable(g):
    raw = np.array([max([W[0]] + [g * big for i, big in enumerate(W) if best[i, t] >= g * big]) for t in tt])
    z = gauss(D, (raw / g)[None, :])
    return (z * raw[None, :]).sum(axis=1) / z.sum(axis=1)


def balloon(w):
    return (gauss(D, w[:, None]) * y[None, :]).sum(axis=1)


def total(g):
    w = variable(g)
    r = balloon(w)
    return (r ** 2).sum() - 2 * (y * (r - gauss(0, w))).sum()


gs = np.exp(np.linspace(np.log(W[0] / W[-1]), 0, 3000))
best_g = gs[np.argmin([total(g) for g in gs])]
val["adaptive_cost"] = total(best_g)
val["adaptive_width"] = (variable(best_g) * dt).tolist()
val["adaptive_rate"] = (balloon(variable(best_g)) / dt).tolist()

lags = np.arange(-10, 11)
pairs = [np.subtract.outer(b, a).ravel() for a, b in zip(units[0], units[1])]
cch = np.sum([np.histogram(p + 1e-9, (np.arange(22) - 10.5) * 0.01)[0] for p in pairs], axis=0)
val["cch"] = cch.tolist()
val["cch_border"] = (cch * T / (T - np.abs(lags * 0.01))).tolist()
val["cch_rate"] = (cch / (sum(map(len, units[0])) * 0.01)).tolist()
weights = np.exp(-(lags[:, None] - lags[None, :]) ** 2 / (2 * 1.5 ** 2))
val["cch_smooth"] = ((weights @ cch) / weights.sum(axis=1)).tolist()
own = [np.subtract.outer(a, a)[~np.eye(len(a), dtype=bool)] for a in units[0]]
val["ach"] = np.sum([np.histogram(p + 1e-9, (np.arange(22) - 10.5) * 0.01)[0] for p in own], axis=0).tolist()

X = [np.array([counts(t, 0.05)[0] for t in v], float) for v in units]
n = X[0].shape[1]


def coefficient(a, b, k, border):
    a, b = a - a.mean(), b - b.mean()
    lo, hi = max(0, -k), min(n, n - k)
    s = (a[:, lo:hi] * b[:, lo + k:hi + k]).sum()
    return s * (n / (n - abs(k)) if border else 1) / np.sqrt((a ** 2).sum() * (b ** 2).sum())


val["coefficient"] = [coefficient(X[0], X[1], k, False) for k in range(-6, 7)]
val["coefficient_border"] = [coefficient(X[0], X[1], k, True) for k in range(-6, 7)]
after = np.array([coefficient(X[2], X[2], k, True) for k in range(1, 7)])
val["timescale"] = 2 * integrate.trapezoid((after / after[0]) ** 2, dx=0.05)
flat = np.array([x.ravel() for x in X])
val["covariance"] = np.cov(flat).tolist()
val["correlation"] = np.corrcoef(flat).tolist()

# Spike contrast, bin by bin.
trains = [v[0] for v in units]
least = max(0.01, min(np.diff(t).min() for t in trains) / 2)
width, best = T / 2, None
while width >= least - 1e-12:
    starts = START + np.arange(max(1, int(np.ceil(T / (width / 2) - 1e-9)) - 1)) * width / 2
    per = np.array([[((t >= a - 1e-10) & ((t < a + width - 1e-10) | (a + width > STOP - 1e-9))).sum() for a in starts] for t in trains])
    theta, active = per.sum(axis=0), (per > 0).sum(axis=0)
    s = np.abs(np.diff(theta)).sum() / theta.sum() * ((active * theta).sum() / theta.sum() - 1) / (len(trains) - 1)
    if best is None or s > best[0]:
        best = (s, width)
    width *= 0.9
val["contrast"], val["contrast_at"] = best

# Events: connected components of all spikes, next to each other within 3 ms.
every = sorted((s, i) for i, t in enumerate(trains) for s in t)
groups = [[every[0]]]
for a, b in zip(every[:-1], every[1:]):
    if b[0] - a[0] <= 0.003 + 1e-10:
        groups[-1].append(b)
    else:
        groups.append([b])
sizes = [len({i for _, i in g}) for g in groups]
val["complexity"] = [sizes.count(k) for k in (1, 2, 3)]
val["synchrofacts"] = [[g[0][0], g[-1][0], len(g)] for g, k in zip(groups, sizes) if k >= 2]

val["surprise"] = [[int(k), m, float(-stats.poisson.logsf(k - 1, m))] for k, m in [(3, 0.1), (5, 2.5), (10, 12.0), (40, 3.0), (2, 30.0), (1, 1e-6), (200, 100.0)]]
print(json.dumps(out, indent=1))
