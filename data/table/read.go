package table

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"synfire/data"
	"synfire/sample"
	"synfire/tensor"
)

// MaxBytes is how many bytes of a file are read: 1 GiB.
const MaxBytes = 1 << 30

// floatBits is the precision of values, to which a text is rounded once.
var floatBits = reflect.TypeFor[tensor.Float]().Bits()

// blockSize is about how many numbers stand in a piece of memory.
const blockSize = 1 << 16

// rows are numbers, row by row, in pieces: growing them copies nothing.
type rows struct {
	width, perBlock, n int
	blocks             [][]tensor.Float
}

func newRows(width int) *rows {
	return &rows{width: width, perBlock: max(1, blockSize/max(1, width))}
}

// add makes room for a row.
func (r *rows) add() []tensor.Float {
	if r.n%r.perBlock == 0 {
		r.blocks = append(r.blocks, nil)
	}
	last := &r.blocks[len(r.blocks)-1]
	if at := len(*last); at+r.width > cap(*last) { // the first block of a small table stays small
		grown := make([]tensor.Float, at, min(r.perBlock*r.width, max(2*at, 16*r.width)))
		copy(grown, *last)
		*last = grown
	}
	r.n++
	*last = (*last)[:len(*last)+r.width]
	return (*last)[len(*last)-r.width:]
}

// row is row i.
func (r *rows) row(i int) []tensor.Float {
	at := i % r.perBlock * r.width
	return r.blocks[i/r.perBlock][at : at+r.width]
}

// column is what a column of the file is for.
type column struct {
	name   string
	role   role
	target int // of columns of targets
}

type role uint8

const (
	feature role = iota
	ignored
	classTarget
	valueTarget  // one number a sample
	seriesTarget // one number a row
	sampleID
	timeOf
)

// content is a file that has been read.
type content struct {
	columns  []column
	features *rows
	lines    []int          // of the first row of each sample
	starts   []int          // of each sample's rows, and their number at the end; nil: a row each
	ids      map[string]int // of samples of a long table
	labels   []names
	numbers  []*rows // of the targets that are values, by target; nil for the others
}

// names are texts that come again and again, each kept once.
type names struct {
	known map[string]int32
	list  []string
	of    []int32 // of each sample
}

func (n *names) add(s string) {
	id, ok := n.known[s]
	if !ok {
		if n.known == nil {
			n.known = map[string]int32{}
		}
		s = strings.Clone(s)
		id = int32(len(n.list))
		n.known[s] = id
		n.list = append(n.list, s)
	}
	n.of = append(n.of, id)
}

// reader reads a file.
type reader struct {
	csv *csv.Reader
	*content
	long bool
	id   string
	time float64 // of the row before
	step float64 // between rows of a sample; 0: not known yet
}

func read(ctx context.Context, in io.Reader, o CSV) (*content, error) {
	r := &reader{csv: csv.NewReader(data.Text(in, MaxBytes)), content: &content{}}
	r.csv.ReuseRecord, r.csv.TrimLeadingSpace = true, true
	if err := r.head(o); err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		record, err := r.csv.Read()
		if err == io.EOF {
			break
		}
		switch {
		case errors.Is(err, csv.ErrFieldCount):
			line, _ := r.csv.FieldPos(0)
			err = fmt.Errorf("line %d has %d fields, the first line names %d columns: fill the line up, or put quotes around a field with a comma", line, len(record), len(r.columns))
		case err == nil:
			err = r.row(record)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(r.lines) == 0 {
		return nil, errors.New("no samples after the line of names")
	}
	if r.long {
		r.starts = append(r.starts, r.features.n)
	}
	return r.content, nil
}

// head reads the names of the columns and finds out what each is for.
func (r *reader) head(o CSV) error {
	head, err := r.csv.Read()
	if err == io.EOF {
		return errors.New("the file is empty; expected the names of the columns in its first line, and a sample a line")
	}
	if err != nil {
		return fmt.Errorf("first line: %w; expected the names of the columns", err)
	}
	if len(head) == 1 && strings.ContainsAny(head[0], ";\t") {
		return fmt.Errorf("the first line %q has no commas; separate columns by commas, and write decimals with a point", sample.Printable(head[0]))
	}
	seen := map[string]int{}
	for i, name := range head {
		trimmed := strings.TrimSpace(name)
		if at, twice := seen[trimmed]; twice {
			return fmt.Errorf("columns %d and %d have the same name %q; rename one of them", at+1, i+1, trimmed)
		}
		seen[trimmed] = i
		r.columns = append(r.columns, column{name: strings.Clone(trimmed)})
	}
	if err := r.roles(o, seen); err != nil {
		return err
	}
	features := 0
	for _, c := range r.columns {
		switch {
		case c.role == feature && c.name == "":
			return errors.New("a column has no name; name it, or leave it out by ignore: [\"\"]")
		case c.role == feature:
			features++
		}
	}
	if features == 0 {
		return errors.New("only columns of targets; expected values beside them, separated by commas")
	}
	r.features = newRows(features)
	return nil
}

// roles says what the columns are for.
func (r *reader) roles(o CSV, seen map[string]int) error {
	set := func(name, option string, to role) error {
		i, ok := seen[strings.TrimSpace(name)]
		if !ok {
			var all []string
			for _, c := range r.columns {
				all = append(all, c.name)
			}
			return fmt.Errorf("no column %q for %s; the first line names %s", name, option, data.Names(all))
		}
		if r.columns[i].role != feature {
			return fmt.Errorf("column %q is named in two options; name it in one", name)
		}
		r.columns[i].role = to
		return nil
	}
	for _, name := range o.Ignore {
		if err := set(name, "ignore", ignored); err != nil {
			return err
		}
	}
	if err := r.layout(o, seen); err != nil {
		return err
	}
	if o.Label != "" {
		if err := set(o.Label, "the labels", classTarget); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Targets)) {
		is := o.Targets[name]
		to := map[Reading]role{AsClass: classTarget, AsValue: valueTarget, AsSeries: seriesTarget}[is]
		if to == seriesTarget && !r.long {
			return fmt.Errorf("target %q is a series, which only tables with columns sample and time have", name)
		}
		if err := set(name, "targets", to); err != nil {
			return err
		}
	}
	first := 0
	if o.Label != "" {
		first = 1 // the labels are the first target, others come in the order of the file
	}
	targets := first
	for i := range r.columns {
		c := &r.columns[i]
		switch {
		case c.role < classTarget || c.role > seriesTarget:
			continue
		case o.Label != "" && c.name == strings.TrimSpace(o.Label):
			c.target = 0
		default:
			c.target = targets
			targets++
		}
	}
	r.labels, r.numbers = make([]names, targets), make([]*rows, targets)
	for _, c := range r.columns {
		if c.role == valueTarget || c.role == seriesTarget {
			r.numbers[c.target] = newRows(1)
		}
	}
	return nil
}

// layout tells long tables from wide ones.
func (r *reader) layout(o CSV, seen map[string]int) error {
	id, hasID := seen["sample"]
	at, hasTime := seen["time"]
	hasID, hasTime = hasID && r.columns[id].role == feature, hasTime && r.columns[at].role == feature
	switch {
	case o.Layout == Wide:
		return nil
	case hasID && hasTime:
		r.long = true
		r.columns[id].role, r.columns[at].role = sampleID, timeOf
	case o.Layout == Long:
		return errors.New("a long table has the columns sample and time; name them so, or say layout: wide")
	case r.almostLong():
		return errors.New("the columns are called sample and time but for capitals; name a long table's so, or say layout: wide where they are values")
	case hasID || hasTime:
		return errors.New("one of the columns sample and time is there without the other: say layout: wide where it is a value, or name it in ignore")
	}
	return nil
}

// almostLong tells columns of values that are sample and time but for capitals.
func (r *reader) almostLong() bool {
	found := map[string]bool{}
	for _, c := range r.columns {
		found[strings.ToLower(c.name)] = found[strings.ToLower(c.name)] || c.role == feature
	}
	return found["sample"] && found["time"]
}

// row takes a line.
func (r *reader) row(record []string) error {
	begins := true
	if r.long {
		var err error
		if begins, err = r.place(record); err != nil {
			return err
		}
	}
	if begins {
		line, _ := r.csv.FieldPos(0)
		if len(r.lines) == math.MaxInt32 {
			return r.fail(0, "more than %d samples", math.MaxInt32)
		}
		r.lines = append(r.lines, line)
	}
	dst, k := r.features.add(), 0
	for i, field := range record {
		c := r.columns[i]
		field = strings.TrimSpace(field)
		switch c.role {
		case feature:
			v, err := r.number(i, field)
			if err != nil {
				return err
			}
			dst[k] = v
			k++
		case classTarget:
			if err := r.label(i, field, begins); err != nil {
				return err
			}
		case valueTarget, seriesTarget:
			if err := r.value(i, field, begins); err != nil {
				return err
			}
		}
	}
	return nil
}

// place finds the sample of a row of a long table, and whether it is its first row.
func (r *reader) place(record []string) (begins bool, err error) {
	var id string
	var time float64
	var at int
	for i, field := range record {
		switch r.columns[i].role {
		case sampleID:
			if id = strings.TrimSpace(field); id == "" {
				return false, r.fail(i, "the sample has no name")
			}
		case timeOf:
			at = i
			if time, err = strconv.ParseFloat(strings.TrimSpace(field), 64); err != nil || math.IsNaN(time) || math.IsInf(time, 0) {
				return false, r.fail(i, "%q is no finite number", field)
			}
		}
	}
	defer func() { r.time = time }()
	if len(r.lines) == 0 || id != r.id {
		if _, again := r.content.seen(id); again {
			return false, r.fail(at, "sample %q goes on here after others; sort the lines by sample and time", id)
		}
		r.id = strings.Clone(id)
		r.starts = append(r.starts, r.features.n)
		return true, nil
	}
	const tolerance = 1e-3
	step := time - r.time
	switch {
	case !(step > 0):
		return false, r.fail(at, "time %v of sample %q does not follow %v; sort the lines by sample and time", time, id, r.time)
	case r.step == 0:
		r.step = step
	case math.Abs(step-r.step) > tolerance*r.step:
		return false, r.fail(at, "time %v of sample %q comes %v after the one before, others %v; steps must be of one length: bring the series onto a regular grid", time, id, step, r.step)
	}
	return false, nil
}

// seen tells whether a sample's name has come before, and keeps it.
func (c *content) seen(id string) (int, bool) {
	if c.ids == nil {
		c.ids = map[string]int{}
	}
	n, ok := c.ids[id]
	if !ok {
		c.ids[strings.Clone(id)] = len(c.ids)
	}
	return n, ok
}

func (r *reader) number(i int, field string) (tensor.Float, error) {
	v, err := strconv.ParseFloat(field, floatBits)
	if errors.Is(err, strconv.ErrRange) {
		return 0, r.fail(i, "%q is no finite number of %d bits, which do not reach so far; scale the column", sample.Printable(field), floatBits)
	}
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, r.fail(i, "%q is no finite number; correct or remove the line", field)
	}
	return tensor.Float(v), nil
}

func (r *reader) label(i int, field string, begins bool) error {
	if field == "" {
		return r.fail(i, "the label is empty; fill it in, or remove the line")
	}
	labels := &r.labels[r.columns[i].target]
	if begins {
		if err := sample.CheckName(field); err != nil {
			return r.fail(i, "%w", err)
		}
		labels.add(field)
		return nil
	}
	if first := labels.list[labels.of[len(labels.of)-1]]; first != field {
		return r.fail(i, "label %q of a sample that began with %q; a sample has one", field, first)
	}
	return nil
}

func (r *reader) value(i int, field string, begins bool) error {
	v, err := r.number(i, field)
	if err != nil {
		return err
	}
	c := r.columns[i]
	kept := r.numbers[c.target]
	if begins || c.role == seriesTarget {
		kept.add()[0] = v
		return nil
	}
	if first := kept.row(kept.n - 1)[0]; first != v {
		return r.fail(i, "value %v of a sample that began with %v; a sample has one: say targets: {%s: series} where it follows time", v, first, c.name)
	}
	return nil
}

// fail names the line and the column.
func (r *reader) fail(i int, format string, args ...any) error {
	line, _ := r.csv.FieldPos(i)
	return fmt.Errorf("line %d, column %s: %w", line, sample.Printable(r.columns[i].name), fmt.Errorf(format, args...))
}

// sameColumns returns an error where two files of one set have other columns.
func sameColumns(a, b *content) error {
	if !slices.Equal(a.columns, b.columns) {
		return errors.New("its columns are not those of the training file; expected the same names in the same order")
	}
	return nil
}
