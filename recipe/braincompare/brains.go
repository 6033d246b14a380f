package braincompare

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"synfire/compare"
	"synfire/compare/evaluation"
	"synfire/compare/recording"
	"synfire/data"
	"synfire/data/recordings"
	"synfire/internal/par"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
)

// The claims on brains, and what they are held against: figures of the same data, computed
// beforehand by another program.
const (
	ceilingClaim = "ceiling"
	orderClaim   = "order"
	brainBound   = 0.005
	brainsStated = "2026-11-29"

	learnedClaim = "networks"
	controlClaim = "networks-controls"
	seenStated   = "2026-11-30"
)

var (
	wantCeiling = [2]float64{0.372, 0.666}
	wantOrder   = []float64{0.296, 0.160, 0.027}
)

// ranked are the models of the claim on order, the best first.
var ranked = []string{"monkeyIT", "HMAX", "V1"}

// brainClaims are judged where the data are.
func brainClaims() []report.Claim {
	const source = "the RDMs of Kriegeskorte et al. 2008, computed beforehand by another program"
	var out []report.Claim
	for _, c := range []struct{ id, name string }{
		{ceilingClaim, "human IT, four subjects, Spearman: the noise ceiling's bounds, farthest from 0.372 and 0.666"},
		{orderClaim, "human IT: mean correlations with monkey IT, HMAX and V1, farthest from 0.296, 0.160 and 0.027"},
	} {
		b := recipe.Bounded(c.id, c.name, "", source, report.AtMost, brainBound, report.Seeds{Short: 1, Full: 1}, report.Samples{Short: recordings.Pictures, Full: recordings.Pictures})
		b.Stated, b.Note = brainsStated, "Says that the instrument reads these data as others do, not that the steps differ: four subjects do not establish each of them."
		out = append(out, b)
	}
	const half = recordings.Pictures / 2
	for _, c := range []struct{ id, less string }{
		{learnedClaim, "that of the same before training"}, {controlClaim, "that of the best of pixels and silhouettes"},
	} {
		b := recipe.Bounded(c.id, "human IT: correlation of a network that learned photographs, by its layer that agrees best on half of the pictures, on the other half less "+c.less+", of the kind that gains less",
			"", "no paper: what photographs teach small networks", report.AtLeast, 0, report.Seeds{Short: ofAKind, Full: ofAKind}, report.Samples{Short: half, Full: half})
		b.Stated, b.Note = seenStated, "Stated before any run: the median over seeds, each with halves of its own. Either outcome is reported."
		out = append(out, b)
	}
	return out
}

// resamples of the bootstrap.
var resamples = map[report.Scale]int{report.Smoke: 20, report.Short: 200, report.Full: 1000}

// brains is human IT with what is held against it.
type brains struct {
	subjects []compare.RDM
	models   []evaluation.Model // all of the archive, then the model of animacy last
	pictures [][]byte
	table    evaluation.Table
	scores   evaluation.Scores
	tau      evaluation.Scores // of animacy alone, by tau-a
	networks []seenBy
	steps    []figure.Series // mean correlation of the last hidden layer of the first spiking network of each kind, by step
}

var (
	spearman = compare.Comparison{Similarity: compare.Spearman, Pooling: compare.PoolRanks}
	tauA     = compare.Comparison{Similarity: compare.TauA, Pooling: compare.PoolRanks}
)

// loadBrains reads human IT, sessions averaged, the models and the pictures.
func loadBrains(ctx context.Context, o data.Options) (*brains, error) {
	archive, err := recordings.LoadBrains(ctx, o)
	if err != nil {
		return nil, err
	}
	read := func(name string) ([]compare.RDM, []string, error) {
		d, v, err := archive.Array(name)
		if err != nil {
			return nil, nil, err
		}
		list, err := recording.RDMsOf(v, d.Shape)
		return list, d.Names, err
	}
	b := &brains{}
	if b.subjects, _, err = read("human_it_sessions"); err != nil {
		return nil, err
	}
	list, names, err := read("models")
	if err != nil {
		return nil, err
	}
	if len(names) != len(list) {
		return nil, fmt.Errorf("brain-92images: %d models and %d names; import the archive again", len(list), len(names))
	}
	for i, r := range list {
		b.models = append(b.models, evaluation.Model{Name: names[i], RDM: r})
	}
	b.pictures, err = archive.Images()
	return b, err
}

// model is one of the archive's; the name must be there.
func (b *brains) model(name string) (evaluation.Model, error) {
	i := slices.IndexFunc(b.models, func(m evaluation.Model) bool { return m.Name == name })
	if i < 0 {
		return evaluation.Model{}, fmt.Errorf("brain-92images: no model %q; import the archive again", name)
	}
	return b.models[i], nil
}

// rank evaluates the models.
func (b *brains) rank(scale report.Scale, seed uint64, pool *par.Pool) (err error) {
	if b.scores, err = evaluation.Run(spearman, b.models, b.subjects); err != nil {
		return err
	}
	animacy, err := b.model("animacy")
	if err != nil {
		return err
	}
	if b.tau, err = evaluation.Run(tauA, []evaluation.Model{animacy}, b.subjects); err != nil {
		return err
	}
	b.table, err = evaluation.Rank(compare.Bootstrap{Comparison: spearman, Resamples: resamples[scale], Seed: seed, Pool: pool}, b.models, b.subjects, "holm")
	return err
}

// mean is a model's mean correlation; NaN for one that is not there.
func (b *brains) mean(name string) float64 {
	i := slices.Index(b.scores.Models, name)
	if i < 0 {
		return math.NaN()
	}
	return b.scores.Mean(i)
}

// measured are the claims on brains, with the reason where there are none.
func (b *brains) measured(why, unseen string) map[string]report.Measurement {
	if b == nil {
		none := report.Measurement{Why: why}
		return map[string]report.Measurement{ceilingClaim: none, orderClaim: none, learnedClaim: none, controlClaim: none}
	}
	ceiling := max(math.Abs(b.scores.Lower-wantCeiling[0]), math.Abs(b.scores.Upper-wantCeiling[1]))
	far := 0.0
	for i, name := range ranked {
		far = max(far, math.Abs(b.mean(name)-wantOrder[i]))
	}
	out := map[string]report.Measurement{
		ceilingClaim: {Values: []float64{ceiling}, N: recordings.Pictures}, orderClaim: {Values: []float64{far}, N: recordings.Pictures},
	}
	_, scores := b.byKind()
	untrained := func(kind string, i int) float64 { return scores[kind+", untrained"][i] }
	control := func(_ string, i int) float64 { return max(scores[colourPixels][i], scores[silhouettes][i]) }
	out[learnedClaim], out[controlClaim] = gains(scores, unseen, untrained), gains(scores, unseen, control)
	return out
}

// metrics are flat numbers for scripts.
func (b *brains) metrics(m report.Metrics) {
	if b == nil {
		return
	}
	m["brain_ceiling_lower"], m["brain_ceiling_upper"] = b.scores.Lower, b.scores.Upper
	for i, name := range b.scores.Models {
		m["brain_"+name] = b.scores.Mean(i)
	}
	m["brain_animacy_tau_a"], m["brain_ceiling_lower_tau_a"] = b.tau.Mean(0), b.tau.Lower
	kinds, scores := b.byKind()
	for _, k := range kinds {
		for _, v := range scores[k] {
			m["brain_network_"+strings.ReplaceAll(k, ", ", "_")] += v / float64(len(scores[k]))
		}
	}
}

// withBrains ranks models by brains where the data are here. Why says why not.
func withBrains(ctx context.Context, e *recipe.Env) (b *brains, why string, err error) {
	if e.Scale == report.Smoke {
		return nil, "the smoke scale needs no data", nil
	}
	if b, err = loadBrains(ctx, e.Data); err != nil {
		if ctx.Err() != nil {
			return nil, "", err
		}
		return nil, fmt.Sprintf("the data set brain-92images could not be read (%v); see synfire data import --help", err), nil
	}
	return b, "", b.rank(e.Scale, e.Seed, e.Pool)
}
