package eqprop

import (
	"context"

	"synfire/recipe"
	"synfire/report"
	rule "synfire/rule/eqprop"
)

// TopK is the recipe of few active units and few weights.
func TopK() recipe.Recipe {
	claim := func(id, name string) report.Claim {
		return report.Claim{
			ID: id, Name: name, Unit: "points", Source: "no paper: the reader's idea", Direction: report.AtMost, Statistic: report.Mean,
			Bounds: report.Bounds{Short: bound(1.5), Full: bound(1.5)}, Seeds: report.Seeds{Short: 3, Full: 3},
		}
	}
	return recipe.Recipe{
		ID: "topk-eqprop", Paper: "idea-topk-eqprop", Title: "Equilibrium propagation with few active units and few weights",
		Minutes: map[report.Scale]float64{report.Smoke: 0.1, report.Short: 8, report.Full: 40},
		Claims: []report.Claim{
			claim("topk", "test error that an activity budget of 10 of 500 units costs, paired"),
			claim("pruned", "test error that 90 % pruning costs, paired"),
		},
		Run: runTopK,
	}
}

// thin is the pruning of a run: it begins after a tenth of it and ends after seven.
func thin(images, epochs int) *rule.Pruning {
	steps := images / 20 * epochs
	return &rule.Pruning{Sparsity: 0.9, Last: 0.45, Begin: steps / 10, End: steps * 7 / 10, Every: max(1, steps/25)}
}

// sparseJobs are the same network as it is, with the budget, pruned, and with budget
// and pruning.
func sparseJobs(seed uint64, images, epochs int) []Job {
	pruning := thin(images, epochs)
	job := func(name string, k *rule.TopK, p *rule.Pruning) Job {
		c := one(seed)
		c.TopK, c.Pruning = k, p
		return Job{Name: name, Config: c, Images: images, Epochs: epochs, Batch: 20, Shuffle: true}
	}
	return []Job{
		job("dense", nil, nil),
		job("budget-10", &rule.TopK{K: 10}, nil),
		job("pruned", nil, pruning),
		job("budget-10-pruned", &rule.TopK{K: 10}, pruning),
	}
}

// otherJobs are the other variants of top-k with the same limit, the limit that falls,
// and budget and pruning on spiking hosts beside these as they are.
func otherJobs(seed uint64, images, epochs int) []Job {
	jobs := sparseJobs(seed, images, epochs)
	var out []Job
	for _, k := range []*rule.TopK{
		{K: 10, Variant: rule.Soft, Temperature: 0.05},
		{K: 10, Variant: rule.Hard},
		{K: 10, Begin: jobs[2].Config.Pruning.Begin, End: jobs[2].Config.Pruning.End},
	} {
		j := jobs[1]
		j.Name, j.Config.TopK = k.Variant.String()+"-10", k
		if k.End > 0 {
			j.Name += "-falling"
		}
		out = append(out, j)
	}
	for _, host := range []Job{spiking(seed, images, min(epochs, 3)), initSpiking(seed, images, min(epochs, 3))} {
		limited := host
		limited.Name += "-budget-10-pruned"
		limited.Config.TopK, limited.Config.Pruning = &rule.TopK{K: 10}, thin(images, host.Epochs)
		out = append(out, host, limited)
	}
	return out
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
		images, epochs = 50_000, 5
	}
	for i := range seeds {
		jobs := sparseJobs(e.Seed+i, images, epochs)
		dense := b.testError(ctx, jobs[0])
		b.add("topk", b.testError(ctx, jobs[1])-dense)
		b.add("pruned", b.testError(ctx, jobs[2])-dense)
		b.testError(ctx, jobs[3])
		if i == 0 && e.Scale != report.Smoke {
			for _, j := range otherJobs(e.Seed, images, epochs) {
				b.testError(ctx, j)
			}
		}
	}
	return b.outcome(report.Page{
		Title: "Few active units, few weights",
		Lead:  "Each step of the relaxation ends with a projection onto a budget of activity, and the smallest weights are removed in the course of training. Both leave the estimates gradients.",
	})
}
