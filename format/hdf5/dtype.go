package hdf5

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"synfire/internal/half"
)

// Class is what elements are.
type Class int

// Classes of elements. Those after Sequence are listed and not read.
const (
	Integer  Class = iota + 1
	Float          // IEEE 754
	String         // fixed or variable length
	Enum           // integers with names; of FALSE and TRUE h5py's bool
	Sequence       // numbers, as many as each element has
	Compound
	Reference
	Bitfield
	Opaque
	Time
	Fixed // arrays of fixed shape as elements
)

var classNames = []string{"nothing", "integer", "float", "string", "enum", "sequence", "compound", "reference", "bit field", "opaque", "time", "fixed array"}

// classes are the format's own numbers of classes; 9 is that of variable length.
var classes = [11]Class{Integer, Float, Time, String, Bitfield, Opaque, Compound, Reference, Enum, Sequence, Fixed}

// Type is the type of the elements of an array.
type Type struct {
	Class    Class
	Size     int      // bytes of an element; of variable length those of a reference to it
	Signed   bool     // of integers and enumerations
	Variable bool     // of strings: each has its own length
	UTF8     bool     // of strings: not ASCII
	Names    []string // of an enumeration
	Values   []int64  // that the names stand for
	Elem     *Type    // of sequences

	pad     int   // of fixed strings: how the rest is filled
	refused error // why elements of the type cannot be read
}

// spacePadded are strings filled with spaces, those of Fortran.
const spacePadded = 2

// String is the type as NumPy would call it: float32, int64, bool, string, string[12],
// []float32, or the class of what is not read.
func (t Type) String() string {
	switch {
	case t.Class == Integer && t.Signed:
		return fmt.Sprintf("int%d", 8*t.Size)
	case t.Class == Integer:
		return fmt.Sprintf("uint%d", 8*t.Size)
	case t.Class == Float:
		return fmt.Sprintf("float%d", 8*t.Size)
	case t.Class == Enum && t.isBool():
		return "bool"
	case t.Class == Enum:
		names := make([]string, len(t.Names))
		for i, name := range t.Names {
			names[i] = fmt.Sprintf("%s=%d", name, t.Values[i])
		}
		return "enum{" + strings.Join(names, ",") + "}"
	case t.Class == String && t.Variable:
		return "string"
	case t.Class == String:
		return fmt.Sprintf("string[%d]", t.Size)
	case t.Class == Sequence && t.Elem != nil:
		return "[]" + t.Elem.String()
	}
	return classNames[t.Class]
}

// isBool reports whether the type is what h5py makes of booleans.
func (t Type) isBool() bool {
	return t.Class == Enum && t.Size == 1 && len(t.Names) == 2 && t.Names[0] == "FALSE" && t.Names[1] == "TRUE" && t.Values[0] == 0 && t.Values[1] == 1
}

const (
	maxNesting = 8       // types within each other
	maxElement = 1 << 24 // bytes of an element
)

// dtype reads a data type. One that is not supported has the reason in it; an error says
// that the file is damaged.
func (c *cursor) dtype(depth int) (Type, error) {
	head, size := c.u32(), c.u32()
	version, class, bits := head>>4&15, head&15, head>>8
	switch {
	case c.over:
		return Type{}, c.done()
	case version < 1 || version > 3 || int(class) >= len(classes):
		return Type{}, fmt.Errorf("data type of version %d and class %d: versions 1 to 3 and classes 0 to 10 are known; %s", version, class, advice)
	case size == 0 || size > maxElement || depth > maxNesting:
		return Type{}, fmt.Errorf("data type of %d bytes, %d deep in others; the file is damaged", size, depth)
	}
	t := Type{Class: classes[class], Size: int(size)}
	var err error
	switch t.Class {
	case Integer:
		c.integer(&t, bits)
	case Float:
		c.float(&t, bits)
	case String:
		t.pad, t.UTF8 = int(bits&15), bits>>4&15 == 1
	case Enum:
		err = c.enum(&t, version, int(bits&0xffff), depth)
	case Sequence:
		err = c.variable(&t, bits, depth)
	default:
		t.refused = fmt.Errorf("elements of type %s are not read; store them as arrays of numbers or strings, each field in its own", t)
		c.bytes(c.rest()) // what the class has to say
	}
	return t, err
}

func (c *cursor) integer(t *Type, bits uint32) {
	offset, precision := c.u16(), c.u16()
	t.Signed = bits>>3&1 == 1
	switch {
	case bits&1 == 1 && t.Size > 1:
		t.refused = errors.New("integers are big-endian, little-endian ones are read; store them with dtype '<i4' or the like")
	case t.Size > 8 || t.Size&(t.Size-1) != 0 || offset != 0 || precision != 8*t.Size:
		t.refused = fmt.Errorf("integers of %d bits in %d bytes: those of 8, 16, 32 and 64 are read; store them with dtype '<i4' or the like", precision, t.Size)
	}
}

// ieee is how the bits of IEEE numbers stand, by their size in bytes: the place of the sign, the
// first bit and number of bits of the exponent and of the mantissa, the exponent's bias.
var ieee = map[int][6]int{
	2: {15, 10, 5, 0, 10, 15},
	4: {31, 23, 8, 0, 23, 127},
	8: {63, 52, 11, 0, 52, 1023},
}

func (c *cursor) float(t *Type, bits uint32) {
	offset, precision := c.u16(), c.u16()
	found := [6]int{int(bits >> 8 & 255), c.u8(), c.u8(), c.u8(), c.u8(), int(c.u32())}
	const order, impliedOne = 1 | 1<<6, 2
	switch {
	case bits&order != 0:
		t.refused = errors.New("numbers are big-endian, little-endian ones are read; store them with dtype '<f4' or '<f8'")
	case ieee[t.Size] != found || offset != 0 || precision != 8*t.Size || bits>>4&3 != impliedOne:
		t.refused = fmt.Errorf("floating-point numbers of %d bytes that are none of IEEE 754 with 16, 32 or 64 bits; store them with dtype '<f4' or '<f8'", t.Size)
	}
}

func (c *cursor) enum(t *Type, version uint32, n, depth int) error {
	base, err := c.dtype(depth + 1)
	if err != nil {
		return err
	}
	if base.Class != Integer || base.Size != t.Size {
		return fmt.Errorf("an enumeration of %d bytes over %s of %d; the file is damaged", t.Size, base, base.Size)
	}
	t.Signed, t.refused = base.Signed, base.refused
	for range n {
		end := strings.IndexByte(string(c.b[c.at:]), 0)
		if end < 0 {
			return errors.New("a name of an enumeration has no end; the file is damaged")
		}
		t.Names = append(t.Names, string(c.bytes(end)))
		c.bytes(1)
		if version < 3 {
			c.bytes(-(end + 1) & 7)
		}
	}
	values := c.bytes(n * t.Size)
	if get := base.int(); get != nil && !c.over {
		for i := range n {
			t.Values = append(t.Values, get(values[i*t.Size:]))
		}
	}
	return c.done()
}

// referenceBytes are those of a reference to a string or sequence: its length, and the address and
// number of an object in a global heap.
const referenceBytes = 4 + 8 + 4

func (c *cursor) variable(t *Type, bits uint32, depth int) error {
	elem, err := c.dtype(depth + 1)
	if err != nil {
		return err
	}
	if t.Size != referenceBytes {
		return fmt.Errorf("elements of variable length of %d bytes, expected %d; the file is damaged", t.Size, referenceBytes)
	}
	if bits&15 == 1 {
		t.Class, t.Variable, t.UTF8 = String, true, bits>>8&15 == 1
		return nil
	}
	t.Elem = &elem
	switch {
	case elem.refused != nil:
		t.refused = elem.refused
	case elem.Class == Sequence || elem.Class == String:
		t.refused = fmt.Errorf("sequences of %s are not read; store sequences of numbers", elem)
	}
	return nil
}

// encode is the message of a type: version 1, as the format's earliest.
func (t Type) encode() []byte {
	head := func(class, bits int) []byte {
		b := binary.LittleEndian.AppendUint32(nil, uint32(1<<4|class|bits<<8))
		return binary.LittleEndian.AppendUint32(b, uint32(t.Size))
	}
	sign := 0
	if t.Signed {
		sign = 1 << 3
	}
	utf8 := 0
	if t.UTF8 {
		utf8 = 1
	}
	switch t.Class {
	case Integer:
		return u16s(head(0, sign), 0, 8*t.Size)
	case Float:
		f := ieee[t.Size]
		b := u16s(head(1, 2<<4|f[0]<<8), 0, 8*t.Size)
		b = append(b, byte(f[1]), byte(f[2]), byte(f[3]), byte(f[4]))
		return binary.LittleEndian.AppendUint32(b, uint32(f[5]))
	case String:
		if t.Variable {
			return append(head(9, 1|utf8<<8), Type{Class: String, Size: 1}.encode()...)
		}
		return head(3, t.pad|utf8<<4)
	case Sequence:
		return append(head(9, 0), t.Elem.encode()...)
	}
	b := append(head(8, len(t.Names)), Type{Class: Integer, Size: t.Size, Signed: t.Signed}.encode()...)
	for _, name := range t.Names {
		b = append(b, name...)
		b = append(b, make([]byte, 8-len(name)&7)...)
	}
	for _, v := range t.Values {
		b = append(b, binary.LittleEndian.AppendUint64(nil, uint64(v))[:t.Size]...)
	}
	return b
}

func u16s(b []byte, v ...int) []byte {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint16(b, uint16(x))
	}
	return b
}

// isNumber reports whether elements are numbers.
func (t Type) isNumber() bool { return t.Class == Integer || t.Class == Float || t.Class == Enum }

// isVariable reports whether elements are references to a global heap.
func (t Type) isVariable() bool { return t.Class == Sequence || t.Variable }

// int reads one integer; nil of other types. The top bit of a uint64 becomes the sign.
func (t Type) int() func([]byte) int64 {
	if t.Class != Integer && t.Class != Enum {
		return nil
	}
	shift := 64 - 8*t.Size
	return func(b []byte) int64 {
		var x uint64
		for i := range t.Size {
			x |= uint64(b[i]) << (8 * i)
		}
		if t.Signed {
			return int64(x<<shift) >> shift
		}
		return int64(x)
	}
}

// float reads one number; nil of other types.
func (t Type) float() func([]byte) float64 {
	switch {
	case t.Class == Float && t.Size == 2:
		return func(b []byte) float64 { return half.Value(binary.LittleEndian.Uint16(b)) }
	case t.Class == Float && t.Size == 4:
		return func(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) }
	case t.Class == Float:
		return func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }
	case t.isNumber() && !t.Signed && t.Size == 8:
		return func(b []byte) float64 { return float64(binary.LittleEndian.Uint64(b)) }
	case t.isNumber():
		get := t.int()
		return func(b []byte) float64 { return float64(get(b)) }
	}
	return nil
}

// text is a string of fixed length without what fills it up.
func (t Type) text(b []byte) string {
	if t.pad == spacePadded {
		return strings.TrimRight(string(b), " ")
	}
	return terminated(b)
}
