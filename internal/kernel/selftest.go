package kernel

import (
	"fmt"
	"math"
)

// SelfTest runs a small problem through each level that this machine supports
// and compares it with plain Go. Levels that are absent have no entry.
func SelfTest() map[Level]error {
	results := map[Level]error{}
	var want []Float
	for _, l := range Levels() {
		restore, err := SetLevel(l)
		if err != nil {
			results[l] = err
			continue
		}
		got := selfTestProblem()
		restore()
		if l == Go {
			want = got
		}
		results[l] = closeTo(got, want)
	}
	return results
}

// selfTestProblem is a product, the rows of some spikes, and a scan of
// neurons, on small integers over 16, with odd sizes.
func selfTestProblem() []Float {
	const m, k, n = 13, 37, 35
	value := func(i, p int) Float { return Float((i*p)%31-15) / 16 }
	a, b, c := make([]Float, m*k), make([]Float, k*n), make([]Float, m*n)
	for i := range a {
		a[i] = value(i, 7)
	}
	for i := range b {
		b[i] = value(i, 11)
	}
	var p Packed
	p.Pack(nil, b, n, k, n, false)
	MatMul(nil, m, a, k, false, &p, c, n)
	AddRows(c[:n], b, n, []int32{0, 3, 36})
	v, u, spikes := make([]Float, n), make([]Float, m*n), make([]uint64, m)
	LIF{Beta: 0.875, Gain: 1, Fire: 1, Amount: 1}.Forward(m, c, n, v, u, n, spikes, 1)
	for _, w := range spikes {
		c = append(c, Float(w&0xffff), Float(w>>16&0xffff))
	}
	return append(append(c, v...), u...)
}

func closeTo(got, want []Float) error {
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1e-4 {
			return fmt.Errorf("kernel.SelfTest: element %d is %v, want %v", i, got[i], want[i])
		}
	}
	return nil
}
