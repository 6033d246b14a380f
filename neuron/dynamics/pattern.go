package dynamics

import (
	"math"
	"strconv"
)

// Pattern is a way of firing that a model is known for, with constants and current that show it.
type Pattern struct {
	Name     string // as it is typed
	Model    Model
	Current  Stimulus
	About    string // the current in words
	Duration float64
	Step     float64 // ms
}

// Kind is a model by its name.
type Kind struct {
	Name     string
	About    string
	Patterns []Pattern // the first is the default
}

// Kinds are the models, each with its patterns.
func Kinds() []Kind {
	return []Kind{
		{"izhikevich", "two variables, twenty ways to fire (Izhikevich 2003, 2004)", append(izhikevich2003(), izhikevich2004()...)},
		{"adex", "adaptive exponential integrate-and-fire (Brette and Gerstner 2005)", adexPatterns()},
		{"current-lif", "leaky integrate-and-fire, synapses are currents, exactly integrated", still(LIF{Capacity: 250, Leak: 25, Rest: -70, Threshold: -55, Reset: -70, Refractory: 2, TauSynapse: 2}, 450)},
		{"conductance-lif", "leaky integrate-and-fire, synapses are conductances", still(Conductance{Capacity: 200, Leak: 10, Rest: -70, Threshold: -50, Reset: -60, Refractory: 5, Excitatory: 0, Inhibitory: -80, TauExcitatory: 5, TauInhibitory: 10}, 250)},
		{"srm0", "simplified spike response, which remembers its last spike alone", still(SRM0{Capacity: 250, Leak: 25, Rest: -70, Threshold: -55, Drop: 15, TauDrop: 10, Refractory: 2, TauSynapse: 2}, 450)},
	}
}

// still is a model under a current that stands still from 20 ms on.
func still(m Model, current float64) []Pattern {
	return []Pattern{{Name: "default", Model: m, Current: Step(0, current, 20, math.Inf(1)), About: about(current, "20 ms"), Duration: 200, Step: 0.1}}
}

// izhikevich2003 are the seven neurons of the paper of 2003, by its scheme of 1 ms.
func izhikevich2003() (list []Pattern) {
	for _, p := range []struct {
		name       string
		a, b, c, d float64
	}{
		{"RS", .02, .2, -65, 8}, {"IB", .02, .2, -55, 4}, {"CH", .02, .2, -50, 2}, {"FS", .1, .2, -65, 2},
		{"LTS", .02, .25, -65, 2}, {"TC", .02, .25, -65, .05}, {"RZ", .1, .26, -65, 2},
	} {
		m := Izhikevich{A: p.a, B: p.b, C: p.c, D: p.d, Slope: 5, Offset: 140, Start: -65, StartU: -65 * p.b}
		list = append(list, Pattern{Name: p.name, Model: m, Current: Step(0, 10, 50, math.Inf(1)), About: "10 from 50 ms on", Duration: 400, Step: 1})
	}
	return list
}

// izhikevich2004 are the twenty neurons of the figure of 2004, by its scheme and steps. The
// constants are those of programs that draw the figure; currents and steps were recalled, not
// checked against it.
func izhikevich2004() (list []Pattern) {
	on := math.Inf(1)
	for _, p := range []struct {
		name       string
		a, b, c, d float64
		start      float64
		current    Stimulus
		about      string
		duration   float64
		step       float64
	}{
		{"tonic-spiking", .02, .2, -65, 6, -70, Step(0, 14, 10, on), "14 from 10 ms on", 100, .25},
		{"phasic-spiking", .02, .25, -65, 6, -64, Step(0, .5, 20, on), "0.5 from 20 ms on", 200, .25},
		{"tonic-bursting", .02, .2, -50, 2, -70, Step(0, 15, 22, on), "15 from 22 ms on", 220, .25},
		{"phasic-bursting", .02, .25, -55, .05, -64, Step(0, .6, 20, on), "0.6 from 20 ms on", 200, .2},
		{"mixed-mode", .02, .2, -55, 4, -70, Step(0, 10, 16, on), "10 from 16 ms on", 160, .25},
		{"adaptation", .01, .2, -65, 8, -70, Step(0, 30, 8.5, on), "30 from 8.5 ms on", 85, .25},
		{"class-1", .02, -.1, -55, 6, -60, Ramp(0, 20.25, 30, 300), "a ramp from 0 to 20.25 in 270 ms", 300, .25},
		{"class-2", .2, .26, -65, 0, -64, Ramp(-.5, 3.55, 30, 300), "a ramp from −0.5 to 3.55 in 270 ms", 300, .25},
		{"latency", .02, .2, -65, 6, -70, pulses(0, [3]float64{7.04, 10, 13}), "7.04 for 3 ms", 100, .2},
		{"subthreshold-oscillation", .05, .26, -60, 0, -62, pulses(0, [3]float64{2, 20, 25}), "2 for 5 ms", 200, .25},
		{"resonator", .1, .26, -60, -1, -62, pulses(0, [3]float64{.65, 40, 44}, [3]float64{.65, 60, 64}, [3]float64{.65, 280, 284}, [3]float64{.65, 320, 324}), "pairs of pulses of 0.65, 20 and 40 ms apart", 400, .25},
		{"integrator", .02, -.1, -55, 6, -60, pulses(0, [3]float64{9, 9, 11}, [3]float64{9, 14, 16}, [3]float64{9, 70, 72}, [3]float64{9, 80, 82}), "pairs of pulses of 9, 5 and 10 ms apart", 100, .25},
		{"rebound-spike", .03, .25, -60, 4, -64, pulses(0, [3]float64{-15, 20, 25}), "−15 for 5 ms", 200, .2},
		{"rebound-burst", .03, .25, -52, 0, -64, pulses(0, [3]float64{-15, 20, 25}), "−15 for 5 ms", 200, .2},
		{"threshold-variability", .03, .25, -60, 4, -64, pulses(0, [3]float64{1, 10, 15}, [3]float64{-6, 70, 75}, [3]float64{1, 80, 85}), "1 for 5 ms, and again behind −6 for 5 ms", 100, .25},
		{"bistability", .1, .26, -60, 0, -61, pulses(.24, [3]float64{1.24, 37.5, 42.5}, [3]float64{1.24, 216, 221}), "0.24 with two pulses of 1", 300, .25},
		{"after-potential", 1, .2, -60, -21, -70, pulses(0, [3]float64{20, 9, 11}), "20 for 2 ms", 50, .1},
		{"accommodation", .02, 1, -55, 4, -65, accommodating, "a slow ramp to 8, a quick one to 4", 400, .5},
		{"inhibition-spiking", -.02, -1, -60, 8, -63.8, pulses(80, [3]float64{75, 50, 250}), "80, and 75 from 50 to 250 ms where it is inhibited", 350, .5},
		{"inhibition-bursting", -.026, -1, -45, -2, -63.8, pulses(80, [3]float64{75, 50, 250}), "80, and 75 from 50 to 250 ms where it is inhibited", 350, .5},
	} {
		m := Izhikevich{A: p.a, B: p.b, C: p.c, D: p.d, Slope: 5, Offset: 140, Start: p.start, StartU: p.b * p.start, Scheme: Staggered}
		switch p.name {
		case "class-1", "integrator":
			m.Slope, m.Offset = 4.1, 108
		case "accommodation":
			m.Accommodates, m.StartU = true, -16
		}
		list = append(list, Pattern{p.name, m, p.current, p.about, p.duration, p.step})
	}
	return list
}

// accommodating rises to 8 in 200 ms, is 0 for 100 ms, and rises to 4 in 12.5 ms.
func accommodating(ms float64) float64 {
	switch {
	case ms < 200:
		return ms / 25
	case ms >= 300 && ms < 312.5:
		return (ms - 300) / 12.5 * 4
	}
	return 0
}

// adexPatterns are the eight of Naud et al. (2008), as a public example has adapted them.
func adexPatterns() (list []Pattern) {
	for _, p := range []struct {
		name                               string
		c, g, e, a, tau, b, reset, current float64
	}{
		{"tonic", 200, 10, -70, 2, 30, 0, -58, 500},
		{"adapting", 200, 12, -70, 2, 300, 60, -58, 500},
		{"initial-burst", 130, 18, -58, 4, 150, 120, -50, 400},
		{"regular-bursting", 200, 10, -58, 2, 120, 100, -46, 210},
		{"accelerating", 200, 12, -70, -10, 300, 0, -58, 300},
		{"delayed-bursting", 100, 10, -65, -10, 90, 30, -47, 110},
		{"transient", 100, 10, -65, 10, 90, 100, -47, 180},
		{"irregular", 100, 12, -60, -11, 130, 30, -48, 160},
	} {
		m := AdEx{Capacity: p.c, Leak: p.g, Rest: p.e, Threshold: -50, Width: 2, Coupling: p.a, TauW: p.tau, Jump: p.b, Reset: p.reset}
		list = append(list, Pattern{Name: p.name, Model: m, Current: Constant(p.current), About: about(p.current, ""), Duration: 600, Step: 0.1})
	}
	return list
}

// about says a current that stands still.
func about(current float64, from string) string {
	text := strconv.FormatFloat(current, 'g', -1, 64) + " pA"
	if from != "" {
		text += " from " + from + " on"
	}
	return text
}
