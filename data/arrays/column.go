package arrays

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"

	"synfire/format/npz"
	"synfire/internal/limit"
	"synfire/sample"
	"synfire/tensor"
)

// column is an array whose first axis counts samples, in a file or in memory. Its
// elements are a sample's one after another, or with fortran of all samples in turn,
// which must be in memory.
type column struct {
	name    string // in the file
	dtype   string // as that of an npz.Array
	shape   []int
	item    int // bytes of an element
	fortran bool
	native  func(elements []byte) // to little-endian, in place; nil: they are

	at     io.ReaderAt // the elements begin at offset
	offset int64
	load   func() ([]byte, error) // of one that can't be read in parts
	held   []byte                 // all elements, once they are in memory
}

// inMemory is the column of an array that has been read.
func inMemory(name string, a npz.Array) *column {
	c := &column{name: sample.Printable(name), dtype: a.DType, shape: a.Shape, held: a.Data}
	if n := a.Len(); n > 0 {
		c.item = len(a.Data) / n
	}
	return c
}

// samples is the length of the first axis.
func (c *column) samples() int { return c.shape[0] }

// size is the number of elements of a sample.
func (c *column) size() int { return tensor.Shape(c.shape[1:]).Size() }

func (c *column) bytes() int64 {
	return int64(c.item) * int64(tensor.Shape(c.shape).Size())
}

// hold brings the elements into memory.
func (c *column) hold() error {
	if c.held != nil {
		return nil
	}
	held := make([]byte, 0)
	err := limit.Fits(c.bytes())
	if err == nil && c.load != nil {
		held, err = c.load()
	} else if err == nil && c.bytes() > 0 {
		held = make([]byte, c.bytes())
		_, err = c.at.ReadAt(held, c.offset)
	}
	if err != nil && err != io.EOF {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	if c.native != nil {
		c.native(held)
		c.native = nil
	}
	c.held = held
	return nil
}

// raw is the elements of sample i, little-endian and row-major, in buf or in memory
// that is shared.
func (c *column) raw(i int, buf []byte) ([]byte, error) {
	n := c.size() * c.item
	switch {
	case c.held != nil && !c.fortran:
		return c.held[i*n : (i+1)*n : (i+1)*n], nil
	case c.held != nil:
		buf = slices.Grow(buf[:0], n)[:n]
		c.gather(i, buf)
		return buf, nil
	}
	buf = slices.Grow(buf[:0], n)[:n]
	if _, err := c.at.ReadAt(buf, c.offset+int64(i)*int64(n)); err != nil {
		return nil, fmt.Errorf("%s: sample %d: %w; was the file cut short?", c.name, i, err)
	}
	if c.native != nil {
		c.native(buf)
	}
	return buf, nil
}

// gather picks the elements of sample i where the first index varies fastest.
func (c *column) gather(i int, dst []byte) {
	axes := c.shape[1:]
	index := make([]int, len(axes))
	for ; len(dst) > 0; dst = dst[c.item:] {
		at, stride := i, c.shape[0]
		for k, d := range axes {
			at += index[k] * stride
			stride *= d
		}
		copy(dst[:c.item], c.held[at*c.item:])
		for k := len(axes) - 1; k >= 0; k-- {
			if index[k]++; index[k] < axes[k] {
				break
			}
			index[k] = 0
		}
	}
}

// array is the whole column, row-major.
func (c *column) array() (npz.Array, error) {
	if err := c.hold(); err != nil {
		return npz.Array{}, err
	}
	a := npz.Array{DType: c.dtype, Shape: c.shape, Data: c.held}
	if c.fortran {
		a.Data = make([]byte, 0, len(c.held))
		n := c.size() * c.item
		for i := range c.samples() {
			a.Data = a.Data[:(i+1)*n]
			c.gather(i, a.Data[i*n:])
		}
	}
	return a, nil
}

// unit maps a byte to [0, 1].
var unit = func() (u [256]tensor.Float) {
	for i := range u {
		u[i] = tensor.Float(i) / 255
	}
	return u
}()

// values fills dst with the elements of sample i as numbers: bytes divided by 255,
// all by scale where it is not 0.
func (c *column) values(i int, dst []tensor.Float, buf []byte, scale float64) ([]byte, error) {
	b, err := c.raw(i, buf)
	if err != nil {
		return buf, err
	}
	if c.held == nil || c.fortran {
		buf = b
	}
	switch c.dtype {
	case "|u1":
		if scale == 0 {
			for j, v := range b {
				dst[j] = unit[v]
			}
			return buf, nil
		}
		for j, v := range b {
			dst[j] = tensor.Float(v)
		}
	case "<f4":
		for j := range dst {
			dst[j] = tensor.Float(math.Float32frombits(binary.LittleEndian.Uint32(b[4*j:])))
		}
	case "<f8":
		for j := range dst {
			dst[j] = tensor.Float(math.Float64frombits(binary.LittleEndian.Uint64(b[8*j:])))
		}
	default:
		v, err := npz.Array{DType: c.dtype, Shape: []int{len(dst)}, Data: b}.Float64s()
		if err != nil {
			return buf, fmt.Errorf("%s: %w", c.name, err)
		}
		for j := range dst {
			dst[j] = tensor.Float(v[j])
		}
	}
	if scale != 0 && scale != 1 {
		for j := range dst {
			dst[j] = tensor.Float(float64(dst[j]) / scale)
		}
	}
	return buf, nil
}

// misfit is an error for an element k of sample i, of which scaling has made the value v,
// that is no finite one; the element itself is named.
func (c *column) misfit(i, k int, v tensor.Float, scale float64) error {
	element := float64(v)
	if b, err := c.raw(i, nil); err == nil {
		one := npz.Array{DType: c.dtype, Shape: []int{1}, Data: b[k*c.item : (k+1)*c.item]}
		if n, err := one.Float64s(); err == nil {
			element = n[0]
		}
	}
	switch why := tensor.Misfit(element); {
	case why == "is not finite":
		return fmt.Errorf("value %d of sample %d is %v; expected finite numbers: remove the sample or fill the value in", k, i, element)
	case why != "":
		return fmt.Errorf("value %d of sample %d is %v, which %s: scale the array before saving it", k, i, element, why)
	}
	return fmt.Errorf("value %d of sample %d is %v, by the scale of %v, which %s: choose another scale", k, i, element, scale, tensor.Misfit(math.MaxFloat64))
}

// numeric returns an error where the elements are strings.
func (c *column) numeric() error {
	_, err := npz.Array{DType: c.dtype, Shape: []int{0}}.Float64s()
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return nil
}

// floating reports whether the elements are floating-point numbers.
func (c *column) floating() bool { return bytes.HasPrefix([]byte(c.dtype), []byte("<f")) }
