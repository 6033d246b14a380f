package certify

import (
	"math"
	"strings"

	"synfire/exchange/nir"
)

// unit is a neuron: its equation, and what it remembers.
type unit struct {
	tau, syn             float64 // of the membrane and of the synapse; tau 0: no leak
	r, leak, theta, zero float64
	fires                bool
	v, i                 float64
}

// population advances the neurons of a node by a step.
func (s *solver) population(n *nir.Node, in field) (field, error) {
	st := s.memory(n.Name, len(in.v))
	if d := s.r.Delay; d > 0 {
		st.queue = append(st.queue, in.v)
		late := make([]float64, len(in.v))
		if at := len(st.queue) - 1 - d; at >= 0 {
			copy(late, st.queue[at])
		}
		in.v = late
	}
	var at [7]func(int) float64
	for k, name := range []string{"tau", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in"} {
		if name == "tau" && strings.HasPrefix(n.Kind, "Cuba") {
			name = "tau_mem"
		}
		var err error
		if at[k], err = parameter(n, name, map[string]float64{"r": 1, "w_in": 1}[name], in); err != nil {
			return in, err
		}
	}
	out := make([]float64, len(in.v))
	for k, x := range in.v {
		u := unit{tau: at[0](k), syn: at[1](k), r: at[2](k), leak: at[3](k), theta: at[4](k), zero: at[5](k), fires: n.Params["v_threshold"].Data != nil, v: st.v[k], i: st.i[k]}
		switch n.Kind {
		case "CubaLIF", "CubaLI":
			x *= at[6](k)
		case "IF", "I":
			u.tau, u.syn = 0, 0
		default:
			u.syn = 0
		}
		switch {
		case st.pause[k] > 0:
			st.pause[k]--
			if u.syn > 0 { // its current goes on
				silent := u
				s.r.charge(&silent, x)
				st.i[k] = silent.i
			}
			continue
		case s.r.Within:
			out[k] = s.r.events(&u, x)
		default:
			s.r.charge(&u, x)
			out[k] = s.r.fire(&u)
		}
		if s.r.Floor != 0 && u.fires {
			u.v = max(u.v, s.r.Floor)
		}
		if st.v[k], st.i[k] = u.v, u.i; out[k] > 0 {
			st.pause[k] = s.r.Refractory * s.r.Parts
		}
	}
	if n.Params["v_threshold"].Data == nil { // neurons that do not fire are read by their voltages
		s.record(n.Name, nil, st.v)
		copy(out, st.v)
	} else {
		s.record(n.Name, out, st.v)
	}
	return field{in.shape, out}, nil
}

// remains is the part that remains after a step with a time constant.
func (r Reading) remains(tau float64) float64 {
	if r.Method == "euler" {
		return 1 - r.DT/tau
	}
	return math.Exp(-r.DT / tau)
}

// charge advances a voltage by a step without a look at the threshold.
func (r Reading) charge(u *unit, x float64) {
	switch {
	case u.tau == 0:
		u.v += r.DT * u.r * x
		return
	case u.syn > 0:
		r.synapse(u, x)
		return
	}
	b := r.remains(u.tau)
	if r.Method == "impulse" {
		u.v = b*u.v + (1-b)*u.leak + r.DT/u.tau*u.r*x
		return
	}
	u.v = b*u.v + (1-b)*(u.leak+u.r*x)
}

// synapse advances a current and its membrane: both couplings drive the membrane to the same level.
func (r Reading) synapse(u *unit, x float64) {
	a, b := r.remains(u.syn), r.remains(u.tau)
	kappa := 1 - b
	switch r.Coupling {
	case "unit":
		kappa = 1
	case "exact": // the current decays over the step, by the time constants that the decays are of
		syn, mem := -1/math.Log(a), -1/math.Log(b)
		if kappa = b / mem; math.Abs(syn-mem) > 1e-9*mem {
			kappa = syn / (mem - syn) * (b - a)
		}
	}
	u.i = a*u.i + (1-a)*(1-b)/kappa*u.r*x
	u.v = b*u.v + (1-b)*u.leak + kappa*u.i
}

// fire looks at the threshold at the end of a step.
func (r Reading) fire(u *unit) float64 {
	if !u.fires || u.v < u.theta || r.Strict && u.v == u.theta {
		return 0
	}
	r.reset(u)
	return 1
}

func (r Reading) reset(u *unit) {
	switch r.Reset {
	case "subtract":
		u.v -= u.theta
	case "zero":
		u.v = u.zero
	}
}

// mostEvents bounds the spikes of a neuron in a step: what is above its threshold then stays there.
const mostEvents = 1000

// events advances a neuron by a step from spike to spike, at the times at which its voltage reaches
// the threshold, and tells their number.
func (r Reading) events(u *unit, x float64) (spikes float64) {
	rest := r.DT
	for range mostEvents {
		at := math.Inf(1)
		if u.fires && (spikes == 0 || r.Reset != "none") {
			at = u.crossing(x, rest)
		}
		if !(at <= rest) {
			break
		}
		u.advance(x, at)
		u.v = u.theta // but for rounding
		r.reset(u)
		spikes++
		rest -= at
	}
	u.advance(x, rest)
	return spikes
}

// advance solves the equation over a time.
func (u *unit) advance(x, t float64) {
	switch {
	case u.tau == 0:
		u.v += u.r * x * t
	case u.syn > 0:
		a, b, c := u.exponentials(x)
		u.v = a + b*math.Exp(-t/u.syn) + c*math.Exp(-t/u.tau)
		u.i = x + (u.i-x)*math.Exp(-t/u.syn)
	default:
		level := u.leak + u.r*x
		u.v = level + (u.v-level)*math.Exp(-t/u.tau)
	}
}

// exponentials are the factors of the voltage's course a + b·exp(−t/τ_syn) + c·exp(−t/τ_mem).
func (u *unit) exponentials(x float64) (a, b, c float64) {
	if math.Abs(u.syn-u.tau) < 1e-7*u.tau { // close enough to equal ones
		u.syn = u.tau * (1 + 1e-7)
	}
	a = u.leak + u.r*x
	b = u.r * (u.i - x) * u.syn / (u.syn - u.tau)
	return a, b, u.v - a - b
}

// crossing is the time at which the voltage reaches the threshold, within rest; +Inf: later or never.
func (u *unit) crossing(x, rest float64) float64 {
	never := math.Inf(1)
	switch {
	case u.v >= u.theta:
		return 0
	case u.tau == 0:
		if rate := u.r * x; rate > 0 {
			return (u.theta - u.v) / rate
		}
		return never
	case u.syn == 0:
		if level := u.leak + u.r*x; level > u.theta {
			return u.tau * math.Log((level-u.v)/(level-u.theta))
		}
		return never
	}
	a, b, c := u.exponentials(x)
	at := func(t float64) float64 { return a + b*math.Exp(-t/u.syn) + c*math.Exp(-t/u.tau) }
	lo := 0.0
	for _, hi := range []float64{u.extremum(b, c, rest), rest} { // between which it is monotone
		if at(hi) >= u.theta {
			for range 60 {
				if mid := (lo + hi) / 2; at(mid) >= u.theta {
					hi = mid
				} else {
					lo = mid
				}
			}
			return hi
		}
		lo = hi
	}
	return never
}

// extremum is where the course of a voltage turns, within rest.
func (u *unit) extremum(b, c, rest float64) float64 {
	q := -c * u.syn / (b * u.tau)
	if t := math.Log(q) / (1/u.tau - 1/u.syn); q > 0 && t > 0 && t < rest {
		return t
	}
	return rest
}
