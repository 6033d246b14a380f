package kernel

// Steps of neurons whose spikes are +1 or −1. All levels give the same bits: each operation is
// rounded. What is not a number gives no spike.

// Imbalanced is neurons with a threshold on each side of zero, at Above and at −Below.
type Imbalanced struct{ Above, Below Float }

// Step advances units by a step of input x, with v the membranes, and sums and count of what came
// in and of the spikes, which are written to y:
//
//	for i, in := range x {
//		sums[i] += in
//		u := v[i] + in
//		up, down := u >= Above, u <= -Below // as 1 or 0
//		v[i] = u - up*Above + down*Below
//		y[i] = up - down
//		count[i] += y[i]
//	}
func (p Imbalanced) Step(y, x, sums, count, v []Float) {
	checkUnits("kernel.Imbalanced.Step", len(x), y, sums, count, v)
	if len(x) > 0 {
		p.step(y, x, sums, count, v)
	}
}

// Delta is neurons that spike where φ(S)/Theta is Half or more off what they have given, with
// φ(S) = S, or Slope·S below zero.
type Delta struct{ Theta, Slope, Half Float }

// Step is Imbalanced.Step of these:
//
//	for i, in := range x {
//		sums[i] += in
//		slope := 1 // Slope where sums[i] < 0
//		d := Float(sums[i]*slope)/Theta - count[i]
//		y[i] = (d >= Half) - (d <= -Half) // as 1 or 0
//		count[i] += y[i]
//	}
func (p Delta) Step(y, x, sums, count []Float) {
	checkUnits("kernel.Delta.Step", len(x), y, sums, count)
	if len(x) > 0 {
		p.step(y, x, sums, count)
	}
}

func checkUnits(name string, n int, arrays ...[]Float) {
	for _, a := range arrays {
		checkEqual(name, len(a), n)
	}
}

// The plain Go level. Which neuron spikes in a step cannot be foretold: there are no branches.

func (p Imbalanced) stepGo(y, x, sums, count, v []Float) {
	n := len(x)
	y, sums, count, v = y[:n], sums[:n], count[:n], v[:n]
	for i, in := range x {
		sums[i] += in
		u := v[i] + in
		up, down := Float(oneIf(u >= p.Above)), Float(oneIf(u <= -p.Below))
		v[i], y[i] = u-Float(up*p.Above)+Float(down*p.Below), up-down
		count[i] += up - down
	}
}

func (p Delta) stepGo(y, x, sums, count []Float) {
	n, slopes := len(x), [2]Float{1, p.Slope}
	y, sums, count = y[:n], sums[:n], count[:n]
	for i, in := range x {
		s := sums[i] + in
		sums[i] = s
		d := Float(s*slopes[oneIf(s < 0)])/p.Theta - count[i]
		q := Float(oneIf(d >= p.Half) - oneIf(d <= -p.Half))
		y[i] = q
		count[i] += q
	}
}

// oneIf is 1 where a condition holds, and else 0.
func oneIf(condition bool) (n int) {
	if condition {
		n = 1
	}
	return n
}

// selfTestSigned takes two steps of each.
func selfTestSigned() []Float {
	const n = 83
	x, y, state := sixteenths(n, 7), make([]Float, 4*n), sixteenths(5*n, 11)
	for i := range 2 {
		Imbalanced{Above: 0.25, Below: 0.5}.Step(y[i*n:][:n], x, state[:n], state[n:2*n], state[2*n:3*n])
		Delta{Theta: 0.5, Slope: 0.25, Half: 0.75}.Step(y[(2+i)*n:][:n], x, state[3*n:4*n], state[4*n:])
	}
	return append(append(y, state...), Float(SumMagnitudes(y)))
}
