package diagnose

import (
	"context"
	"fmt"
	"math"

	"synfire/rule/eqprop"
	"synfire/sample"
	"synfire/tensor"
)

// Alignment compares, for each layer of the predictor but the last, the gradient of its
// own loss L_l = ½‖s^f_l − s⁰_l‖² with what the losses of the layers above would send
// it by backpropagation: the cosine between ∂L_l/∂ω_l and ∂(Σ_{m>l} L_m)/∂ω_l, over a
// batch, in float64. Where it is positive the local losses do not work against the
// global one.
func Alignment(l *eqprop.Learner, d *sample.Batch) ([]float64, error) {
	if l.Predictor() == nil || l.Config().Predictor.TopK {
		return nil, fmt.Errorf("eqprop: alignment: want a forward network without top-k; set a predictor, and leave its top-k out")
	}
	if _, err := l.Predict(context.Background(), d); err != nil {
		return nil, err
	}
	stages := stagesOf(l.Predictor())
	own, above := make([][]float64, len(stages)), make([][]float64, len(stages))
	for k, s := range stages {
		own[k], above[k] = make([]float64, len(s.weights)), make([]float64, len(s.weights))
	}
	for i := range d.Len() {
		below, errs, slopes := forwardErrors(l, d, stages, i)
		sent := make([]float64, len(errs[len(errs)-1])) // to the layer, by those above
		for k := len(stages) - 1; k >= 0; k-- {
			both := make([]float64, len(sent))
			for j := range sent {
				sent[j] *= slopes[k][j]
				errs[k][j] *= slopes[k][j]
				both[j] = sent[j] + errs[k][j]
			}
			stages[k].outer(own[k], below[k], errs[k], nil)
			stages[k].outer(above[k], below[k], sent, nil)
			sent = make([]float64, len(below[k]))
			stages[k].down(sent, both, nil)
		}
	}
	cosines := make([]float64, len(stages)-1)
	for k := range cosines {
		cosines[k] = cosine(own[k], above[k])
	}
	return cosines, nil
}

// forwardErrors is the forward pass of a sample: what each layer reads, s^f − s⁰ and h′.
func forwardErrors(l *eqprop.Learner, d *sample.Batch, stages []stage, sample int) (below, errs, slopes [][]float64) {
	c := l.Config()
	below = [][]float64{doubles(d.X[sample*c.Sizes[0]:][:c.Sizes[0]])}
	for k := range stages {
		n := c.Sizes[k+1]
		a, slope := doubles(l.Predictor().B[k].Value.Data), make([]float64, n)
		stages[k].up(a, below[k], nil)
		errs = append(errs, make([]float64, n))
		leak := c.Predictor.Leak
		for j, v := range a {
			slope[j] = leak
			if v >= 0 && v <= 1 {
				slope[j]++
			}
			a[j] = min(max(v, 0), 1) + leak*v
			errs[k][j] = a[j] - float64(l.Free()[k][sample*n+j])
		}
		below, slopes = append(below, a), append(slopes, slope)
	}
	return below, errs, slopes
}

// Cosine is the cosine of the angle between two arrays, gradients of weights or
// changes of states, or 0 where one of them is zero.
func Cosine(a, b []tensor.Float) float64 { return cosine(doubles(a), doubles(b)) }

func cosine(u, v []float64) float64 {
	if dot(u, u) == 0 || dot(v, v) == 0 {
		return 0
	}
	return dot(u, v) / math.Sqrt(dot(u, u)*dot(v, v))
}
