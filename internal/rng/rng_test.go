package rng

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// The generator is Philox-4x32-10 and nothing like it: the known answers of
// the authors' Random123 library (kat_vectors).
func TestKnownAnswers(t *testing.T) {
	const ones = math.MaxUint32
	for _, c := range []struct {
		key       Key
		ctr, want [4]uint32
	}{
		{Key{}, [4]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{Key{ones, ones}, [4]uint32{ones, ones, ones, ones}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{Key{0xa4093822, 0x299f31d0}, [4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := philox(c.key, c.ctr); got != c.want {
			t.Errorf("philox(%x, %x) = %x, want %x", c.key, c.ctr, got, c.want)
		}
	}
}

// The folding of keys and the layout of counters decide each weight and each
// spike of a run, so they must not drift. The values come from an independent
// implementation in exact integers.
func TestPinned(t *testing.T) {
	for _, c := range []struct {
		name string
		key  Key
		want [4]uint32 // block 1<<32 + 5
	}{
		{"sample", New(1, Encode).Int(3).Int(59999), [4]uint32{0x2386c441, 0x3f73750c, 0x90826765, 0x6425566a}},
		{"weight", New(0x123456789, Init).Str("conv1.weight"), [4]uint32{0xde97decf, 0x2f8111da, 0x77afe97b, 0x6ae9ddeb}},
	} {
		if got := c.key.Uint32x4(1<<32 + 5); got != c.want {
			t.Errorf("%s: block %x, want %x", c.name, got, c.want)
		}
	}
	for _, c := range []struct {
		t, first uint64
		want     [4]float32 // numerators over 2^24
	}{
		{7, 8, [4]float32{12975208, 11583014, 16250790, 12814128}},
		{7, 1 << 34, [4]float32{8439282, 8970832, 9988904, 14264548}},
		{1 << 32, 8, [4]float32{12316609, 10546266, 2914515, 11471932}},
	} {
		var got [4]float32
		New(1, Encode).Uniforms(got[:], c.t, c.first)
		for i := range got {
			got[i] *= 1 << 24
		}
		if got != c.want {
			t.Errorf("Uniforms(%d, %d) = %v / 2^24, want %v", c.t, c.first, got, c.want)
		}
	}
	s := New(1, Init).Source()
	for i, want := range []float64{0.6843750038259087, 0.5560382705627013} {
		if got := s.Norm(); math.Abs(got-want) > 1e-14 { // logarithms may differ in the last bit
			t.Errorf("Norm %d = %v, want %v", i, got, want)
		}
	}
}

// A run may be split anywhere: numbers are the same one by one, backwards, and
// in pieces that start within a block or where the counter's halves carry.
func TestUniformsSplit(t *testing.T) {
	k := New(3, Augment)
	for _, first := range []uint64{0, 1, 2, 3, 64, 1<<32 - 5, 1<<34 - 7, 1<<40 + 3} {
		var want, got [23]float32
		k.Uniforms(want[:], 9, first)
		for i := len(got) - 1; i >= 0; i-- {
			k.Uniforms(got[i:i+1], 9, first+uint64(i))
		}
		if got != want {
			t.Errorf("first %d: one by one %v, want %v", first, got, want)
		}
		for cut := range want {
			clear(got[:])
			k.Uniforms(got[cut:], 9, first+uint64(cut))
			k.Uniforms(got[:cut], 9, first)
			if got != want {
				t.Errorf("first %d: cut at %d: %v, want %v", first, cut, got, want)
			}
		}
	}
}

// moments checks that x looks like n independent draws with the given mean,
// variance and fourth central moment: mean and variance within six standard
// errors, and no correlation of neighbours.
func moments(t *testing.T, what string, x []float64, mean, variance, fourth float64) {
	t.Helper()
	n := float64(len(x))
	var m, v, lag float64
	for i, a := range x {
		m += (a - mean) / n
		v += (a - mean) * (a - mean) / n
		if i > 0 {
			lag += (a - mean) * (x[i-1] - mean) / variance
		}
	}
	if bound := 6 * math.Sqrt(variance/n); math.Abs(m) > bound {
		t.Errorf("%s: mean %v, want %v ± %v", what, mean+m, mean, bound)
	}
	if bound := 6 * math.Sqrt((fourth-variance*variance)/n); math.Abs(v-variance) > bound {
		t.Errorf("%s: variance %v, want %v ± %v", what, v, variance, bound)
	}
	if bound := 6 * math.Sqrt(n); math.Abs(lag) > bound {
		t.Errorf("%s: neighbours are correlated: %v, want 0 ± %v", what, lag, bound)
	}
}

// evenly checks by χ² that counts are draws from equal classes. The bound is
// the mean plus ten standard deviations of χ².
func evenly(t *testing.T, what string, counts []int) {
	t.Helper()
	total := 0
	for _, c := range counts {
		total += c
	}
	want := float64(total) / float64(len(counts))
	var chi2 float64
	for _, c := range counts {
		chi2 += (float64(c) - want) * (float64(c) - want) / want
	}
	if df := float64(len(counts) - 1); chi2 > df+10*math.Sqrt(2*df) {
		t.Errorf("%s: χ² = %.1f with %v degrees of freedom: %v", what, chi2, df, counts)
	}
}

const draws = 1 << 16

func TestDistributions(t *testing.T) {
	s := New(1, Shuffle).Source()
	u, wide, norm := make([]float32, draws), make([]float64, draws), make([]float64, draws)
	New(1, Eval).Uniforms(u, 2, 1)
	x := make([]float64, draws)
	for i, v := range u {
		// Exact multiples of 2^-24 below 1: a rounded 1 would make a unit of
		// probability 1 miss a spike.
		if v < 0 || v >= 1 || v*(1<<24) != float32(math.Trunc(float64(v*(1<<24)))) {
			t.Fatalf("Uniforms: %v", v)
		}
		x[i] = float64(v)
		wide[i] = s.Float64()
		if w := wide[i]; w < 0 || w >= 1 || w*(1<<53) != math.Trunc(w*(1<<53)) {
			t.Fatalf("Float64: %v", w)
		}
		norm[i] = s.Norm()
	}
	moments(t, "Uniforms", x, 0.5, 1./12, 1./80)
	moments(t, "Float64", wide, 0.5, 1./12, 1./80)
	moments(t, "Norm", norm, 0, 1, 3)

	// Mean and variance do not make a normal: Φ of its draws is uniform.
	for name, z := range map[string]func(i int) float64{
		"Uniforms": func(i int) float64 { return x[i] },
		"Float64":  func(i int) float64 { return wide[i] },
		"Norm":     func(i int) float64 { return 0.5 * math.Erfc(-norm[i]/math.Sqrt2) },
	} {
		var counts [64]int
		for i := range draws {
			counts[min(63, int(64*z(i)))]++
		}
		evenly(t, name, counts[:])
	}
}

// Below 3/8 of the words' range the remainders of plain multiplication weigh
// 3:3:2, so the large n fails where a draw is not rejected.
func TestIntN(t *testing.T) {
	for _, c := range []struct{ n, classes int }{{1, 1}, {2, 2}, {10, 10}, {3 << (bits.UintSize - 3), 3}} {
		s := New(5, Augment).Source()
		counts := make([]int, c.classes)
		for range 1 << 14 {
			v := s.IntN(c.n)
			if v < 0 || v >= c.n {
				t.Fatalf("IntN(%d) = %d", c.n, v)
			}
			counts[v%c.classes]++
		}
		if c.classes > 1 {
			evenly(t, "IntN", counts)
		}
	}
}

// All orders of four are equally likely, and a long one is a permutation.
func TestPerm(t *testing.T) {
	s := New(8, Shuffle).Source()
	index := map[[4]int]int{}
	var counts [24]int
	for range 1 << 14 {
		p := [4]int(s.Perm(4))
		if _, ok := index[p]; !ok {
			index[p] = len(index)
		}
		if len(index) > 24 {
			t.Fatalf("Perm(4): %v is one order too many", p)
		}
		counts[index[p]]++
	}
	evenly(t, "Perm", counts[:])

	p := s.Perm(1000)
	slices.Sort(p)
	for i, v := range p {
		if v != i {
			t.Fatalf("Perm(1000), sorted, has %d at %d", v, i)
		}
	}
	if n := len(s.Perm(0)); n != 0 {
		t.Errorf("Perm(0) has %d elements", n)
	}
}

// Whatever names a stream sets it apart: each part of a key, its place, where
// a name ends, and the plane; and the numbers that a key yields are neither
// keys folded from it nor those of its other method.
func TestStreamsDiffer(t *testing.T) {
	k := New(1, Init)
	names := map[Key]string{}
	for name, key := range map[string]Key{
		"seed 1": k, "seed 2": New(2, Init), "seed 1<<32+1": New(1<<32+1, Init), "purpose": New(1, Eval),
		"1": k.Int(1), "1<<32+1": k.Int(1<<32 + 1), "1, 2": k.Int(1).Int(2), "2, 1": k.Int(2).Int(1),
		"a": k.Str("a"), "a0": k.Str("a\x00"), "a, empty": k.Str("a").Str(""), "b": k.Str("b"),
		"eight": k.Str("abcdefgh"), "eight and 0": k.Str("abcdefgh\x00"), "nine": k.Str("abcdefghi"),
		"9 swapped": k.Str("ibcdefgha"), "split": k.Str("abcd").Str("efgh"),
		"block": {k.Uint32x4(1)[0], k.Uint32x4(1)[1]},
	} {
		if other, ok := names[key]; ok {
			t.Errorf("%q and %q name one stream", name, other)
		}
		names[key] = name
	}

	// Neighbours in any part must not be correlated either.
	fill := func(k Key, plane, first uint64) []float64 {
		u, x := make([]float32, 1<<12), make([]float64, 1<<12)
		k.Uniforms(u, plane, first)
		for i, v := range u {
			x[i] = float64(v) - 0.5
		}
		return x
	}
	source := make([]float64, 1<<12)
	for i, s := 0, k.Source(); i < len(source); i++ {
		source[i] = float64(s.Uint32())/(1<<32) - 0.5
	}
	want := fill(k, 0, 0)
	for name, x := range map[string][]float64{
		"seed": fill(New(2, Init), 0, 0), "purpose": fill(New(1, Eval), 0, 0),
		"epoch": fill(k.Int(1), 0, 0), "next epoch": fill(k.Int(2), 0, 0), "name": fill(k.Str("a"), 0, 0),
		"plane": fill(k, 1, 0), "high plane": fill(k, 1<<32, 0), "high counter": fill(k, 0, 1<<34), "source": source,
	} {
		var r float64
		for i := range x {
			r += x[i] * want[i] * 12
		}
		if bound := 6 * math.Sqrt(float64(len(x))); math.Abs(r) > bound {
			t.Errorf("%s: correlation %.1f, want 0 ± %.1f", name, r, bound)
		}
	}
}

// A Source is the key's blocks in order, low half first, and serves
// math/rand/v2.
func TestSource(t *testing.T) {
	k := New(4, Augment)
	s, pairs := k.Source(), rand.New(k.Source())
	for ctr := range uint64(70) { // several buffers
		b := k.Uint32x4(ctr)
		for i, want := range b {
			if got := s.Uint32(); got != want {
				t.Errorf("block %d: number %d is %x, want %x", ctr, i, got, want)
			}
		}
		for i := 0; i < 4; i += 2 {
			if got, want := pairs.Uint64(), uint64(b[i+1])<<32|uint64(b[i]); got != want {
				t.Errorf("block %d: pair %d is %x, want %x", ctr, i/2, got, want)
			}
		}
	}
}
