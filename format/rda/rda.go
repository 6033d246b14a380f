// Package rda reads files of R's save: objects in the binary form XDR, as they are or
// under gzip, bzip2 or xz.
//
//	RDX2 | RDX3, X     the form and its version; texts of other forms (ASCII, native) are refused
//	3 numbers          version of the serialisation, of R, and the least R
//	encoding           of version 3 alone
//	a pairlist         whose tags are the objects' names
//
// An item is a number of flags, whose lower byte is its type, and what the type has (R
// Internals, "Serialization Formats"). Read are vectors of truth values, integers, numbers and
// texts, lists of them with their names and classes, and R's compact forms of such vectors.
// Calls, functions and environments are passed over, where that is possible, and told by their
// class alone.
//
// Nothing in a file is trusted: what it expands to is bounded, vectors are read in pieces, and
// lists lie in each other a few times at most.
package rda

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/ulikunitz/xz"

	"synfire/internal/limit"
)

// DefaultMax is the most bytes that a file expands to: 1 GiB.
const DefaultMax = 1 << 30

const (
	maxDepth = 64      // of items in items
	maxItems = 1 << 22 // of a file
	maxText  = 1 << 20 // bytes of one text
)

// maxDictionary is the code of the largest dictionary that an xz file may ask for, the 64 MiB of
// xz -9: 2^(code/2 + 12) bytes.
const maxDictionary = 28

// Value is an object, or an element of one. Of an object that is not read all are empty but
// Class.
type Value struct {
	Name    string    // of an object, or of an element in its list; "" for none
	Class   string    // R's class, the first of several, else the kind: numeric, integer, logical, character, list, …
	Numbers []float64 // NaN for NA
	Texts   []string
	List    []Value
}

// Read reads all objects of a file. More than max bytes, expanded, are an error; max ≤ 0 means
// DefaultMax.
func Read(r io.Reader, max int64) ([]Value, error) {
	objects, err := read(r, max)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("the file is cut short: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("rda: %w", err)
	}
	return objects, nil
}

func read(r io.Reader, max int64) ([]Value, error) {
	if max <= 0 {
		max = DefaultMax
	}
	plain, err := expanded(bufio.NewReader(r))
	if err != nil {
		return nil, err
	}
	d := decoder{r: bufio.NewReaderSize(limit.Reader(plain, max), 1<<16)}
	version, err := d.begin()
	if err != nil {
		return nil, err
	}
	if version == 3 {
		n, err := d.length("the encoding's name", maxText)
		if err == nil {
			_, err = d.bytes(n)
		}
		if err != nil {
			return nil, err
		}
	}
	all, err := d.item(0)
	if err != nil {
		return nil, err
	}
	if all.kind != typePairs && all.kind != typeNil {
		return nil, fmt.Errorf("the file holds %s, want what save writes (of saveRDS load it in R and save it)", all.value.Class)
	}
	return all.value.List, nil
}

// expanded undoes the compression, which the first bytes tell.
func expanded(r *bufio.Reader) (io.Reader, error) {
	head, err := r.Peek(36)
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzip.NewReader(r)
	case bytes.HasPrefix(head, []byte("BZh")):
		return bzip2.NewReader(r), nil
	case bytes.HasPrefix(head, []byte("\xfd7zXZ\x00")):
		if err := checkDictionary(head); err != nil {
			return nil, err
		}
		return xz.ReaderConfig{DictCap: 1 << 12, SingleStream: true}.NewReader(r) // or what the file says
	case bytes.HasPrefix(head, []byte("RD")):
		return r, nil
	case len(head) < 6 && err != nil:
		return nil, err
	}
	return nil, errors.New("neither a file of R's save nor one under gzip, bzip2 or xz")
}

// checkDictionary looks into the header of the first block, behind the stream's of 12 bytes: its
// size, flags, perhaps two sizes of 7 bits a byte, and one filter, 0x21, with one byte of options.
func checkDictionary(head []byte) error {
	bad := errors.New("xz: the header of the first block is not one of LZMA2 alone, as R writes it")
	if len(head) < 36 || head[13]&3 != 0 {
		return bad
	}
	at := 14
	for _, flag := range []byte{0x40, 0x80} {
		for head[13]&flag != 0 {
			if at++; at > 32 {
				return bad
			}
			if head[at-1] < 0x80 {
				break
			}
		}
	}
	if head[at] != 0x21 || head[at+1] != 1 {
		return bad
	}
	if head[at+2] > maxDictionary {
		return errors.New("xz: the file asks for a dictionary of more than 64 MiB")
	}
	return nil
}

// The types of items, by the lower byte of their flags.
const (
	typeNilObject = 0
	typeSymbol    = 1
	typePairs     = 2
	typeClosure   = 3
	typePromise   = 5
	typeCall      = 6
	typeSpecial   = 7
	typeBuiltin   = 8
	typeText      = 9
	typeLogical   = 10
	typeInteger   = 13
	typeReal      = 14
	typeComplex   = 15
	typeTexts     = 16
	typeDots      = 17
	typeList      = 19
	typeExprs     = 20
	typeRaw       = 24

	typeCompact     = 238 // ALTREP
	typePairsAttr   = 239
	typeCallAttr    = 240
	typeBaseEnv     = 241
	typeEmptyEnv    = 242
	typeMissing     = 251
	typeBaseSpace   = 247
	typeUnbound     = 252
	typeGlobalEnv   = 253
	typeNil         = 254
	typeReference   = 255
	typeEnvironment = 4
	typeSpace       = 249
	typePackage     = 250
)

const (
	hasAttributes = 1 << 9
	hasTag        = 1 << 10
)

// item is a value with what is known of it in the file alone.
type item struct {
	kind  int
	value Value
	text  string // of a symbol or a text
}

type decoder struct {
	r     *bufio.Reader
	refs  []string // names of symbols and kinds of environments, in the order in which they came
	items int
}

func (d *decoder) begin() (version int, err error) {
	head, err := d.bytes(7)
	if err != nil {
		return 0, err
	}
	switch string(head) {
	case "RDX2\nX\n", "RDX3\nX\n":
	case "RDA2\nA\n", "RDA3\nA\n", "RDB2\nB\n", "RDB3\nB\n":
		return 0, errors.New("saved as text or in the machine's own order of bytes; want XDR, as save writes it unless told otherwise")
	default:
		return 0, fmt.Errorf("the file begins with %q, want RDX2 or RDX3 and X", head)
	}
	if version, err = d.int(); err != nil {
		return 0, err
	}
	if version != int(head[3]-'0') {
		return 0, fmt.Errorf("version %d of the serialisation in a file of version %c", version, head[3])
	}
	_, err = d.bytes(8)
	return version, err
}

// bytes are those of a text, of maxText at most.
func (d *decoder) bytes(n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(d.r, b)
	return b, err
}

func (d *decoder) int() (int, error) {
	var b [4]byte
	_, err := io.ReadFull(d.r, b[:])
	return int(int32(binary.BigEndian.Uint32(b[:]))), err
}

// length is a number of elements.
func (d *decoder) length(what string, most int) (int, error) {
	n, err := d.int()
	if err == nil && (n < 0 || n > most) {
		err = fmt.Errorf("%s has %d elements, want 0 to %d", what, n, most)
	}
	return n, err
}

// item reads one.
func (d *decoder) item(depth int) (item, error) {
	if d.items++; depth > maxDepth || d.items > maxItems {
		return item{}, fmt.Errorf("more than %d items, or more than %d in each other", maxItems, maxDepth)
	}
	flags, err := d.int()
	if err != nil {
		return item{}, err
	}
	return d.itemOf(flags, depth)
}

// itemOf reads what follows the flags.
func (d *decoder) itemOf(flags, depth int) (in item, err error) {
	if depth > maxDepth {
		return in, fmt.Errorf("more than %d items in each other", maxDepth)
	}
	in.kind = flags & 0xff
	switch in.kind {
	case typeNil, typeNilObject:
		in.kind, in.value.Class = typeNil, "NULL"
	case typeGlobalEnv, typeBaseEnv, typeEmptyEnv, typeBaseSpace, typeMissing, typeUnbound:
		in.value.Class = "environment" // or what stands for nothing
	case typeReference:
		return d.reference(flags >> 8)
	case typeSymbol:
		name, err := d.item(depth + 1)
		if err != nil {
			return in, err
		}
		in = symbol(name.text)
		d.refs = append(d.refs, in.text)
	case typeText:
		in.text, err = d.text()
	case typeSpace, typePackage:
		return in, d.space(&in, depth)
	case typeEnvironment:
		return in, d.environment(&in, depth)
	case typeSpecial, typeBuiltin:
		var n int
		if n, err = d.length("a function's name", maxText); err == nil {
			_, err = d.bytes(n)
		}
		in.value.Class = "function"
	case typePairs, typeCall, typeClosure, typePromise, typeDots, typePairsAttr, typeCallAttr:
		return d.pairs(flags, depth)
	case typeCompact:
		return d.compact(depth)
	default:
		return d.vector(flags, depth)
	}
	return in, err
}

func (d *decoder) reference(i int) (item, error) {
	if i == 0 {
		var err error
		if i, err = d.int(); err != nil {
			return item{}, err
		}
	}
	if i < 1 || i > len(d.refs) {
		return item{}, fmt.Errorf("a reference to item %d of %d", i, len(d.refs))
	}
	return symbol(d.refs[i-1]), nil
}

func symbol(name string) item {
	return item{kind: typeSymbol, text: name, value: Value{Class: "name", Texts: []string{name}}}
}

// text is a CHARSXP: NA is of length −1.
func (d *decoder) text() (string, error) {
	n, err := d.int()
	if err != nil || n == -1 {
		return "NA", err
	}
	if n < 0 || n > maxText {
		return "", fmt.Errorf("a text of %d bytes, want 0 to %d", n, maxText)
	}
	b, err := d.bytes(n)
	return string(b), err
}

// space passes over a name space or package: a 0, and a vector of texts.
func (d *decoder) space(in *item, depth int) error {
	in.value.Class = "environment"
	d.refs = append(d.refs, "")
	if _, err := d.int(); err != nil {
		return err
	}
	n, err := d.length("a name space", maxText)
	for i := 0; i < n && err == nil; i++ {
		_, err = d.item(depth + 1)
	}
	return err
}

// environment passes over one: whether it is locked, its frame, what encloses it, its table
// and attributes.
func (d *decoder) environment(in *item, depth int) error {
	in.value.Class = "environment"
	d.refs = append(d.refs, "")
	if _, err := d.int(); err != nil {
		return err
	}
	for range 4 {
		if _, err := d.item(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

// pairs reads a list of pairs: each has perhaps attributes and a tag, an item, and the rest of
// the list, which is not one in another.
func (d *decoder) pairs(flags, depth int) (in item, err error) {
	in = item{kind: typePairs, value: Value{Class: "pairlist"}}
	if kind := flags & 0xff; kind != typePairs && kind != typePairsAttr {
		in.kind, in.value.Class = kind, "call"
	}
	for {
		kind := flags & 0xff
		if flags&hasAttributes != 0 || kind == typePairsAttr || kind == typeCallAttr {
			if _, err := d.item(depth + 1); err != nil {
				return in, err
			}
		}
		tag := item{}
		if flags&hasTag != 0 {
			if tag, err = d.item(depth + 1); err != nil {
				return in, err
			}
		}
		car, err := d.item(depth + 1)
		if err != nil {
			return in, err
		}
		if d.items++; d.items > maxItems {
			return in, fmt.Errorf("more than %d items", maxItems)
		}
		car.value.Name = tag.text
		in.value.List = append(in.value.List, car.value)
		if flags, err = d.int(); err != nil {
			return in, err
		}
		switch flags & 0xff {
		case typePairs, typeCall, typePairsAttr, typeCallAttr:
			continue
		case typeNil, typeNilObject:
			return in, nil
		}
		last, err := d.itemOf(flags, depth+1) // of a function its body, of a pair its second
		in.value.List = append(in.value.List, last.value)
		return in, err
	}
}

// vector reads the elements of one, and its attributes.
func (d *decoder) vector(flags, depth int) (in item, err error) {
	in = item{kind: flags & 0xff}
	switch in.kind {
	case typeLogical, typeInteger, typeReal, typeComplex, typeTexts, typeList, typeExprs, typeRaw:
	default:
		return in, fmt.Errorf("an item of type %d, which is not read; save vectors and lists of them alone", in.kind)
	}
	n, err := d.length("a vector", math.MaxInt32)
	if err != nil {
		return in, err
	}
	v := &in.value
	switch in.kind {
	case typeLogical, typeInteger:
		v.Class = map[int]string{typeLogical: "logical", typeInteger: "integer"}[in.kind]
		v.Numbers, err = numbers(d.r, n, 4, func(b []byte) float64 {
			if x := int32(binary.BigEndian.Uint32(b)); x != math.MinInt32 {
				return float64(x)
			}
			return math.NaN()
		})
	case typeReal:
		v.Class = "numeric"
		v.Numbers, err = numbers(d.r, n, 8, func(b []byte) float64 { return math.Float64frombits(binary.BigEndian.Uint64(b)) })
	case typeComplex, typeRaw:
		v.Class = map[int]string{typeComplex: "complex", typeRaw: "raw"}[in.kind]
		size := map[int]int64{typeComplex: 16, typeRaw: 1}[in.kind]
		_, err = io.CopyN(io.Discard, d.r, size*int64(n))
	default:
		v.Class = map[int]string{typeTexts: "character", typeList: "list", typeExprs: "expression"}[in.kind]
		for i := 0; i < n && err == nil; i++ {
			var one item
			if one, err = d.item(depth + 1); in.kind == typeTexts {
				v.Texts = append(v.Texts, one.text)
			} else {
				v.List = append(v.List, one.value)
			}
		}
	}
	if err == nil && flags&hasAttributes != 0 {
		var a item
		if a, err = d.item(depth + 1); err == nil {
			v.adorn(a.value.List)
		}
	}
	return in, err
}

// adorn takes class and names from attributes.
func (v *Value) adorn(attributes []Value) {
	for _, a := range attributes {
		switch {
		case a.Name == "class" && len(a.Texts) > 0:
			v.Class = a.Texts[0]
		case a.Name == "names" && len(a.Texts) == len(v.List):
			for i, name := range a.Texts {
				v.List[i].Name = name
			}
		}
	}
}

// numbers reads n numbers of size bytes in pieces.
func numbers(r io.Reader, n, size int, of func([]byte) float64) ([]float64, error) {
	buffer := make([]byte, 4096*size)
	return limit.Collect(int64(n), func(piece []float64) (int, error) {
		done := 0
		for done < len(piece) {
			part := buffer[:min(len(buffer), (len(piece)-done)*size)]
			if _, err := io.ReadFull(r, part); err != nil {
				return done, err
			}
			for ; len(part) > 0; part = part[size:] {
				piece[done] = of(part)
				done++
			}
		}
		return done, nil
	})
}

// maxCompact is how many elements a compact sequence may stand for.
const maxCompact = 1 << 27

// compact reads an ALTREP: how a vector is kept, its state, and its attributes.
func (d *decoder) compact(depth int) (in item, err error) {
	var parts [3]item
	for i := range parts {
		if parts[i], err = d.item(depth + 1); err != nil {
			return in, err
		}
	}
	form, state := "", parts[1].value
	if info := parts[0].value.List; len(info) > 0 && len(info[0].Texts) == 1 {
		form = info[0].Texts[0]
	}
	in.kind = typeReal
	switch {
	case (form == "compact_intseq" || form == "compact_realseq") && len(state.Numbers) == 3:
		n, first, step := state.Numbers[0], state.Numbers[1], state.Numbers[2]
		if !(n >= 0 && n <= maxCompact) {
			return in, fmt.Errorf("a sequence of %v elements, want 0 to %d", n, maxCompact)
		}
		if err := limit.Fits(8 * int64(n)); err != nil {
			return in, err
		}
		in.value = Value{Class: map[bool]string{true: "integer", false: "numeric"}[form == "compact_intseq"], Numbers: make([]float64, int(n))}
		for i := range in.value.Numbers {
			in.value.Numbers[i] = first + step*float64(i)
		}
	case form == "deferred_string" && len(state.List) > 0:
		in.value.Class = "character"
		for _, v := range state.List[0].Numbers {
			in.value.Texts = append(in.value.Texts, strconv.FormatFloat(v, 'g', 15, 64))
		}
	case len(form) > 5 && form[:5] == "wrap_" && len(state.List) > 0:
		in.value = state.List[0]
	default:
		return in, fmt.Errorf("a vector in the compact form %q, which is not read; save a copy of it in version 2 (save(..., version = 2))", form)
	}
	in.value.adorn(parts[2].value.List)
	return in, nil
}
