"""Values of rsatoolbox (MIT, github.com/rsagroup/rsatoolbox, commit f1f83ca) on made-up data:
PYTHONPATH=.../rsatoolbox/src python3 golden.py > golden.json, with NumPy 1.24 and SciPy 1.10."""
import json
import warnings
import numpy as np
from scipy.linalg import eigvalsh
from scipy.optimize import minimize_scalar
from scipy.spatial.distance import squareform
from rsatoolbox.data import Dataset, cov_from_residuals
from rsatoolbox.inference import boot_noise_ceiling, crossval, cv_noise_ceiling, eval_dual_bootstrap, eval_fixed
from rsatoolbox.model import ModelFixed, ModelInterpolate, ModelSelect, ModelWeighted
from rsatoolbox.model.fitter import fit_interpolate, fit_optimize, fit_regress, fit_regress_nn, fit_select
from rsatoolbox.rdm import RDMs, calc_rdm, compare
from rsatoolbox.rdm.compare import _bures_similarity_second_way, _get_v, _sq_bures_metric_second_way
from rsatoolbox.util.inference_util import _dual_bootstrap

warnings.simplefilter("ignore")
rng = np.random.default_rng(92)
np.random.seed(92)
out, val = {}, {}


def rdms(v):
    return RDMs(np.atleast_2d(np.array(v, float)))


def plain(v):
    return [None if np.isnan(x) else float(x) for x in np.ravel(v)]


# 1. RDMs of six conditions in three folds, four channels.
counts = rng.poisson(np.repeat([rng.uniform(1, 9, 24).reshape(6, 4)], 3, axis=0)).reshape(18, 4)
x = np.round(counts + rng.normal(size=counts.shape), 3)
condition, fold = np.tile(np.arange(6), 3), np.repeat(np.arange(3), 6)
root = np.round(rng.normal(size=(3, 4, 4)) + 2 * np.eye(4), 2)
covariance = root @ root.transpose(0, 2, 1)
out["observations"] = {"x": x.tolist(), "counts": counts.tolist(), "condition": condition.tolist(), "fold": fold.tolist(),
                       "covariance": covariance.tolist()}
precision = np.linalg.inv(covariance)


def rdm(method, measured=x, cv=None, noise=None):
    data = Dataset(measured.astype(float), obs_descriptors={"condition": condition, "fold": fold if cv is None else cv})
    r = calc_rdm(data, method, descriptor="condition", noise=noise, cv_descriptor="fold")
    return r.dissimilarities[0]


val["euclidean"] = plain(rdm("euclidean"))
val["correlation"] = plain(rdm("correlation"))
val["mahalanobis"] = plain(rdm("mahalanobis", noise=precision[0]))
val["crossnobis"] = plain(rdm("crossnobis", noise=precision[0]))
val["crossnobis_identity"] = plain(rdm("crossnobis"))
val["crossnobis_by_fold"] = plain(rdm("crossnobis", noise=list(precision)))
val["poisson"] = plain(rdm("poisson", counts))
# poisson_cv returns its last fold alone: each fold is made the last, and the mean is taken.
val["poisson_cv"] = plain(np.mean([rdm("poisson_cv", counts, cv=(fold + k) % 3) for k in range(3)], axis=0))
residuals = np.round(rng.normal(size=(14, 4)) @ (rng.normal(size=(4, 4)) + 0.5), 3)
residuals -= residuals.mean(axis=0)
out["residuals"] = residuals.tolist()
for method in "full", "shrinkage_eye", "shrinkage_diag":
    for dof in 13, 11:
        val[f"{method}_{dof}"] = plain(cov_from_residuals(residuals, dof=dof, method=method))

# 2. Agreement of RDMs of eight stimuli with ties; the same with missing entries, and of Euclidean ones.
a, b = np.round(rng.uniform(0, 3, (2, 28)), 1)
c = np.round(np.add(a, rng.normal(size=28)).clip(0, None), 1)
missing = a.copy(), c.copy()
for v in missing:
    v[[3, 11, 12]] = np.nan
points = np.round(rng.normal(size=(2, 8, 3)), 2)
euclid = [np.sum((p[:, None] - p[None]) ** 2, axis=2)[np.triu_indices(8, 1)] for p in points]
variances = np.round(rng.uniform(0.5, 2, 8), 2)
out["pairs"] = {"plain": [a.tolist(), c.tolist()], "missing": [plain(v) for v in missing], "euclidean": [v.tolist() for v in euclid]}
out["variances"] = variances.tolist()
METHODS = ["cosine", "corr", "spearman", "kendall", "tau-a", "rho-a", "cosine_cov", "corr_cov"]
for name, (r, s) in {"plain": (a, c), "missing": missing, "euclidean": euclid}.items():
    for method in METHODS:
        val[f"{method}_{name}"] = float(compare(rdms(r), rdms(s), method)[0, 0])
    # V⁻¹ solved, where compare stops its conjugate gradients at five digits
    there = ~np.isnan(r)
    v = _get_v(8, variances).toarray()[there][:, there]
    for method in "cosine", "corr":
        u, w = r[there], s[there]
        if method == "corr":
            u, w = u - u.mean(), w - w.mean()
        p, q = np.linalg.solve(v, u), np.linalg.solve(v, w)
        val[f"{method}_variances_{name}"] = (u @ q) / np.sqrt((u @ p) * (w @ q))
# compare takes roots of eigenvalues that are 0 but for rounding, and so has eight digits: this way has all
grams = [-0.5 * (np.eye(8) - 1 / 8) @ squareform(v) @ (np.eye(8) - 1 / 8) for v in euclid]
val["bures"] = float(_bures_similarity_second_way(*grams))
val["bures_squared"] = float(_sq_bures_metric_second_way(*grams))

# 3. Noise ceilings of five subjects.
signal = rng.uniform(1, 2, 28)
data = np.round(signal + 0.4 * rng.normal(size=(5, 28)), 2)
gaps = data.copy()
gaps[:, [5, 20]] = np.nan
out["subjects"] = data.tolist()
for method in METHODS:
    val[f"ceiling_{method}"] = [float(v) for v in boot_noise_ceiling(rdms(data), method)]
    if method != "kendall":
        val[f"ceiling_missing_{method}"] = [float(v) for v in boot_noise_ceiling(rdms(gaps), method)]

# 4. Fixed evaluation of three models, of which the last has ties.
models = np.round([signal + 0.4 * rng.normal(size=28), rng.uniform(1, 2, 28), signal.round()], 2)
out["models"] = models.tolist()
fixed = [ModelFixed(str(k), m) for k, m in enumerate(models)]
for method in "corr", "rho-a":
    r = eval_fixed(fixed, rdms(data), method=method)
    val[f"fixed_{method}"] = {"subjects": r.evaluations[0].tolist(), "sem": r.get_sem().tolist(),
                              "zero": r.test_zero().tolist(), "pairs": r.test_pairwise()[np.triu_indices(3, 1)].tolist(),
                              "ceiling": r.test_noise().tolist(),
                              "rank_zero": r.test_zero("ranksum").tolist(),
                              "rank_pairs": r.test_pairwise("ranksum")[np.triu_indices(3, 1)].tolist()}

# 5. The variance of a dual bootstrap, by chance within a few hundredths, and its corrections.
r = eval_dual_bootstrap(fixed, rdms(data), method="corr", N=2000, verbose=-1)
val["dual"] = {"model": r.model_var.tolist(), "pairs": r.diff_var.tolist(), "dof": int(r.dof),
               "raw": [np.diag(v)[:3].tolist() for v in r.variances]}
three = [[4.0, 1.0, 2.0], [4.0, 2.5, 2.0], [9.0, 1.0, 2.0], [2.0, 1.0, 1.0], [1.0, 1.5, 0.2]]
out["three"] = three
val["dual_variance"] = [float(_dual_bootstrap(np.array(t))) for t in three]
val["dual_variance_small"] = [float(_dual_bootstrap(np.array(t), 5, 8)) for t in three]

# 6. Fitted models, all subjects and stimuli.
parts = np.round(rng.uniform(1, 2, (3, 28)) + [[0], [0.3], [0.1]] * signal, 2)
parts[2] = np.round(2.5 - 0.6 * signal + 0.2 * rng.normal(size=28), 2)
out["parts"] = parts.tolist()
weighted = ModelWeighted("w", rdms(parts))
for method in "cosine", "corr":
    val[f"linear_{method}"] = fit_regress(weighted, rdms(data), method).tolist()
    val[f"weighted_{method}"] = fit_regress_nn(weighted, rdms(data), method).tolist()
    val[f"optimised_{method}"] = fit_optimize(weighted, rdms(data), method).tolist()
for method in "cosine", "corr", "spearman":
    if method != "spearman":  # whose search ends beside the best of a function of steps
        val[f"interpolate_{method}"] = fit_interpolate(ModelInterpolate("i", rdms(parts)), rdms(data), method).tolist()
    val[f"select_{method}"] = int(fit_select(ModelSelect("s", rdms(parts)), rdms(data), method))

# 7. Held-out scores and ceilings: subjects and stimuli in folds, each pooled on the stimuli that it tests.
others = lambda all_, some: [k for k in all_ if k not in some]
folds = [(others(range(5), s), others(range(8), t), s, t) for s in ([0, 3], [1, 4], [2]) for t in ([0, 2, 5, 7], [1, 3, 4, 6])]
out["folds"] = folds
kinds = {"fixed": (ModelFixed("f", models[0]), fit_regress), "linear": (weighted, fit_regress), "weighted": (weighted, fit_regress_nn),
         "select": (ModelSelect("s", rdms(parts)), fit_select)}
some = lambda subjects, stimuli: rdms(data[subjects]).subset_pattern("index", stimuli)
for method in "cosine", "corr", "spearman":
    scores, ceilings = {k: [] for k in kinds}, []
    for train_subjects, train, test_subjects, test in folds:
        fitted, tested = (some(train_subjects, train), train), (some(test_subjects, test), test)
        for name, (model, fit) in kinds.items():
            if method == "spearman" and name != "fixed":
                continue  # fitted otherwise here: to the pooled ranks
            r = crossval(model, rdms(data), [fitted], [tested], method=method, fitter=[fit if name != "fixed" else model.default_fitter], calc_noise_ceil=False)
            scores[name].append(float(r.evaluations[0, 0, 0]))
        ceilings.append(cv_noise_ceiling(some(list(range(5)), test), [(some(train_subjects, test), test)], [tested], method=method))
    for name, v in scores.items():
        if v:
            val[f"held_{name}_{method}"] = float(np.mean(v))
    val[f"held_ceiling_{method}"] = np.mean(ceilings, axis=0).tolist()

# 8. Riemannian distances of models and data, both searches: rsatoolbox's, and one of one variable by itself.
def riemannian(r, s):
    n = 1 + int(round((np.sqrt(8 * len(r) + 1) - 1) / 2))
    centre = [squareform(v) for v in (r, s)]
    g, h = [(d[:1, 1:] + d[1:, :1] - d[1:, 1:]) / 2 for d in centre]
    noise = np.eye(n - 1) + 1

    def of(moments):
        mu = eigvalsh(moments, h)
        return np.sum((np.log(mu) - np.log(mu).mean()) ** 2) if mu[0] > 1e-10 * mu[-1] else np.inf
    spread = lambda c: of(g + np.exp(c) * noise)
    start = min(np.linspace(-15, 15, 301), key=spread)
    between = minimize_scalar(spread, bounds=(start - 0.1, start + 0.1), method="bounded", options={"xatol": 1e-10}).fun
    return -np.sqrt(min(between, of(g), of(noise)))


out["geometries"], val["riemann"], val["riemann_there"] = [], [], []
for n, p in (5, 9), (8, 20), (8, 3), (12, 30):
    u, w = np.round(rng.normal(size=(n, p)), 2), np.round(rng.normal(size=(n, 40)), 2)
    u[:, 0] += w[:, 0]
    pair = [np.sum((x[:, None] - x[None]) ** 2, axis=2)[np.triu_indices(n, 1)] for x in (u, w)]
    out["geometries"].append([v.tolist() for v in pair])
    val["riemann"].append(float(riemannian(*pair)))
    val["riemann_there"].append(float(compare(rdms(pair[0]), rdms(pair[1]), "neg_riem_dist")[0, 0]))

# 9. Whitened similarities with a full covariance of stimuli's noise, V⁻¹ solved.
root = rng.normal(size=(8, 8))
sigma = np.round(root @ root.T / 8 + np.diag(rng.uniform(0.5, 2, 8)), 3)
out["noise"] = sigma.tolist()
contrast = np.array([np.eye(8)[i] - np.eye(8)[j] for i in range(8) for j in range(i + 1, 8)])
v = (contrast @ sigma @ contrast.T) ** 2
for method in "cosine", "corr":
    u, w = (np.array(x) - (np.mean(x) if method == "corr" else 0) for x in (a, c))
    p, q = np.linalg.solve(v, u), np.linalg.solve(v, w)
    val[f"{method}_noise"] = float((u @ q) / np.sqrt((u @ p) * (w @ q)))
    val[f"{method}_noise_there"] = float(compare(rdms(a), rdms(c), method + "_cov", sigma_k=sigma)[0, 0])

out["values"] = val
print(json.dumps(out, ensure_ascii=False, separators=(",", ":")).replace('],"', '],\n"').replace('},"', '},\n"'))
