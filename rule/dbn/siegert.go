package dbn

import (
	"fmt"
	"math"
)

// LIF is a leaky integrate-and-fire neuron in units of its threshold, which it is reset from to
// 0: a spike of an input adds its weight w at once, or over TauS, and
//
//	τ_m·dv/dt = −v,   spike and v ← 0 where v ≥ 1, then silence for Refractory
type LIF struct {
	TauM       float64 `yaml:"tau-m"`      // τ_m, in seconds
	TauS       float64 `yaml:"tau-s"`      // τ_s of synapses, in seconds, of the formula alone; below τ_m
	Refractory float64 `yaml:"refractory"` // t_ref, in seconds: rates stay below 1/t_ref
}

// Validate returns an error for constants that make no sense.
func (n LIF) Validate() error {
	if n.TauM > 0 && n.TauM <= 1e3 && n.TauS >= 0 && n.TauS < n.TauM && n.Refractory > 0 && n.Refractory <= 1 {
		return nil
	}
	return fmt.Errorf("tau-m %v, tau-s %v, refractory %v seconds: want positive ones, and tau-s from 0 to below tau-m; 5, 0 and 0.002 are usual", n.TauM, n.TauS, n.Refractory)
}

// synaptic is |ζ(½)|, by which the time of a synapse moves both ends of the integral.
const synaptic = 1.4603545088095868

// Rate is the mean rate in Hz of a neuron whose inputs fire as Poisson processes of rates r_i,
// by the formula of Siegert (1951) as Jug, Cook and Steger (2012) use it for neurons: drive is
// Σ w_i·r_i, power Σ w_i²·r_i, both a second.
//
//	Υ = τ_m·drive,   Γ² = ½·τ_m·power,   k = √(τ_s/τ_m),   γ = |ζ(½)|
//	1/rate = t_ref + τ_m/Γ·√(π/2)·∫ exp(((u − Υ)/(Γ√2))²)·(1 + erf((u − Υ)/(Γ√2))) du
//
// from kγΓ to 1 + kγΓ. The integral is Simpson's, of steps that are at most a quarter of Γ, down to a two-hundredth.
func (n LIF) Rate(drive, power float64) float64 {
	mean, spread := n.TauM*drive, math.Sqrt(n.TauM*power/2)
	if spread == 0 {
		return 0 // no input
	}
	from := math.Sqrt(n.TauS/n.TauM) * synaptic * spread
	panels := 2 * int(min(math.Ceil(2/spread), 100))
	f := func(i int) float64 {
		u := from + float64(i)/float64(panels)
		return erfcx((mean - u) / (spread * math.Sqrt2))
	}
	sum := f(0) + f(panels)
	for i := 1; i < panels; i++ {
		sum += float64(2+2*(i%2)) * f(i)
	}
	return 1 / (n.Refractory + n.TauM/spread*math.Sqrt(math.Pi/2)*sum/float64(3*panels))
}

// erfcx is exp(x²)·erfc(x), which 1 + erf(−x) times exp(x²) is.
func erfcx(x float64) float64 {
	if x < 10 {
		return math.Exp(x*x) * math.Erfc(x)
	}
	// 1/(x√π)·(1 − 1/(2x²) + 3/(2x²)² − 15/(2x²)³ + …)
	t, term, sum := 1/(2*x*x), 1.0, 1.0
	for k := 1.0; k < 16; k += 2 {
		term *= -k * t
		sum += term
	}
	return sum / (x * math.Sqrt(math.Pi))
}
