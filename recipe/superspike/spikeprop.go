package superspike

import (
	"math"

	"synfire/rule/superspike"
)

// spikePropGradient is the largest entry of SpikeProp's gradient (Bohte, Kok and La Poutré,
// 2002) for the one neuron of a job at its first weights, or at those that a learner has now:
//
//	E = ½ Σ_k (t_k − t̂_k)²,   ∂E/∂w_j = −Σ_k (t_k − t̂_k)·(∂U(t_k)/∂w_j)/(dU/dt)(t_k)
//
// over the spikes t_k that the neuron fires, each with the target t̂_k of its place in the
// order. What earlier spikes do to later ones is left out, as there. Without spikes the sum
// is empty.
func spikePropGradient(j job, l *superspike.Learner) (float64, error) {
	g, err := spikeProp(j, l)
	largest := 0.0
	for _, v := range g {
		largest = max(largest, math.Abs(v))
	}
	return largest, err
}

// spikeProp is the gradient by input.
func spikeProp(j job, l *superspike.Learner) ([]float64, error) {
	s, err := stream(j, l)
	if err != nil {
		return nil, err
	}
	r, p := j.rule, j.problem
	inputs, _, err := p.bySteps()
	if err != nil {
		return nil, err
	}
	keep, d := math.Exp(-1000*dt/r.TauSyn), 1000*dt/r.TauMem
	current, u := make([]float64, p.inputs), make([]float64, p.inputs) // ∂/∂w_j
	gradient := make([]float64, p.inputs)
	pause, k, before := 0, 0, r.Rest
	for t := range p.steps {
		fired, err := s.Step(inputs[t], nil)
		if err != nil {
			return nil, err
		}
		total := 0.0 // the current
		for i, w := range s.Weights(0).Data {
			u[i] += d * (current[i] - u[i])
			total += float64(w) * current[i]
		}
		switch {
		case len(fired) > 0:
			slope := (r.Rest - before + total) / r.TauMem // dU/dt in mV/ms
			if k < len(p.targets[0].Times) && slope > 0 {
				late := 1000 * (float64(t)*dt - p.targets[0].Times[k])
				for i, v := range u {
					gradient[i] -= late * v / slope
				}
			}
			k++
			pause = int(math.Round(r.Refractory / (1000 * dt)))
			clear(u)
		case pause > 0:
			pause--
			clear(u)
		}
		before = s.Potentials(0)[0]
		for i := range current {
			current[i] *= keep
		}
		for _, i := range inputs[t] {
			current[i]++
		}
	}
	return gradient, nil
}
