package kernel

import "fmt"

// SelfTest runs small problems through each level that this machine supports
// and compares the results with plain Go's, bit for bit: the numbers are
// sixteenths, for which a fused multiply-add rounds no less than two separate
// operations. Levels that are absent have no entry. It switches levels as
// SetLevel does, so nothing else should compute meanwhile.
func SelfTest() map[Level]error {
	results := map[Level]error{}
	var want []Float
	for _, l := range levels { // plain Go comes first
		restore, err := SetLevel(l)
		if err == nil {
			got := selfTestResults()
			restore()
			if l == Go {
				want = got
			}
			err = firstDifference(got, want)
		}
		results[l] = err
	}
	return results
}

func selfTestResults() []Float {
	all := append(selfTestProducts(), selfTestEvents()...)
	all = append(all, selfTestWalks()...)
	all = append(all, selfTestPooling()...)
	all = append(all, selfTestUpdates()...)
	all = append(all, selfTestRelax()...)
	all = append(all, selfTestLogistic()...)
	all = append(all, selfTestSigned()...)
	all = append(all, selfTestUniforms()...)
	for _, reset := range []Reset{ResetSubtract, ResetZero, ResetNone} {
		for _, shape := range []Shape{FastSigmoid, ArcTan, Triangle, Rectangle} {
			all = append(all, selfTestScan(reset, shape)...)
		}
	}
	return all
}

// selfTestUniforms draws a few numbers.
func selfTestUniforms() []Float {
	draw := make([]float32, 77)
	Philox{Key: [2]uint32{1, 2}, Plane: [2]uint32{3, 4}}.Uniforms(draw, 5)
	out := make([]Float, len(draw))
	for i, v := range draw {
		out[i] = Float(v)
	}
	return out
}

// sixteenths are n numbers in [−15/16, 15/16] without a short period.
func sixteenths(n, step int) []Float {
	s := make([]Float, n)
	for i := range s {
		s[i] = Float(i*step%31-15) / 16
	}
	return s
}

// selfTestProducts multiplies in the four combinations of transposed operands,
// adds rows, and multiplies with rows that overlap, with sizes that leave
// partial tiles.
func selfTestProducts() []Float {
	const m, k, n = 17, 37, 83
	a, b := sixteenths(m*k, 7), sixteenths(k*n, 11)
	c := sixteenths(4*m*n, 5)
	for i, part := 0, c; i < 4; i, part = i+1, part[m*n:] {
		transA, transB := i&1 > 0, i&2 > 0
		lda, ldb := k, n
		if transA {
			lda = m
		}
		if transB {
			ldb = k
		}
		var p Packed
		p.Pack(nil, b, ldb, k, n, transB)
		MatMul(nil, m, a, lda, transA, &p, part, n)
		AddRows(part[:n], b, n, []int32{0, 3, k - 1})
		Gemm(nil, m, n, k, a, lda, transA, b, ldb, transB, part, n)
		p.MulDirect(m, a, 3, 2, k-5, 0, n, part, n)
		MulOuter(k, m, n, a, 3, b, 5, part, n)
	}
	return c
}

// selfTestEvents finds the nonzero elements of a small image, turns its bits,
// and adds rows for them in each way.
func selfTestEvents() []Float {
	const n, taps = 83, 3
	g := Patches{H: 4, W: 5, C: 7, KH: 3, KW: 3, Stride: 1, PadH: 1, PadW: 1}
	image := sixteenths(g.H*g.W*g.C, 7)
	at, val := Nonzeros(nil, nil, image, 0)
	raster := make([]uint64, words(len(image)))
	NonzeroBits(raster, image)
	at = Indices(at[:0], raster, 0, len(image), 0)
	first := make([]int32, g.H*g.W+1)
	Starts(first, at, g.C)
	turned := make([]uint64, g.C)
	TransposeBits(turned, 1, raster, g.C, g.H*g.W, g.C)

	w, c := sixteenths(g.KH*g.KW*g.C*n, 11), sixteenths((g.W+2*taps)*n, 5)
	rows, ends := []int32{0, 3, 3, 36, 1}, []int32{2, 2, 5}
	for _, values := range [][]Float{nil, val} {
		g.AddRow(c, n, w, n, n, 1, 0, g.W, at, values, first)
		AddRowsMulti(taps, c[g.W*n:], n, w, n, n, n, rows, values)
		SumRows(taps, c[(g.W+taps)*n:], n, w, n, n, n, rows, values, ends)
	}
	Lists{First: []int32{0, 2, 2, 3, 5, 5}, At: rows, Val: val}.Add(c, n, w, n, n, []int32{4, 0, 2, 3, 1})
	KeepBits(c[:n], []uint64{0x123456789abcdef0, 0x7f0f3})
	Lists{First: []int32{0, 2, 5}, At: rows, Val: val}.AddKept(c, w, n, n, []uint64{0x123456789abcdef0, 0x7f0f3, 0x0fedcba987654321, 0x31f0f})
	spikes := make([]Float, len(image))
	Expand(spikes, raster, 0)
	return append(append(append(c, floats(raster)...), floats(turned)...), spikes...)
}

// selfTestPooling pools a row of windows by maxima and means, and sends errors
// back through both.
func selfTestPooling() []Float {
	w := Windows{Count: 3, Size: 2, Stride: 2, Width: 7, Channels: 37}
	img, out := sixteenths(w.Size*w.Width*w.Channels, 7), make([]Float, 2*w.Count*w.Channels)
	arg, back := make([]uint8, w.Count*ArgPitch(w.Channels)), make([]Float, 2*len(img))
	half := len(out) / 2
	w.Max(out[:half], img, arg)
	w.Mean(out[half:], img, 0.25)
	w.MaxBackward(back[:len(img)], out[:half], arg, false)
	w.MeanBackward(back[len(img):], out[half:], 0.25, true)
	return append(out, back...)
}

// selfTestUpdates takes a step of each optimiser and sums what it has changed.
func selfTestUpdates() []Float {
	const n, rows = 83, 3
	w, g, m, v := sixteenths(n, 7), sixteenths(n, 11), make([]Float, n), make([]Float, n)
	SGD{Rate: 0.5, Momentum: 0.5, Decay: 0.25}.Update(w, g, m)
	Adam{Beta1: 0.5, Gain1: 0.5, Beta2: 0.5, Gain2: 0.5, Rate: 0.5, Epsilon: 0.0625, Keep: 1}.Update(w, g, m, v)
	table, sums := make([]Float, rows*n), make([]Float, 2*n)
	FillRows(table, w)
	Add(table[:n], g)
	AddScaled(table[n:2*n], g, 0.5)
	Scale(table[2*n:], 0.5)
	SubProducts(table[2*n:], table[2*n:], table[:n], g)
	SubScaled(table[2*n:], table[2*n:], g, 0.5)
	ColumnSums(sums[:n], table, n, rows)
	SumSteps(sums[n:], table, n, rows)
	return append(append(append(append(append(w, m...), v...), table...), sums...), selfTestNorm()...)
}

// selfTestNorm normalises rows and sends errors back.
func selfTestNorm() []Float {
	const n, rows = 29, 5
	x, dy := sixteenths(rows*n, 7), sixteenths(rows*n, 11)
	sum, square, first, dot := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	ValueSums(sum, x)
	SquareSums(square, x, sum)
	ErrorSums(first, dot, dy, x, sum, square)
	y, dx := make([]Float, rows*n), make([]Float, rows*n)
	Normalize(y, x, x[:n], dy[:n], x[n:2*n])
	NormalizeBackward(dx, dy, x, x[:n], dy[:n], x[n:2*n], dy[n:2*n])
	out := append(y, dx...)
	for _, v := range [][]float64{sum, square, first, dot} {
		for _, s := range v {
			out = append(out, Float(s))
		}
	}
	return out
}

// floats are the words cut into numbers of 16 bits.
func floats(words []uint64) []Float {
	var all []Float
	for _, w := range words {
		for shift := 0; shift < 64; shift += 16 {
			all = append(all, Float(w>>shift&0xffff))
		}
	}
	return all
}

// selfTestScan runs one scan forward and one backward.
func selfTestScan(reset Reset, shape Shape) []Float {
	const n, steps, words = 83, 4, 2
	x, v, u := sixteenths(steps*n, 7), sixteenths(n, 3), make([]Float, steps*n)
	spikes := make([]uint64, steps*words)
	p := LIF{Beta: 0.5, Gain: 2, Fire: 0.25, Amount: 0.5, Reset: reset}
	p.Forward(steps, x, n, v, u, n, spikes, words)
	gs, gv, gx := sixteenths(steps*n, 13), sixteenths(n, 5), make([]Float, steps*n)
	s := Surrogate{Shape: shape, A: 0.5, B: 2, Theta: 0.25}
	p.Backward(steps, s, x, n, gs, n, gv, gx, n)
	return append(append(append(append(v, u...), gv...), gx...), floats(spikes)...)
}

// selfTestRelax takes steps towards a fixed point.
func selfTestRelax() []Float {
	s, z, p := sixteenths(83, 7), sixteenths(83, 11), Relax{Keep: 0.5, Gain: 0.25, Lo: -0.5, Hi: 0.5}
	return append(s, p.Step(s, z), p.Step(s, z))
}

// selfTestLogistic is shares and their sums.
func selfTestLogistic() []Float {
	m := make([]Float, 83)
	sum, spread := Logistic{Threshold: 0.25, Slope: 2}.Of(m, sixteenths(83, 7))
	return append(m, sum, spread)
}

func firstDifference(got, want []Float) error {
	if len(got) != len(want) {
		return fmt.Errorf("kernel.SelfTest: %d values, want %d; force another level with SYNFIRE_KERNEL", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			return fmt.Errorf("kernel.SelfTest: value %d is %v, want %v; force another level with SYNFIRE_KERNEL", i, got[i], want[i])
		}
	}
	return nil
}
