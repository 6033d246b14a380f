package input

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"synfire/data"
	"synfire/format/npz"
	"synfire/internal/eol"
	"synfire/sample"
	"synfire/tensor"
)

// maxLine is the longest line that is read, in bytes.
const maxLine = 16 << 20

// Lines are samples written as numbers, one a line, separated by commas, semicolons or
// spaces.
type Lines struct{ Reader io.Reader }

// table is the lines of a CSV file. A first line that is no number names the columns.
func table(path string, o Options) iter.Seq[Input] {
	return func(yield func(Input) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(Input{Name: path, Err: err})
			return
		}
		defer f.Close()
		Lines{f}.inputs(path, o)(yield)
	}
}

// inputs yields a sample a line. The only line of standard input has no number behind
// its name: it is asked for by itself.
func (l Lines) inputs(name string, o Options) iter.Seq[Input] {
	return func(yield func(Input) bool) {
		in := bufio.NewScanner(l.Reader)
		in.Buffer(nil, maxLine)
		var t titles
		var rows *long
		read := 0
		for line := 1; in.Scan(); line++ {
			text := in.Bytes()
			if line == 1 {
				text = bytes.TrimPrefix(text, []byte("\ufeff"))
			}
			if err := eol.Check(text, line); err != nil {
				yield(Input{Name: name, Err: err})
				return
			}
			cells := split(text)
			if len(cells) == 0 {
				continue
			}
			if line == 1 && names(cells) {
				var err error
				if t, err = o.titles(cells); err != nil {
					yield(Input{Name: name, Err: err})
					return
				}
				rows = o.long(name, cells)
				continue
			}
			if rows != nil {
				read++
				if !rows.add(line, text, cells, t, yield) {
					return
				}
				continue
			}
			at := fmt.Sprintf("%s:%d", name, line)
			read++
			s, err := o.numbers(text, cells, t)
			if !yield(Input{Name: at, Sample: s, Err: err}) {
				return
			}
		}
		switch err := in.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			yield(Input{Name: name, Err: fmt.Errorf("a line is longer than %d bytes; is it a table, a sample a line?", maxLine)})
		case err != nil:
			yield(Input{Name: name, Err: err})
		case read == 0:
			yield(Input{Name: name, Err: errors.New("there are no lines of numbers; give one for each sample")})
		case rows != nil:
			rows.end(yield)
		}
	}
}

// long puts the lines of a long table together: a step each, of the samples that the column
// sample names, in the order of the column time.
type long struct {
	Options
	name     string // of the table
	id, time int    // columns
	sample   *sample.Sample
	of       string // the sample's name
	at       float64
	err      error
	seen     map[string]bool
}

// long is a long table's reader, nil where a line of names is none of one: a model that
// takes no series, or columns sample and time that are its values.
func (o Options) long(name string, head []string) *long {
	id, time := slices.Index(head, "sample"), slices.Index(head, "time")
	if o.Spec.Steps == 0 || id < 0 || time < 0 || slices.Contains(o.Spec.Columns, "sample") || slices.Contains(o.Spec.Columns, "time") {
		return nil
	}
	return &long{Options: o, name: name, id: id, time: time, seen: map[string]bool{}}
}

// add takes a line, and yields the sample that it ends.
func (l *long) add(line int, text []byte, cells []string, t titles, yield func(Input) bool) bool {
	values, err := l.row(text, cells, t)
	if err == nil && (cells[l.id] != l.of || l.sample == nil) {
		if !l.end(yield) {
			return false
		}
		if l.of = cells[l.id]; l.seen[l.of] {
			err = fmt.Errorf("sample %q goes on here after others; sort the lines by sample and time", sample.Printable(l.of))
		}
		l.sample, l.seen[l.of], l.at = &sample.Sample{}, true, math.Inf(-1)
	}
	at := 0.0
	if err == nil {
		if at, err = strconv.ParseFloat(cells[l.time], 64); err != nil || !(at > l.at) {
			err = fmt.Errorf("time %s of sample %q does not follow %v; sort the lines by sample and time", sample.Printable(cells[l.time]), sample.Printable(l.of), l.at)
		}
	}
	if err != nil && l.err == nil {
		l.err = fmt.Errorf("line %d: %w", line, err)
	}
	if l.sample == nil { // nothing tells which sample the line is of
		l.sample = &sample.Sample{}
	}
	l.sample.X, l.at = append(l.sample.X, values...), at
	return true
}

// row is the values of a line.
func (l *long) row(text []byte, cells []string, t titles) ([]tensor.Float, error) {
	one := l.Options
	one.Spec.Steps = 0 // of one step
	s, err := one.numbers(text, cells, t)
	if err != nil {
		return nil, err
	}
	return s.X, nil
}

// end yields the sample that the lines so far make up, if there is one.
func (l *long) end(yield func(Input) bool) bool {
	s, err := l.sample, l.err
	if s == nil {
		return true
	}
	l.sample, l.err = nil, nil
	if err == nil {
		err = l.fit(s)
	}
	if err != nil {
		s = nil
	}
	return yield(Input{Name: l.name + ":" + sample.Printable(l.of), Sample: s, Err: err})
}

// ColumnError is a cell that is no number; the other lines may have such in its column.
type ColumnError struct {
	Column int // from 1 on
	Cell   string
}

// Error names the column.
func (e *ColumnError) Error() string {
	return fmt.Sprintf("column %d: %q is no finite number; correct it, or leave labels out", e.Column, e.Cell)
}

// Alike is what such cells of a column have in common.
func (e *ColumnError) Alike() string { return fmt.Sprintf("column %d", e.Column) }

// split cuts a line into cells without their quotes.
func split(line []byte) (cells []string) {
	text := strings.TrimSpace(string(line))
	if text == "" {
		return nil
	}
	if at := strings.IndexAny(text, ",;\t"); at >= 0 {
		cells = strings.Split(text, text[at:at+1])
	} else {
		cells = strings.Fields(text)
	}
	for i, c := range cells {
		cells[i] = strings.Trim(strings.TrimSpace(c), `"`)
	}
	return cells
}

// names tells a line of names from one of numbers.
func names(cells []string) bool {
	for _, c := range cells {
		if _, err := strconv.ParseFloat(c, 64); err == nil {
			return false
		}
	}
	return true
}

// titles are what a line of names says: how many columns there are, and in which of them
// the values stand, in the model's order.
type titles struct {
	columns int
	values  []int
}

// titles finds the values by their names where the model knows these, so that the order of
// columns does not matter; else all columns but those of targets are values as they stand.
func (o Options) titles(head []string) (titles, error) {
	t := titles{columns: len(head)}
	want := o.Spec.Columns
	for i, name := range head {
		switch known := slices.Contains(want, name); {
		case !known && o.Spec.Steps > 0 && (name == "sample" || name == "time") && slices.Contains(head, "sample") && slices.Contains(head, "time"):
			// of a long table
		case known && slices.Contains(head[:i], name):
			return t, fmt.Errorf("two columns are named %q; rename one of them", sample.Printable(name))
		case !known && slices.Contains(o.Skip, name):
		case !known && want != nil:
			return t, fmt.Errorf("column %q is none of those that the model was trained on, %s; rename or remove it", sample.Printable(name), data.Names(want))
		default:
			t.values = append(t.values, i)
		}
	}
	for k, name := range want {
		i := slices.Index(head, name)
		if i < 0 {
			return t, fmt.Errorf("no column %q; the model was trained on the columns %s", sample.Printable(name), data.Names(want))
		}
		t.values[k] = i
	}
	return t, nil
}

// numbers is the sample of a line.
func (o Options) numbers(line []byte, cells []string, t titles) (*sample.Sample, error) {
	if o.Spec.Events {
		return nil, fmt.Errorf("it is a line of numbers, and the model takes %v", o.Spec)
	}
	if !utf8.Valid(line) {
		return nil, errors.New("the line is no UTF-8; convert the file")
	}
	if t.columns == 0 {
		t.columns, t.values = len(cells), places(len(cells))
	}
	if t.columns != len(cells) {
		return nil, fmt.Errorf("%d columns, and the first line names %d", len(cells), t.columns)
	}
	s := &sample.Sample{}
	for _, i := range t.values {
		v, err := strconv.ParseFloat(cells[i], 64)
		if why := tensor.Misfit(v); err == nil && why != "" && why != "is not finite" || errors.Is(err, strconv.ErrRange) {
			return nil, fmt.Errorf("column %d: %s does not fit the program's numbers of 32 bits; scale it as those of training", i+1, sample.Printable(cells[i]))
		}
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, &ColumnError{Column: i + 1, Cell: sample.Printable(cells[i])}
		}
		s.X = append(s.X, tensor.Float(v))
	}
	return s, o.fit(s)
}

// places are 0 to n − 1.
func places(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// array yields the samples of an array x.
func array(path string, o Options) iter.Seq[Input] {
	a, err := readArray(path)
	if err != nil {
		return failed(path, err)
	}
	n, err := o.count(a)
	if err != nil {
		return failed(path, err)
	}
	return func(yield func(Input) bool) {
		for i := range max(1, n) {
			name, part := path, a
			if n > 0 { // one of several
				name = fmt.Sprintf("%s:%d", path, i)
				size := len(a.Data) / n
				part = npz.Array{DType: a.DType, Shape: a.Shape[1:], Data: a.Data[i*size : (i+1)*size]}
			}
			s, err := o.values(part)
			if !yield(Input{Name: name, Sample: s, Err: err}) {
				return
			}
		}
	}
}

func readArray(path string) (npz.Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return npz.Array{}, err
	}
	defer f.Close()
	if strings.EqualFold(filepath.Ext(path), ".npy") {
		return npz.ReadNPY(f, npz.DefaultMax)
	}
	st, err := f.Stat()
	if err != nil {
		return npz.Array{}, err
	}
	entries, err := npz.Entries(f, st.Size())
	if err != nil {
		return npz.Array{}, err
	}
	i := slices.IndexFunc(entries, func(e npz.Entry) bool { return e.Name == "x" })
	if i < 0 && len(entries) > 1 {
		return npz.Array{}, errors.New("there are several arrays and none is called x; name the samples x")
	}
	x := entries[max(i, 0)]
	if err := npz.Permitted([]npz.Entry{x}, npz.DefaultMax); err != nil {
		return npz.Array{}, err
	}
	return x.Array()
}

// count is the number of samples along the first axis of an array, 0 where it is one
// sample itself. Axes of one element may be there or not.
func (o Options) count(a npz.Array) (int, error) {
	if o.Spec.Events {
		return 0, fmt.Errorf("it is an array, and the model takes %v", o.Spec)
	}
	want := []int(o.Spec.Shape)
	if o.Spec.Steps > 0 {
		want = append([]int{o.Spec.Steps}, want...)
	}
	want = wide(want)
	timed := func(shape []int) []int { // steps may differ where they are made alike
		if o.Spec.Steps > 0 && (o.Length.Pad > 0 || o.Length.Crop > 0) && len(shape) > 0 {
			return wide(append([]int{o.Spec.Steps}, shape[1:]...))
		}
		return wide(shape)
	}
	switch {
	case slices.Equal(timed(a.Shape), want):
		return 0, nil
	case len(a.Shape) > 0 && a.Shape[0] > 0 && slices.Equal(timed(a.Shape[1:]), want):
		return a.Shape[0], nil
	}
	return 0, fmt.Errorf("an array of the shape %v, and the model takes samples of %v, one or several along the first axis", a.Shape, o.Spec)
}

// wide is a shape without its axes of one element.
func wide(shape []int) []int {
	return slices.DeleteFunc(slices.Clone(shape), func(n int) bool { return n == 1 })
}

// values is the sample that an array is.
func (o Options) values(a npz.Array) (*sample.Sample, error) {
	v, err := a.Float64s()
	if err != nil {
		return nil, err
	}
	scale := o.Scale
	switch {
	case scale == 0 && a.DType == "|u1":
		scale = 255
	case scale == 0:
		scale = 1
	}
	s := &sample.Sample{X: make([]tensor.Float, len(v))}
	for i, x := range v {
		s.X[i] = tensor.Float(x) / tensor.Float(scale)
		why := tensor.Misfit(x)
		if why == "" {
			why = tensor.Misfit(float64(s.X[i]))
		}
		if why != "" {
			return nil, fmt.Errorf("value %d is %v, which %s; fill it in, or scale it as those of training", i, x, why)
		}
	}
	return s, o.fit(s)
}
