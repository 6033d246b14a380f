package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"synfire/internal/par"
)

// operand is a matrix with room between its rows, whose gaps must not change.
type operand struct {
	data     []Float
	ld, cols int
}

func newOperand(r source, rows, cols, gap int) operand {
	o := operand{ld: cols + gap, cols: cols}
	o.data = make([]Float, max(0, rows-1)*o.ld+cols)
	for i := range o.data {
		o.data[i] = guard
		if i%max(1, o.ld) < cols {
			o.data[i] = r.value()
		}
	}
	return o
}

type problemSize struct {
	m, n, k        int
	transA, transB bool
	gap            int
	odd            bool
}

func (p problemSize) String() string {
	return fmt.Sprintf("%d×%d×%d transA=%v transB=%v gap=%d odd=%v", p.m, p.n, p.k, p.transA, p.transB, p.gap, p.odd)
}

// check runs one product under the current level with every pool, with B
// packed and as it is.
func (p problemSize) check(t *testing.T, l Level, pools []*par.Pool) {
	r := newSource(uint64(p.m*1000003+p.n*1009+p.k), p.odd)
	ar, ac, br, bc := p.m, p.k, p.k, p.n
	if p.transA {
		ar, ac = ac, ar
	}
	if p.transB {
		br, bc = bc, br
	}
	a, b := newOperand(r, ar, ac, p.gap), newOperand(r, br, bc, 2*p.gap)
	c := newOperand(r, p.m, p.n, p.gap)
	want := append([]Float(nil), c.data...)
	f := mulAdd(l)
	for i := range p.m {
		for j := range p.n {
			x := want[i*c.ld+j]
			for k := range p.k {
				ai, bi := i*a.ld+k, k*b.ld+j
				if p.transA {
					ai = k*a.ld + i
				}
				if p.transB {
					bi = j*b.ld + k
				}
				x = f(a.data[ai], b.data[bi], x)
			}
			want[i*c.ld+j] = x
		}
	}
	var packed Packed
	for _, pool := range pools {
		got, check := guarded(len(c.data))
		copy(got, c.data)
		packed.Pack(pool, b.data, b.ld, p.k, p.n, p.transB)
		MatMul(pool, p.m, a.data, a.ld, p.transA, &packed, got, c.ld)
		what := fmt.Sprintf("%v %v, %s", l, p, threads(pool))
		compare(t, what, got, want)
		check(t, what)
		copy(got, c.data)
		Gemm(pool, p.m, p.n, p.k, a.data, a.ld, p.transA, b.data, b.ld, p.transB, got, c.ld)
		compare(t, "Gemm, "+what, got, want)
		check(t, "Gemm, "+what)
	}
}

func TestMatMul(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		all := pools(t)
		sizes := []problemSize{
			{m: 0, n: 5, k: 5}, {m: 5, n: 0, k: 5}, {m: 5, n: 5, k: 0}, {m: 1, n: 1, k: 1},
			{m: 150, n: 33, k: 20}, {m: 300, n: 17, k: 9, transA: true}, {m: 7, n: 600, k: 12, transB: true},
			{m: 110, n: 264, k: 20, gap: 1004}, {m: 110, n: 270, k: 20, gap: 377}, // rows of A, of B at 4 KiB
			{m: 110, n: 264, k: 20, gap: 914, transA: true}, {m: 2, n: 300, k: 9, transB: true},
			{m: 29, n: 70, k: 530, gap: 3}, {m: 29, n: 70, k: 600, gap: 3, transA: true, transB: true},
		}
		// Each width of an edge and each remainder of the unrolled loops.
		for i := 1; i <= 34; i++ {
			for trans := range 4 {
				sizes = append(sizes, problemSize{m: (i-1)%15 + 1, n: i, k: i % 19, gap: i % 3,
					transA: trans&1 > 0, transB: trans&2 > 0})
			}
		}
		r := rand.New(rand.NewPCG(11, 13))
		random := 120
		if testing.Short() {
			random = 12
		}
		for range random {
			sizes = append(sizes, problemSize{m: 1 + r.IntN(60), n: 1 + r.IntN(100), k: r.IntN(90),
				transA: r.IntN(2) == 0, transB: r.IntN(2) == 0, gap: r.IntN(5), odd: r.IntN(2) == 0})
		}
		for _, p := range sizes {
			p.check(t, l, all)
		}
	})
}

// Large enough to be split between threads in both directions.
func TestMatMulThreads(t *testing.T) {
	sizes := []problemSize{{m: 61, n: 130, k: 300}, {m: 9, n: 700, k: 40, transA: true}, {m: 500, n: 20, k: 30, transB: true}}
	if testing.Short() {
		sizes = sizes[:1]
	}
	forLevels(t, func(t *testing.T, l Level) {
		for _, p := range sizes {
			p.check(t, l, pools(t))
		}
	})
}

// A dense product with a matrix of zeros and ones is the sum of the rows.
func TestDenseEqualsRows(t *testing.T) {
	const m, n, k = 23, 203, 300
	forLevels(t, func(t *testing.T, l Level) {
		r := newSource(5, false)
		w, bias := r.fill(make([]Float, k*n)), r.fill(make([]Float, n))
		a := make([]Float, m*k)
		dense, rows := make([]Float, m*n), make([]Float, m*n)
		for i := range m {
			copy(dense[i*n:], bias)
			copy(rows[i*n:], bias)
			var index []int32
			for j := range k {
				if r.IntN(20) <= i {
					a[i*k+j] = 1
					index = append(index, int32(j))
				}
			}
			AddRows(rows[i*n:][:n], w, n, index)
		}
		var b Packed
		b.Pack(nil, w, n, k, n, false)
		MatMul(nil, m, a, k, false, &b, dense, n)
		compare(t, l.String(), rows, dense)
	})
}

func TestPackedKeepsItsLevel(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		r := newSource(9, false)
		a, w := r.fill(make([]Float, 5*40)), r.fill(make([]Float, 40*21))
		var b Packed
		b.Pack(nil, w, 21, 40, 21, false)
		want, got := make([]Float, 5*21), make([]Float, 5*21)
		MatMul(nil, 5, a, 40, false, &b, want, 21)
		for _, other := range Levels() {
			restore, err := SetLevel(other)
			if err != nil {
				t.Fatal(err)
			}
			clear(got)
			MatMul(nil, 5, a, 40, false, &b, got, 21)
			restore()
			compare(t, fmt.Sprintf("packed for %v, run at %v", l, other), got, want)
		}
	})
}

func TestMatMulAllocatesNothing(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		a, w, c := make([]Float, 20*300), make([]Float, 300*50), make([]Float, 20*50)
		var b Packed
		run := func() {
			b.Pack(nil, w, 50, 300, 50, false)
			MatMul(nil, 20, a, 300, false, &b, c, 50)
			Gemm(nil, 20, 50, 300, a, 300, false, w, 300, true, c, 50)
		}
		run()
		// Less than one: a collection may empty the store of buffers.
		if n := testing.AllocsPerRun(50, run); n >= 1 {
			t.Errorf("%v allocations a call", n)
		}
	})
}

func TestMatMulChecksLengths(t *testing.T) {
	var b Packed
	b.Pack(nil, make([]Float, 12), 4, 3, 4, false)
	panics(t, "short b", func() { new(Packed).Pack(nil, make([]Float, 11), 4, 3, 4, false) })
	panics(t, "narrow b", func() { new(Packed).Pack(nil, make([]Float, 90), 3, 3, 4, false) })
	one, two := make([]Float, 6), make([]Float, 12)
	Gemm(nil, 2, 4, 3, one, 3, false, two, 4, false, make([]Float, 8), 4)
	panics(t, "Gemm, short a", func() { Gemm(nil, 2, 4, 3, one[:5], 3, false, two, 4, false, make([]Float, 8), 4) })
	panics(t, "Gemm, short transposed b", func() { Gemm(nil, 2, 4, 3, one, 3, false, two[:11], 3, true, make([]Float, 8), 4) })
	panics(t, "Gemm, narrow c", func() { Gemm(nil, 2, 4, 3, one, 3, false, two, 4, false, make([]Float, 8), 3) })
	panics(t, "negative rows", func() { checkMatrix("a", two, 4, -1, 2) })
	panics(t, "negative columns", func() { checkMatrix("a", two, 4, 2, -1) })
	panics(t, "short a", func() { MatMul(nil, 2, make([]Float, 5), 3, false, &b, make([]Float, 8), 4) })
	panics(t, "short c", func() { MatMul(nil, 2, make([]Float, 6), 3, false, &b, make([]Float, 7), 4) })
	panics(t, "narrow c", func() { MatMul(nil, 2, make([]Float, 6), 3, false, &b, make([]Float, 70), 3) })
}

// Rows of a overlap where lda is less than k, as in a convolution.
func TestMulOuter(t *testing.T) {
	type size struct {
		rows, k, n, lda, gap int
		odd                  bool
	}
	sizes := []size{{0, 3, 3, 3, 0, false}, {3, 0, 3, 3, 0, false}, {3, 3, 0, 3, 0, false}, {450, 27, 33, 3, 1, true},
		{30, 110, 270, 1024, 754, false}, {9, 12, 32, 0, 0, false}}
	for k := 1; k <= 25; k++ {
		for n := 1; n <= 34; n += 1 + k%3 {
			sizes = append(sizes, size{1 + (k+n)%19, k, n, k%5 + k/2, n % 3, n%2 == 0})
		}
	}
	forLevels(t, func(t *testing.T, l Level) {
		f := mulAdd(l)
		for _, s := range sizes {
			r := newSource(uint64(s.k*1000+s.n), s.odd)
			ldg := s.n + s.gap
			a, g := r.fill(make([]Float, max(0, s.rows-1)*s.lda+s.k)), r.fill(make([]Float, max(0, s.rows-1)*ldg+s.n))
			got, check := guarded(max(0, s.k-1)*ldg + s.n)
			r.fill(got)
			want := append([]Float(nil), got...)
			for row := range s.rows {
				for i := range s.k {
					for j := range s.n {
						want[i*ldg+j] = f(a[row*s.lda+i], g[row*ldg+j], want[i*ldg+j])
					}
				}
			}
			MulOuter(s.rows, s.k, s.n, a, s.lda, g, ldg, got, ldg)
			what := fmt.Sprintf("%v %+v", l, s)
			compare(t, what, got, want)
			check(t, what)
		}
		a, c := make([]Float, 7), make([]Float, 15)
		MulOuter(3, 5, 3, a, 1, a, 2, c, 3)
		panics(t, "short a", func() { MulOuter(4, 5, 3, a, 1, a, 1, c, 3) })
		panics(t, "short g", func() { MulOuter(3, 5, 3, a, 1, a[:6], 2, c, 3) })
		panics(t, "short c", func() { MulOuter(3, 5, 3, a, 1, a, 2, c[:14], 3) })
		if n := testing.AllocsPerRun(20, func() { MulOuter(3, 5, 3, a, 1, a, 2, c, 3) }); n > 0 {
			t.Errorf("%v allocations a call", n)
		}
	})
}

// The second call with a pool finds a job to use again.
func TestGemmOnThreadsAllocatesNothing(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	a, b, c := make([]Float, 64*64), make([]Float, 64*64), make([]Float, 64*64)
	if Current() == Go {
		t.Skip("the reference loops allocate a closure")
	}
	run := func() { Gemm(pool, 64, 64, 64, a, 64, false, b, 64, false, c, 64) }
	run()
	if n := testing.AllocsPerRun(50, run); n >= 1 {
		t.Errorf("%v allocations a call", n)
	}
}
