package torch

import (
	"errors"
	"fmt"
	"math"
	"reflect"

	"synfire/format/yaml"
	"synfire/neuron"
)

// Neuron is a neuron as PyTorch programs describe it: options have the names that they have there.
type Neuron interface {
	// convert is the neuron here. Numbers that its module keeps in the file come from there.
	convert(c *cell) (neuron.Neuron, error)
}

// Neurons are the kinds that Names may name, with their defaults.
func Neurons() map[string]func() any {
	return map[string]func() any{
		"Leaky":    func() any { return &Leaky{ResetDelay: true} },
		"Synaptic": func() any { return &Synaptic{ResetDelay: true} },

		"IFNode":            func() any { return &IFNode{VThreshold: 1, VReset: new(float64)} },
		"LIFNode":           func() any { return &LIFNode{Tau: 2, DecayInput: true, VThreshold: 1, VReset: new(float64)} },
		"ParametricLIFNode": func() any { return &ParametricLIFNode{DecayInput: true, VThreshold: 1, VReset: new(float64)} },

		"LIFCell":          lifCell,
		"LIF":              lifCell,
		"LIFRecurrentCell": lifCell,
		"LIFRecurrent":     lifCell,
		"LIFBoxCell":       lifBox,
		"LIFBox":           lifBox,
		"LICell":           liCell,
		"LI":               liCell,
	}
}

func lifCell() any {
	return &LIFCell{TauSynInv: 200, TauMemInv: 100, VTh: 1, DT: 0.001}
}

func lifBox() any {
	return &LIFBoxCell{TauMemInv: 100, VTh: 1, ResetMethod: resetValue, DT: 0.001}
}

func liCell() any {
	return &LICell{TauSynInv: 200, TauMemInv: 100, DT: 0.001}
}

func kinds() yaml.Kinds {
	return yaml.Kinds{reflect.TypeFor[Neuron](): Neurons()}
}

// Leaky is that of snnTorch, which keeps beta, threshold and reset_mechanism in the file. It fires
// above the threshold, not at it. With reset_delay a reset by subtraction acts in the step after
// the spike and does not decay; one to zero is the same with it and without.
//
//	U[t] = β·U[t−1] + x[t] − θ·S[t−1]
type Leaky struct {
	Beta           *float64 `yaml:"beta"`            // β, in the file too; clamped to [0, 1] there
	Threshold      *float64 `yaml:"threshold"`       // θ, in the file too
	ResetMechanism string   `yaml:"reset_mechanism"` // subtract, zero or none; in the file too
	ResetDelay     bool     `yaml:"reset_delay"`     // true unless given
}

func (n Leaky) convert(c *cell) (neuron.Neuron, error) {
	lif := neuron.LIF{Strict: true}
	var err error
	if lif.Beta, err = c.decay("beta", n.Beta); err != nil {
		return nil, err
	}
	if lif.Threshold, err = c.number("threshold", n.Threshold, "threshold", 1); err != nil {
		return nil, err
	}
	if lif.Reset, err = c.reset(n.ResetMechanism); err != nil {
		return nil, err
	}
	lif.Delayed = lif.Reset == neuron.Subtract && n.ResetDelay
	switch {
	case lif.Delayed && c.least["beta"] <= 0:
		return nil, fmt.Errorf("beta is %v with a reset by subtraction that acts a step late, which needs a positive one here; train it with reset_delay=False", c.least["beta"])
	case lif.Delayed:
		c.note("the reset acts a step late, as θ/β before the decay: membranes differ in last bits")
	case lif.Reset == neuron.Subtract:
		c.note("where a membrane passes 2·θ snnTorch compares the next one less θ, and here it is compared as it is")
	}
	c.note(fmt.Sprintf("assumed: reset_delay %v, no inhibition, no state_quant", n.ResetDelay))
	return lif, nil
}

// Synaptic is that of snnTorch, which keeps alpha, beta, threshold and reset_mechanism in the file.
//
//	I[t] = α·I[t−1] + x[t],   U[t] = β·U[t−1] + I[t]
type Synaptic struct {
	Alpha          *float64 `yaml:"alpha"`           // α, in the file too; clamped to [0, 1] there
	Beta           *float64 `yaml:"beta"`            // β, likewise
	Threshold      *float64 `yaml:"threshold"`       // θ, in the file too
	ResetMechanism string   `yaml:"reset_mechanism"` // subtract or none; in the file too
	ResetDelay     bool     `yaml:"reset_delay"`     // true unless given
}

func (n Synaptic) convert(c *cell) (neuron.Neuron, error) {
	cuba := neuron.CuBaLIF{Strict: true}
	var err error
	if cuba.Alpha, err = c.decay("alpha", n.Alpha); err != nil {
		return nil, err
	}
	if cuba.Beta, err = c.decay("beta", n.Beta); err != nil {
		return nil, err
	}
	if cuba.Threshold, err = c.number("threshold", n.Threshold, "threshold", 1); err != nil {
		return nil, err
	}
	if cuba.Reset, err = c.reset(n.ResetMechanism); err != nil {
		return nil, err
	}
	switch {
	case cuba.Reset == neuron.Zero:
		return nil, fmt.Errorf("reset_mechanism zero of Synaptic takes the current of a step with the membrane, which no neuron here does; train it with subtract and reset_delay=False")
	case cuba.Reset == neuron.Subtract && n.ResetDelay:
		return nil, fmt.Errorf("a reset by subtraction that acts a step late, which cuba-lif has not; give reset_delay: false if it was trained so")
	case cuba.Reset == neuron.Subtract:
		c.note("where a membrane passes 2·θ snnTorch compares the next one less θ, and here it is compared as it is")
	}
	c.note(fmt.Sprintf("assumed: reset_delay %v, no inhibition, no state_quant", n.ResetDelay))
	return cuba, nil
}

// IFNode is that of SpikingJelly, which keeps nothing in the file. It fires at the threshold.
//
//	H[t] = V[t−1] + x[t];  V[t] = v_reset after a spike, or without one H[t] − v_threshold
type IFNode struct {
	VThreshold float64  `yaml:"v_threshold"`
	VReset     *float64 `yaml:"v_reset"` // null: None, a soft reset
}

func (n IFNode) convert(c *cell) (neuron.Neuron, error) {
	reset, base := hardness(c, n.VReset)
	return neuron.IF{Threshold: n.VThreshold - base, Reset: reset}, nil
}

// hardness is the kind of reset by v_reset, and what membranes are measured from: they start there.
func hardness(c *cell, vReset *float64) (neuron.Reset, float64) {
	switch {
	case vReset == nil:
		return neuron.Subtract, 0
	case *vReset != 0:
		c.note(fmt.Sprintf("membranes are measured from v_reset, %v, where they start", *vReset))
	}
	return neuron.Zero, *vReset
}

// LIFNode is that of SpikingJelly, which keeps nothing in the file. It fires at the threshold.
//
//	H[t] = V[t−1] + (x[t] − (V[t−1] − v_reset))/τ, or where decay_input is false V[t−1] − (V[t−1] − v_reset)/τ + x[t]
type LIFNode struct {
	Tau        float64  `yaml:"tau"`
	DecayInput bool     `yaml:"decay_input"`
	VThreshold float64  `yaml:"v_threshold"`
	VReset     *float64 `yaml:"v_reset"` // null: None, a soft reset, and rest at 0
}

func (n LIFNode) convert(c *cell) (neuron.Neuron, error) {
	if !(n.Tau > 1) {
		return nil, fmt.Errorf("tau is %v, want more than 1, in steps", n.Tau)
	}
	return spikingJelly(c, 1-1/n.Tau, n.DecayInput, n.VThreshold, n.VReset), nil
}

// spikingJelly is a leaky neuron of SpikingJelly.
func spikingJelly(c *cell, beta float64, decayInput bool, vThreshold float64, vReset *float64) neuron.LIF {
	reset, base := hardness(c, vReset)
	c.note("a step is β·v + g·x with β = 1 − 1/τ: membranes differ in last bits")
	return neuron.LIF{Beta: beta, DecayInput: decayInput, Threshold: vThreshold - base, Reset: reset}
}

// ParametricLIFNode is that of SpikingJelly, which keeps w in the file, with 1/τ = 1/(1 + exp(−w)).
type ParametricLIFNode struct {
	DecayInput bool     `yaml:"decay_input"`
	VThreshold float64  `yaml:"v_threshold"`
	VReset     *float64 `yaml:"v_reset"` // null: None
}

func (n ParametricLIFNode) convert(c *cell) (neuron.Neuron, error) {
	w, err := c.number("w", nil, "", 0)
	if err != nil {
		return nil, err
	}
	return spikingJelly(c, 1/(1+math.Exp(w)), n.DecayInput, n.VThreshold, n.VReset), nil
}

// LIFCell is that of Norse, and LIFRecurrentCell's, which keep nothing of the neuron in the file.
// It fires above the threshold, not at it; membranes start from v_leak.
//
//	i' = i + x,   v += dt·tau_mem_inv·(v_leak − v + i'),   i = i' − dt·tau_syn_inv·i'
type LIFCell struct {
	TauSynInv float64 `yaml:"tau_syn_inv"`
	TauMemInv float64 `yaml:"tau_mem_inv"`
	VLeak     float64 `yaml:"v_leak"`
	VTh       float64 `yaml:"v_th"`
	VReset    float64 `yaml:"v_reset"`
	DT        float64 `yaml:"dt"`
}

func (n LIFCell) convert(c *cell) (neuron.Neuron, error) {
	rest(c, n.VLeak)
	return neuron.CuBaLIF{
		Alpha: 1 - n.DT*n.TauSynInv, Beta: 1 - n.DT*n.TauMemInv, Coupling: neuron.Euler,
		Threshold: n.VTh - n.VLeak, Strict: true, Reset: neuron.Zero, ResetValue: n.VReset - n.VLeak,
	}, nil
}

// rest says what membranes of Norse are measured from.
func rest(c *cell, vLeak float64) {
	if vLeak != 0 {
		c.note(fmt.Sprintf("membranes are measured from v_leak, %v, where they start", vLeak))
	}
	c.note("a step is β·v + (1 − β)·i with β = 1 − dt·tau_mem_inv: membranes differ in last bits")
}

// How an LIFBoxCell resets.
const (
	resetValue    = "reset_value"
	resetSubtract = "reset_subtract"
)

// LIFBoxCell is that of Norse, a LIFCell without the current.
//
//	v += dt·tau_mem_inv·(v_leak − v + x)
type LIFBoxCell struct {
	TauMemInv   float64 `yaml:"tau_mem_inv"`
	VLeak       float64 `yaml:"v_leak"`
	VTh         float64 `yaml:"v_th"`
	VReset      float64 `yaml:"v_reset"`
	ResetMethod string  `yaml:"reset_method"` // reset_value or reset_subtract
	DT          float64 `yaml:"dt"`
}

func (n LIFBoxCell) convert(c *cell) (neuron.Neuron, error) {
	lif := neuron.LIF{Beta: 1 - n.DT*n.TauMemInv, DecayInput: true, Threshold: n.VTh - n.VLeak, Strict: true}
	rest(c, n.VLeak)
	switch {
	case n.ResetMethod == resetValue:
		lif.Reset, lif.ResetValue = neuron.Zero, n.VReset-n.VLeak
	case n.ResetMethod == resetSubtract && n.VLeak == 0:
	case n.ResetMethod == resetSubtract:
		return nil, fmt.Errorf("reset_subtract with v_leak %v, which lif takes from another level; train it with v_leak 0", n.VLeak)
	default:
		return nil, fmt.Errorf("reset_method %q, want %s or %s", n.ResetMethod, resetValue, resetSubtract)
	}
	return lif, nil
}

// LICell is that of Norse: an LIFCell that never fires and is read by its membranes, an integrator here.
type LICell struct {
	TauSynInv float64 `yaml:"tau_syn_inv"`
	TauMemInv float64 `yaml:"tau_mem_inv"`
	VLeak     float64 `yaml:"v_leak"` // 0
	DT        float64 `yaml:"dt"`
}

func (n LICell) convert(c *cell) (neuron.Neuron, error) {
	if c.fires {
		return nil, errors.New("it never fires and is read by its membranes, and this layer fires; make the layer an integrator")
	}
	if n.VLeak != 0 {
		return nil, fmt.Errorf("v_leak is %v: membranes start there and at 0 here; train it with v_leak 0", n.VLeak)
	}
	rest(c, 0)
	return neuron.CuBaLIF{Alpha: 1 - n.DT*n.TauSynInv, Beta: 1 - n.DT*n.TauMemInv, Coupling: neuron.Euler, Threshold: 1, Reset: neuron.None}, nil
}
