package eqprop

import "fmt"

// name is the i-th of names, or a number for one that is not there.
func name(i uint8, names ...string) string {
	if int(i) < len(names) {
		return names[i]
	}
	return fmt.Sprint(i)
}

// String is the way's name in configurations.
func (n Nudge) String() string { return name(uint8(n), "centred", "one-sided", "random-sign") }

// String is the schedule's name in configurations.
func (s Schedule) String() string {
	return name(uint8(s), "simultaneous", "sweep-forward", "sweep-backward")
}

// String is the readout's name in configurations.
func (o Output) String() string { return name(uint8(o), "squared-error", "cross-entropy") }

// String is the activation's name in configurations.
func (a Activation) String() string {
	return name(uint8(a), "continuous", "hard-sigmoid", "half-sigmoid", "logistic", "tanh")
}

// String is the distribution's name in configurations.
func (w Weights) String() string { return name(uint8(w), "glorot", "fan-in") }

// String is the quantiser's name in configurations.
func (q Quantiser) String() string {
	return name(uint8(q), "sigma-delta", "stochastic", "threshold", "identity")
}

// String is the variant's name in configurations.
func (v Variant) String() string { return name(uint8(v), "budget", "soft", "hard", "perturbed") }

// String is the saliency's name in configurations.
func (s Saliency) String() string { return name(uint8(s), "magnitude", "movement") }
