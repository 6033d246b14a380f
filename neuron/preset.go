package neuron

// The presets are the models of other libraries in terms of this package's, in
// the form in which one step of those libraries computes them:
//
//	function            fires  reset               input acts  decays
//	SnnTorchLeaky       u > θ  −θ, a step late     at once     given
//	SnnTorchSynaptic    u > θ  −θ                  at once     given
//	SpikingJelly        u ≥ θ  to 0                at once     1 − 1/τ, scales the input
//	Norse               u > θ  to 0                at once     1 − Δ/τ
//	Lava                u > θ  to 0                at once     given, in floating point
//	Exactly             u ≥ θ  to 0                a step late exp(−Δ/τ), exact
//
// Exactly is what NEST's iaf_psc_exp computes, measured from rest. Membranes
// are those before the reset.

// SnnTorchLeaky is snnTorch's Leaky with its defaults: the reset by subtraction
// acts a step late, and is not decayed.
func SnnTorchLeaky(beta, threshold float64) LIF {
	return LIF{Beta: beta, Threshold: threshold, Strict: true, Delayed: true}
}

// SnnTorchSynaptic is snnTorch's Synaptic with the reset in the step of the
// spike (reset_delay=False), by subtraction. They agree while u − θ does not
// exceed θ. Where it does, snnTorch takes the rest for a second spike's and lowers
// the next membrane by θ before it compares.
func SnnTorchSynaptic(alpha, beta, threshold float64) CuBaLIF {
	return CuBaLIF{Alpha: alpha, Beta: beta, Threshold: threshold, Strict: true}
}

// SpikingJelly is SpikingJelly's LIFNode with its default reset to 0 and
// decaying input; tau > 1 is in steps.
func SpikingJelly(tau, threshold float64) LIF {
	return LIF{Beta: 1 - 1/tau, Threshold: threshold, Reset: Zero, DecayInput: true}
}

// Norse is Norse's LIF cell by Euler's method, with resting and reset
// potentials of 0, as it is since June 2022: the current jumps, charges the
// membrane and then decays. Before, it charged the membrane with what was left
// of the step before, which is this with Delay. Times have one unit.
func Norse(tauSyn, tauMem, dt, threshold float64) CuBaLIF {
	return CuBaLIF{
		Alpha: 1 - dt/tauSyn, Beta: 1 - dt/tauMem, Coupling: Euler,
		Threshold: threshold, Strict: true, Reset: Zero,
	}
}

// Lava is Lava's LIF process in floating point, with du and dv the parts of
// current and voltage that are lost in a step.
func Lava(du, dv, threshold float64) CuBaLIF {
	return CuBaLIF{Alpha: 1 - du, Beta: 1 - dv, Threshold: threshold, Strict: true, Reset: Zero}
}

// Exactly is the exact solution over steps of dt, spikes arriving at their
// end. Times have one unit; tauSyn may equal tauMem. The membrane is that of a
// resistance of 1; refractory is in steps.
func Exactly(tauSyn, tauMem, dt, threshold float64, refractory int) CuBaLIF {
	return CuBaLIF{
		Alpha: Decay(tauSyn, dt), Beta: Decay(tauMem, dt), Coupling: Exact, Delay: true,
		Threshold: threshold, Reset: Zero, Refractory: refractory,
	}
}
