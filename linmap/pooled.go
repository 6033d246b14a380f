package linmap

import (
	"synfire/internal/kernel"
	"synfire/tensor"
)

// Pooled is a convolution with a bias and a pooling behind it, of windows that tile the
// map without padding:
//
//	y = P(A x + b)
//
// Its transpose Aᵀ P⁻¹ y goes by the places that Forward recorded, window by window.
type Pooled struct {
	Map
	Pool Pool
}

// Mapped is the number of elements of A x, and Outputs that of y.
func (p Pooled) Mapped() int  { return p.Pixels() * p.N }
func (p Pooled) Outputs() int { return p.Pool.Outputs() }

// Forward writes P(A x + b) to y, and the places of the largest elements.
func (p Pooled) Forward(s *Scratch, ws *Weights, bias, y, x []tensor.Float, places []uint8) {
	s.mapped = tensor.Resize(s.mapped, p.Mapped())
	kernel.FillRows(s.mapped, bias)
	p.Map.Forward(s, ws, s.mapped, x)
	p.Pool.Forward(s, y, s.mapped, places)
}

// Transpose adds Aᵀ P⁻¹ y to x, element by element of y that is not zero: ascending in
// the pooled pixel, in the pixel of its window and in the channel.
func (p Pooled) Transpose(s *Scratch, ws *Weights, x, y []tensor.Float, places []uint8) {
	turned, size := p.Turned(ws), p.Pool.KH
	p.onCanvas(s, x, func(canvas []tensor.Float) {
		for i := range p.Pool.Pixels() {
			s.place(p, y[i*p.N:][:p.N], places, i)
			top, left := i/p.Pool.OW*size, i%p.Pool.OW*size
			for k, channels := range s.taps[:size*size] {
				p.Scatter(canvas, turned, top+k/size, left+k%size, channels, s.values[k])
			}
		}
	})
}

// place finds, for each place of a window, the channels of pooled pixel i that P⁻¹ puts
// there.
func (s *Scratch) place(p Pooled, y []tensor.Float, places []uint8, i int) {
	taps := p.Pool.KH * p.Pool.KW
	for len(s.taps) < taps {
		s.taps, s.values = append(s.taps, nil), append(s.values, nil)
	}
	for k := range taps {
		s.taps[k], s.values[k] = s.taps[k][:0], s.values[k][:0]
	}
	if taps == 1 || p.Pool.Average {
		s.taps[0], s.values[0] = kernel.Nonzeros(s.taps[0], s.values[0], y, 0)
		kernel.Scale(s.values[0], 1/tensor.Float(taps))
		for k := 1; k < taps; k++ {
			s.taps[k], s.values[k] = append(s.taps[k], s.taps[0]...), append(s.values[k], s.values[0]...)
		}
		return
	}
	where := places[i*kernel.ArgPitch(p.N):]
	for o, v := range y {
		if v != 0 {
			k := where[o]
			s.taps[k], s.values[k] = append(s.taps[k], int32(o)), append(s.values[k], v)
		}
	}
}
