package spikegrad

import (
	"fmt"
	"math"
	"slices"

	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/linmap"
	"synfire/tensor"
)

// stage is a layer: its map, its neurons and its weights. Potentials are counted in units,
// of which 1/unit are whole numbers that a sum of spikes is made of.
type stage struct {
	in, out tensor.Shape // images
	m       linmap.Map
	pool    linmap.Pool // where size > 0
	size    int         // of pooled windows
	dense   bool
	linear  bool
	last    bool

	scale   float64      // units in 1: 2^bits, or size² of a pooling
	theta   tensor.Float // Θ in units
	thetaBP tensor.Float // Θ_bp in the units of the layer above; of the last, Θ_bp
	c       float64      // c_l

	w, b   tensor.Tensor  // as learnt; of a pooling none
	used   linmap.Weights // in units, whole where passes truncate
	bias   []tensor.Float // B·b in units
	fan    linmap.Weights // ones, of the map of pixels
	bounds bounds         // of the weights that are used
}

// bounds say how large sums can become: the largest norm of the weights that an output
// sees, of those that an input channel reaches, and the largest bias.
type bounds struct{ column, row, bias float64 }

// stages are the layers of a rule for images of a shape.
func (r Rule) stages(in tensor.Shape, classes int) ([]*stage, error) {
	layers := append(append([]Layer(nil), r.Layers...), Layer{Dense: classes})
	var all []*stage
	for i, l := range layers {
		s := &stage{in: in, linear: l.Linear || l.Pool > 0, size: l.Pool, dense: l.Dense > 0, scale: math.Ldexp(1, r.Bits), last: i == len(layers)-1}
		var err error
		switch {
		case l.Dense > 0:
			s.m = linmap.Dense(in.Size(), l.Dense)
			s.in = s.m.In()
		case l.Conv > 0:
			s.m, err = linmap.Conv(in, l.Conv, linmap.Options{Kernel: []int{l.Kernel}, Stride: []int{max(1, l.Stride)}, Padding: []int{l.Padding}})
		default:
			s.pool, err = linmap.NewPool(in, l.Pool, 0, nil)
			s.pool.Average, s.scale = true, float64(l.Pool*l.Pool)
		}
		if err != nil {
			return nil, fmt.Errorf("spikegrad: layer %d: %w", i+1, err)
		}
		s.out = s.m.Out()
		if s.size > 0 {
			s.out = s.pool.Out()
		}
		in = s.out
		all = append(all, s)
	}
	return all, r.scaled(layers, all)
}

// scaled sets thresholds, which must be whole numbers of units, and c_l.
func (r Rule) scaled(layers []Layer, all []*stage) error {
	c := 1 / (r.Alpha * r.Kappa)
	for i := len(all) - 1; i >= 0; i-- {
		s, l := all[i], layers[i]
		theta, thetaBP := orElse(l.Theta, r.Theta), orElse(l.ThetaBP, r.ThetaBP)
		c *= thetaBP
		if s.last {
			s.thetaBP = tensor.Float(thetaBP)
		} else {
			c /= theta
			above := all[i+1].scale
			for _, v := range []struct {
				name         string
				value, scale float64
			}{{"theta", theta, s.scale}, {"theta-bp", thetaBP, above}} {
				if units := v.value * v.scale; units != math.Trunc(units) && r.Truncate != None || units > limit {
					return fmt.Errorf("spikegrad: layer %d: %s is %v, want a multiple of 1/%v, the unit of its potentials; try %v, or other bits", i+1, v.name, v.value, v.scale, max(1, math.Round(units))/v.scale)
				}
			}
			s.theta, s.thetaBP = tensor.Float(theta*s.scale), tensor.Float(thetaBP*above)
		}
		s.c = c
	}
	return nil
}

func orElse(v, d float64) float64 {
	if v == 0 {
		return d
	}
	return v
}

// limit is up to where whole numbers and their sums are exact.
var limit = func() float64 {
	if one := tensor.Float(1 << 24); one+1 != one {
		return 1 << 53
	}
	return 1 << 24
}()

// units of the output.
func (s *stage) units() int { return s.out.Size() }

// name of the layer's part in files.
func partName(layer int, part string) string { return fmt.Sprintf("layer%d.%s", layer, part) }

// draw makes weights of N(0, 2/fan-in) (He et al. 2015), and no biases.
func (s *stage) draw(layer int, seed uint64) {
	if s.size > 0 {
		return
	}
	k := s.m.Kernel()
	if s.dense {
		k = tensor.Shape{s.m.C, s.m.N}
	}
	s.w, s.b = tensor.New(k...), tensor.New(s.m.N)
	src := rng.New(seed, rng.Init).Str(partName(layer, "weight")).Source()
	deviation := math.Sqrt(2 / float64(s.m.Patch()))
	for i := range s.w.Data {
		s.w.Data[i] = tensor.Float(deviation * src.Norm())
	}
}

// take takes up the weights as they are now: in units, rounded to the nearest, the even
// of two, where passes truncate.
func (s *stage) take(r Rule) {
	if s.size > 0 {
		return
	}
	s.used.Data = tensor.Resize(s.used.Data, len(s.w.Data))
	s.bias = tensor.Resize(s.bias, len(s.b.Data))
	for i, v := range s.w.Data {
		s.used.Data[i] = tensor.Float(r.whole(float64(v) * s.scale))
	}
	for i, v := range s.b.Data {
		s.bias[i] = tensor.Float(float64(r.BiasSpikes) * r.whole(float64(v)*s.scale))
	}
	s.used.Renew(s.used.Data)
	s.measure()
}

// whole rounds weights where passes truncate.
func (r Rule) whole(v float64) float64 {
	if r.Truncate == None {
		return v
	}
	return math.RoundToEven(v)
}

// measure finds the bounds.
func (s *stage) measure() {
	n := s.m.N
	columns, rows := make([]float64, n), make([]float64, s.m.C)
	for i := 0; i < len(s.used.Data); i += n {
		for o, v := range s.used.Data[i:][:n] {
			square := float64(v) * float64(v)
			columns[o] += square
			rows[i/n%s.m.C] += square
		}
	}
	s.bounds = bounds{column: math.Sqrt(slices.Max(columns)), row: math.Sqrt(slices.Max(rows))}
	for _, v := range s.bias {
		s.bounds.bias = max(s.bounds.bias, math.Abs(float64(v)))
	}
}

// drive writes what count samples of spikes x drive the layer's neurons by to y, in units.
func (s *stage) drive(sc *linmap.Scratch, y, x []tensor.Float, count int, whole bool) {
	n, k := s.units(), s.in.Size()
	if s.size > 0 {
		for i := range count {
			s.pool.Forward(sc, y[i*n:][:n], x[i*k:][:k], nil)
		}
		toUnits(y[:count*n], tensor.Float(s.scale), whole)
		return
	}
	kernel.FillRows(y[:count*n], s.bias)
	if s.dense {
		s.m.Rows(count).Forward(sc, &s.used, y, x)
		return
	}
	for i := range count {
		s.m.Forward(sc, &s.used, y[i*n:][:n], x[i*k:][:k])
	}
}

// toUnits makes sums of means, which are rounded unless size² is a power of two.
func toUnits(y []tensor.Float, scale tensor.Float, whole bool) {
	kernel.Scale(y, scale)
	if part, _ := math.Frexp(float64(scale)); !whole || part == 0.5 {
		return
	}
	for i, v := range y {
		y[i] = tensor.Float(math.Round(float64(v)))
	}
}

// back writes what count samples of errors d of this layer drive those of the layer below
// by to u, in this layer's units.
func (s *stage) back(sc *linmap.Scratch, u, d []tensor.Float, count int, whole bool) {
	n, k := s.units(), s.in.Size()
	if s.size > 0 {
		for i := range count {
			s.pool.Transpose(sc, u[i*k:][:k], d[i*n:][:n], nil)
		}
		toUnits(u[:count*k], tensor.Float(s.scale), whole)
		return
	}
	clear(u[:count*k])
	if s.dense {
		s.m.Rows(count).Transpose(sc, &s.used, u, d)
		return
	}
	for i := range count {
		if y := d[i*n:][:n]; kernel.CountNonzero(y) > 0 {
			s.m.Transpose(sc, &s.used, u[i*k:][:k], y)
		}
	}
}

// fire turns input I into spikes n and what is left, V.
func (s *stage) fire(n, v []tensor.Float, truncate bool) {
	least := tensor.Float(0)
	if s.linear {
		least = tensor.Float(math.Inf(-1))
	}
	for i, in := range v {
		count := in / s.theta
		if truncate {
			count = tensor.Float(int64(count))
		}
		count = max(count, least)
		n[i], v[i] = count, in-count*s.theta
	}
}

// open is S′.
func (s *stage) open(n, v tensor.Float) bool { return s.linear || v > 0 || n > 0 }

// opened is how many neurons let errors through.
func (s *stage) opened(n, v []tensor.Float) (count int64) {
	if s.linear {
		return int64(len(n))
	}
	for i, spikes := range n {
		if s.open(spikes, v[i]) {
			count++
		}
	}
	return count
}

// most is what no sum of weighted spikes exceeds, in units, nor any of its parts: the norm of the
// weights times that of the spikes (Cauchy and Schwarz).
func (s *stage) most(squares float64) float64 {
	if s.size > 0 {
		return float64(s.size) * math.Sqrt(squares)
	}
	return s.bounds.column*math.Sqrt(squares) + s.bounds.bias
}

// mostBack is most of errors.
func (s *stage) mostBack(squares float64) float64 {
	if s.size > 0 {
		return math.Sqrt(squares)
	}
	return s.bounds.row * math.Sqrt(squares)
}

// exact is below what sums are exact, whatever their order.
func (s *stage) exact() float64 {
	if s.size > 0 {
		return limit / 8 // the mean is rounded, and its sum with it
	}
	return limit - 1
}

// certain reports whether sums of weighted spikes are exact, whatever their order.
func (s *stage) certain(squares float64) bool { return s.most(squares) < s.exact() }

// certainBack is certain of errors.
func (s *stage) certainBack(squares float64) bool { return s.mostBack(squares) < s.exact() }
