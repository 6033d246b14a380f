package train

import (
	"context"
	"slices"

	"synfire/data"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
)

// InViews is a predictor whose scores are the weighted means over views of a sample; p
// itself where there is but one. So are its metrics; spikes are those of all views.
// Outputs have no course over time.
func InViews(p Predictor, v data.Views) Predictor {
	if !v.On() {
		return p
	}
	return viewing{p, v}
}

type viewing struct {
	Predictor
	views data.Views
}

// Predict runs a batch once for each view.
func (p viewing) Predict(ctx context.Context, b *sample.Batch) (Prediction, error) {
	var mean Prediction
	count := 0
	err := p.views.Each(b, func(view *sample.Batch, weight float64) error {
		one, err := p.Predictor.Predict(ctx, view)
		if err != nil {
			return err
		}
		if count++; count == 1 {
			mean.Steps = slices.Repeat([]int{0}, len(one.Steps))
			for _, o := range one.Outputs {
				mean.Outputs = append(mean.Outputs, task.Output{Name: o.Name, Shape: o.Shape, Scores: make([]tensor.Float, len(o.Scores))})
			}
		}
		for i, o := range one.Outputs {
			for k, s := range o.Scores {
				mean.Outputs[i].Scores[k] += tensor.Float(weight) * s
			}
		}
		for i, steps := range one.Steps {
			mean.Steps[i] += steps
		}
		for i := range one.Metrics.Sums {
			one.Metrics.Sums[i].Total *= weight
		}
		mean.Metrics.Add(one.Metrics)
		return nil
	})
	mean.Metrics.N = b.Len()
	for i := range mean.Steps {
		mean.Steps[i] = (mean.Steps[i] + count - 1) / count
	}
	if len(mean.Steps) == 0 {
		mean.Steps = nil
	}
	return mean, err
}
