package darknet

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Header begins a file of weights.
type Header struct {
	Major, Minor, Revision int32
	Seen                   uint64 // pictures that the network has learnt from
}

// wide reports whether seen has 64 bits.
func (h Header) wide() bool {
	return h.Major < 1000 && h.Minor < 1000 && 10*int64(h.Major)+int64(h.Minor) >= 2
}

// Arrays are the numbers of a layer, nil where it has none. Bias is that of a convolution
// with batch normalisation, too: what is added after the scale.
type Arrays struct {
	Bias, Scales, Mean, Variance []float32
	Weights                      []float32 // [filters][channels/groups][size][size], of connected [outputs][inputs]
}

// ReadWeights reads a file of weights for layers, one Arrays a layer. A file that ends early,
// or goes on behind the last layer, is an error, and so is a number that is not finite.
func ReadWeights(r io.Reader, layers []Layer) (h Header, all []Arrays, err error) {
	want := 0
	for _, l := range layers {
		want += l.Numbers()
	}
	in := bufio.NewReader(r)
	if h, err = readHeader(in); err != nil {
		return h, nil, err
	}
	d := decoder{in: in, want: want}
	for _, l := range layers {
		var a Arrays
		for _, part := range l.parts(&a) {
			if *part.to, err = d.floats(part.n); err != nil {
				return h, nil, fmt.Errorf("darknet: weights of section %.40q of line %d: %w", l.Section.Name, l.Section.Line, err)
			}
		}
		all = append(all, a)
	}
	if more, err := io.Copy(io.Discard, io.LimitReader(in, maxMore)); more > 0 || err != nil {
		return h, nil, tooLong(want, more, err)
	}
	return h, all, nil
}

// maxMore is how many bytes behind the last layer are counted.
const maxMore = 1 << 30

// tooLong says how many numbers a file has, of which want are the network's.
func tooLong(want int, more int64, err error) error {
	found := fmt.Sprint(want + int(more/4))
	switch {
	case err != nil:
		return fmt.Errorf("darknet: the file of weights: %w", err)
	case more == maxMore:
		found += " or more"
	case more%4 > 0:
		found += " and a part of one"
	}
	return fmt.Errorf("darknet: the file of weights has %s numbers, want the %d numbers of the network; is it of another .cfg?", found, want)
}

func readHeader(in io.Reader) (h Header, err error) {
	version := [3]int32{}
	if err := binary.Read(in, binary.LittleEndian, &version); err != nil {
		return h, fmt.Errorf("darknet: the file of weights ends in its header: %w", err)
	}
	h = Header{Major: version[0], Minor: version[1], Revision: version[2]}
	if h.Major < 0 || h.Minor < 0 || h.Major >= 1000 || h.Minor >= 1000 {
		return h, fmt.Errorf("darknet: weights of version %d.%d, want one below 1000 (above, dense layers are transposed, which is not read); is it a file of weights?", h.Major, h.Minor)
	}
	if h.wide() {
		err = binary.Read(in, binary.LittleEndian, &h.Seen)
	} else {
		var seen uint32
		err = binary.Read(in, binary.LittleEndian, &seen)
		h.Seen = uint64(seen)
	}
	if err != nil {
		return h, fmt.Errorf("darknet: the file of weights ends in its header: %w", err)
	}
	return h, nil
}

type part struct {
	to *[]float32
	n  int
}

// parts are the arrays of a layer in the order of the file.
func (l Layer) parts(a *Arrays) []part {
	norm := []part{{&a.Scales, l.Scales}, {&a.Mean, l.Scales}, {&a.Variance, l.Scales}}
	bias, weights := part{&a.Bias, l.Bias}, part{&a.Weights, l.Weights}
	if l.Section.Name == "connected" || l.Section.Name == "conn" {
		return append([]part{bias, weights}, norm...)
	}
	return append(append([]part{bias}, norm...), weights)
}

type decoder struct {
	in         io.Reader
	read, want int
}

// floats reads n numbers in pieces, so that a file that claims more than it has takes no
// memory for it.
func (d *decoder) floats(n int) ([]float32, error) {
	var out []float32
	buf := make([]byte, 4*min(n, 16<<10))
	for len(out) < n {
		piece := buf[:4*min(n-len(out), len(buf)/4)]
		if got, err := io.ReadFull(d.in, piece); err != nil {
			return nil, fmt.Errorf("the file ends after %d of the %d numbers of the network; is it of another .cfg, or cut off?", d.read+got/4, d.want)
		}
		for i := 0; i < len(piece); i += 4 {
			v := math.Float32frombits(binary.LittleEndian.Uint32(piece[i:]))
			if v != v || math.IsInf(float64(v), 0) {
				return nil, fmt.Errorf("number %d is %v, want a finite one", d.read, v)
			}
			out = append(out, v)
			d.read++
		}
	}
	return out, nil
}

// WriteWeights writes a file of weights, the inverse of ReadWeights.
func WriteWeights(w io.Writer, h Header, layers []Layer, all []Arrays) error {
	if len(all) != len(layers) {
		return fmt.Errorf("darknet: arrays of %d layers for %d", len(all), len(layers))
	}
	if h.Major < 0 || h.Minor < 0 || h.Major >= 1000 || h.Minor >= 1000 || !h.wide() && h.Seen > math.MaxUint32 {
		return fmt.Errorf("darknet: a header of version %d.%d with %d pictures seen, want a version below 1000, and from 0.2 on for more than 2³² pictures", h.Major, h.Minor, h.Seen)
	}
	out := bufio.NewWriter(w)
	binary.Write(out, binary.LittleEndian, [3]int32{h.Major, h.Minor, h.Revision})
	if h.wide() {
		binary.Write(out, binary.LittleEndian, h.Seen)
	} else {
		binary.Write(out, binary.LittleEndian, uint32(h.Seen))
	}
	for i, l := range layers {
		for _, part := range l.parts(&all[i]) {
			if len(*part.to) != part.n {
				return fmt.Errorf("darknet: section %.40q of line %d: an array of %d numbers, want %d", l.Section.Name, l.Section.Line, len(*part.to), part.n)
			}
			if err := binary.Write(out, binary.LittleEndian, *part.to); err != nil {
				return fmt.Errorf("darknet: %w", err)
			}
		}
	}
	return out.Flush()
}
