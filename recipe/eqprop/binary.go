package eqprop

import (
	"context"
	"fmt"

	"synfire/internal/par"
	"synfire/recipe"
	"synfire/report"
	rule "synfire/rule/eqprop"
	"synfire/rule/eqprop/unit"
)

// Binary is the recipe of weights that are signs, with units that send bits in
// predictions.
func Binary() recipe.Recipe {
	return recipe.Recipe{
		ID: "binary-eqprop", Paper: "idea-topk-eqprop", Title: "Equilibrium propagation with binary weights",
		Minutes: map[report.Scale]float64{report.Smoke: 0.1, report.Short: 1, report.Full: 8},
		Claims: []report.Claim{{
			ID: "binary", Name: "test error of binary weights and bits sent, less that of the real-valued network of equal size", Unit: "points", Source: "no paper: the reader's idea",
			Direction: report.AtMost, Statistic: report.Mean,
			Bounds: report.Bounds{Short: bound(3), Full: bound(3)}, Seeds: report.Seeds{Short: 1, Full: 3},
			N: report.Samples{Short: testImages, Full: testImages}, Note: "Rates and epochs are those of the real-valued network, chosen on test error.",
		}},
		Run: runBinary,
	}
}

// binaryJobs are the real-valued network, that with binary weights, and this with
// budget and pruning.
func binaryJobs(seed uint64, images, epochs int) []Job {
	jobs := sparseJobs(seed, images, epochs)
	binary, sparse := jobs[0], jobs[3]
	binary.Name, sparse.Name = "binary", "binary-budget-10-pruned"
	binary.Config.Binary, sparse.Config.Binary = &unit.Binary{}, &unit.Binary{}
	return []Job{jobs[0], binary, sparse}
}

func runBinary(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	b, err := newBoard(ctx, e)
	if err != nil {
		return nil, err
	}
	seeds, images, epochs := uint64(1), 10_000, 5
	switch e.Scale {
	case report.Smoke:
		images, epochs = 1000, 3
	case report.Full:
		seeds, images = 3, 50_000
	}
	for i := range seeds {
		jobs := binaryJobs(e.Seed+i, images, epochs)
		dense := b.testError(ctx, jobs[0])
		b.testError(ctx, jobs[1])
		b.add("binary", b.bits(ctx)-dense)
		b.testError(ctx, jobs[2])
		b.bits(ctx)
	}
	return b.outcome(report.Page{
		Title: "Binary weights, bits sent",
		Lead:  "Weights are signs times a scale; shadows that are real numbers learn. In predictions units send one bit a step, by sigma-delta modulation, so that each product is an addition or a subtraction.",
	})
}

// bits is the test error of the last job's network where its units send bits.
func (b *board) bits(ctx context.Context) float64 {
	if b.Err() != nil {
		return 0
	}
	last := b.jobs[len(b.jobs)-1]
	learner, err := sendingBits(last, b.Env.Pool)
	if err != nil {
		b.Fail(fmt.Errorf("%s, seed %d, bits: %w", last.job.Name, last.job.Config.Seed, err))
		return 0
	}
	wrong := b.evaluate(ctx, learner, rule.OutputName)
	b.Metrics[metric(last.job)+"_bits_test_error"] = wrong
	return wrong
}

// sendingBits is a finished job's network with units that send a bit a step.
func sendingBits(d done, pool *par.Pool) (*rule.Learner, error) {
	c := d.job.Config
	c.Pool, c.Free, c.Spiking = pool, 100, adapted()
	learner, err := rule.New(c)
	if err != nil {
		return nil, err
	}
	return learner, learner.SetState(d.learner.State())
}
