package matrices

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"synfire/distance"
	"synfire/format/npz"
	"synfire/internal/limit"
	"synfire/internal/suggest"
	"synfire/sample"
)

// items are named, with the distances between them.
type items struct {
	names  []string
	d      [][]float64
	metric string // "" where it is not known
}

// maxText bounds CSV and JSON: 4,000 items or so.
const maxText = 1 << 28

// read reads the matrix, without the items that are to be left out, as distances.
func (c *Matrix) read() (in items, err error) {
	path, array := c.File, ""
	if i := strings.LastIndex(strings.ToLower(path), ".npz:"); i >= 0 {
		path, array = path[:i+4], path[i+5:]
	}
	switch ext := strings.ToLower(filepath.Ext(path)); {
	case path == "-":
		in, err = readText(os.Stdin)
	case ext == ".npz":
		in, err = readNPZ(path, array)
	case ext == ".npy":
		in, err = readNPY(path)
	default:
		var f *os.File
		if f, err = os.Open(path); err == nil {
			defer f.Close()
			in, err = readText(f)
		}
	}
	if err == nil {
		in, err = in.without(c.Without)
	}
	if err == nil {
		err = in.distances(c.Similarity)
	}
	return in, err
}

// readText reads JSON or CSV, by how it begins.
func readText(r io.Reader) (items, error) {
	b := bufio.NewReader(limit.Reader(r, maxText))
	head, err := b.Peek(1)
	if err != nil {
		return items{}, fmt.Errorf("no matrix: %w", err)
	}
	if head[0] == '{' {
		return readJSON(b)
	}
	return readCSV(b)
}

// readJSON reads what distance prints.
func readJSON(r io.Reader) (items, error) {
	var in struct {
		Metric string       `json:"metric"`
		Units  []string     `json:"units"`
		Matrix [][]*float64 `json:"matrix"`
	}
	d := json.NewDecoder(r)
	if err := d.Decode(&in); err != nil {
		return items{}, fmt.Errorf("JSON: %w; want what distance --matrix --json prints", err)
	}
	if in.Matrix == nil {
		return items{}, errors.New(`JSON without "matrix": add --matrix to distance`)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return items{}, errors.New("JSON of several recordings; give one")
	}
	out := items{names: in.Units, metric: in.Metric}
	for _, row := range in.Matrix {
		values := make([]float64, len(row))
		for j, v := range row {
			if values[j] = math.NaN(); v != nil {
				values[j] = *v
			}
		}
		out.d = append(out.d, values)
	}
	return out, nil
}

// readCSV reads a head with the names of the items, and a line for each with its name first.
// An empty entry is undefined.
func readCSV(r io.Reader) (in items, err error) {
	rows := csv.NewReader(r)
	rows.ReuseRecord = true
	head, err := rows.Read()
	if err != nil {
		return in, fmt.Errorf("CSV: %w; want a head of names, and a line for each item", err)
	}
	in.names = slices.Clone(head[1:])
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return in, nil
		}
		if err != nil {
			return in, fmt.Errorf("CSV: %w", err)
		}
		line, _ := rows.FieldPos(0)
		if i := len(in.d); i == len(in.names) || row[0] != in.names[i] {
			return in, fmt.Errorf("CSV: line %d is of item %q, want the items of the head in their order; is this a matrix that distance --save wrote?", line, sample.Printable(row[0]))
		}
		values := make([]float64, len(row)-1)
		for j, text := range row[1:] {
			if values[j] = math.NaN(); text != "" {
				if values[j], err = strconv.ParseFloat(text, 64); err != nil {
					return in, fmt.Errorf("CSV: line %d: %q: want a number, or nothing where it is undefined", line, sample.Printable(text))
				}
			}
		}
		in.d = append(in.d, values)
	}
}

// readNPZ reads an array of an archive, matrix or values if none is named, with names.
func readNPZ(path, array string) (in items, err error) {
	arrays, err := npz.ReadFile(path, npz.DefaultMax)
	if err != nil {
		return in, err
	}
	var square []string
	for name, a := range arrays {
		if len(a.Shape) == 2 && a.Shape[0] == a.Shape[1] {
			square = append(square, name)
		}
	}
	slices.Sort(square)
	for _, usual := range []string{"values", "matrix"} {
		if array == "" && slices.Contains(square, usual) {
			array = usual
		}
	}
	if array == "" && len(square) == 1 {
		array = square[0]
	}
	a, ok := arrays[array]
	if !ok {
		return in, fmt.Errorf("no array %q; square ones are %q: name one as FILE.npz:ARRAY", array, square)
	}
	if n, ok := arrays["names"]; ok {
		if in.names, err = n.Strings(); err != nil {
			return in, fmt.Errorf("array names: %w", err)
		}
	}
	in.d, err = square2(a)
	return in, err
}

func readNPY(path string) (in items, err error) {
	f, err := os.Open(path)
	if err != nil {
		return in, err
	}
	defer f.Close()
	a, err := npz.ReadNPY(bufio.NewReader(f), npz.DefaultMax)
	if err == nil {
		in.d, err = square2(a)
	}
	return in, err
}

// square2 is the rows of an array.
func square2(a npz.Array) (rows [][]float64, err error) {
	if len(a.Shape) != 2 {
		return nil, fmt.Errorf("an array of shape %v, want a matrix [n, n]", a.Shape)
	}
	v, err := a.Float64s()
	if err != nil {
		return nil, err
	}
	for i := range a.Shape[0] {
		rows = append(rows, v[i*a.Shape[1]:][:a.Shape[1]])
	}
	return rows, nil
}

// without leaves items out.
func (in items) without(names []string) (items, error) {
	n := len(in.d)
	if in.names == nil {
		for i := range n {
			in.names = append(in.names, strconv.Itoa(i))
		}
	}
	if len(in.names) != n {
		return in, fmt.Errorf("%d rows and %d names, want as many", n, len(in.names))
	}
	for i, row := range in.d {
		if len(row) != n {
			return in, fmt.Errorf("row %d (%s) has %d entries, want %d as there are rows", i, sample.Printable(in.names[i]), len(row), n)
		}
	}
	for _, name := range names {
		i := slices.Index(in.names, name)
		if i < 0 {
			return in, fmt.Errorf("--without: no item %q: %s", sample.Printable(name), suggest.Names("items", name, in.names))
		}
		if slices.Contains(in.names[i+1:], name) {
			return in, fmt.Errorf("--without: several items are called %q; give each a name of its own", sample.Printable(name))
		}
		in.names, in.d = slices.Delete(in.names, i, i+1), slices.Delete(in.d, i, i+1)
		for k := range in.d {
			in.d[k] = slices.Delete(in.d[k], i, i+1)
		}
	}
	if len(in.d) < 2 {
		return in, fmt.Errorf("%d items, want two or more", len(in.d))
	}
	return in, nil
}

// distances checks that the values are distances, and makes them so where they are
// similarities. The diagonal tells them apart where the file does not: an item is 0 from
// itself, and has a similarity of 1 with itself, but for rounding.
func (in *items) distances(similarity bool) error {
	if m, err := distance.Lookup(in.metric); err == nil {
		if m.Kind == distance.Lead {
			return fmt.Errorf("%s tells who leads, which is no distance; use another metric", in.metric)
		}
		similarity = similarity || m.Kind == distance.Similarity
	}
	undefined, where := 0, ""
	for i, row := range in.d {
		if err := in.self(i, similarity); err != nil {
			return err
		}
		for j := range row[:i] {
			a, b := row[j], in.d[j][i]
			switch {
			case math.IsNaN(a) || math.IsNaN(b) || math.IsInf(a, 0) || math.IsInf(b, 0):
				if undefined++; where == "" {
					where = in.pair(j, i)
				}
			case math.Abs(a-b) > 1e-9*max(math.Abs(a), math.Abs(b)):
				return fmt.Errorf("%s are %v apart one way and %v the other; want a symmetric matrix", in.pair(j, i), b, a)
			case similarity && a > 1:
				return fmt.Errorf("%s have a similarity of %v, want at most 1", in.pair(j, i), a)
			case !similarity && a < 0:
				return fmt.Errorf("%s are %v apart, want no negative distance", in.pair(j, i), a)
			}
			d := (a + b) / 2
			if similarity {
				d = 1 - d
			}
			row[j], in.d[j][i] = d, d
		}
		row[i] = 0
	}
	if undefined > 0 {
		return fmt.Errorf("%d of %d distances are undefined, the first that of %s; leave items out by --without, or define them", undefined, len(in.d)*(len(in.d)-1)/2, where)
	}
	return nil
}

// self returns an error unless an item is where it should be of itself. One that is undefined
// there, as a silent unit's similarity, has undefined distances to others too, or fine ones.
func (in items) self(i int, similarity bool) error {
	own, most := in.d[i][i], 0.0
	for _, v := range in.d[i] {
		most = max(most, math.Abs(v))
	}
	switch name := sample.Printable(in.names[i]); {
	case similarity && math.Abs(own-1) > 1e-9:
		return fmt.Errorf("%s has a similarity of %v with itself, want 1; are these distances? Leave out --similarity", name, own)
	case !similarity && math.Abs(own) > 1e-6*most:
		return fmt.Errorf("%s is %v from itself, want 0; of similarities up to 1, as those of sync, say --similarity", name, own)
	}
	return nil
}

func (in items) pair(i, j int) string {
	return fmt.Sprintf("%s and %s", sample.Printable(in.names[i]), sample.Printable(in.names[j]))
}

// classes are the labels of the items as numbers in the order of their first items, with
// their names; nil without labels.
func (c *Matrix) classes(in items) (labels []int, names []string, err error) {
	var texts []string
	switch {
	case c.Split != "":
		for _, name := range in.names {
			before, _, found := strings.Cut(name, c.Split)
			if !found || before == "" {
				return nil, nil, fmt.Errorf("--split %q: the name %q has nothing before it", c.Split, sample.Printable(name))
			}
			texts = append(texts, before)
		}
	case c.Labels == "":
		return nil, nil, nil
	default:
		if texts, err = labelsOf(c.Labels, in.names); err != nil {
			return nil, nil, fmt.Errorf("--labels: %w", err)
		}
	}
	labels, names = numbered(texts)
	return labels, names, nil
}

func numbered(texts []string) (numbers []int, names []string) {
	for _, text := range texts {
		k := slices.Index(names, text)
		if k < 0 {
			k, names = len(names), append(names, text)
		}
		numbers = append(numbers, k)
	}
	return numbers, names
}

// maxLabels bounds a file of labels.
const maxLabels = 1 << 26

// labelsOf is the labels of named items: a list, a file of lines, or a column of a table.
func labelsOf(source string, names []string) ([]string, error) {
	if path, column, ok := strings.Cut(source, ".csv:"); ok {
		return labelsOfTable(path+".csv", column, names)
	}
	list := strings.Split(source, ",")
	if len(list) == 1 {
		text, err := limit.ReadPath(source, maxLabels)
		if err != nil {
			return nil, err
		}
		list = strings.Split(strings.TrimRight(string(text), "\r\n"), "\n")
	}
	for i := range list {
		if list[i] = strings.TrimSpace(list[i]); list[i] == "" {
			return nil, fmt.Errorf("label %d is empty; want one for each item", i+1)
		}
	}
	if len(list) != len(names) {
		return nil, fmt.Errorf("%d labels of %d items; want one for each, in their order (a table as FILE.csv:COLUMN goes by names)", len(list), len(names))
	}
	return list, nil
}

// labelsOfTable goes by the names in the table's first column; it may have more.
func labelsOfTable(path, column string, names []string) ([]string, error) {
	text, err := limit.ReadPath(path, maxLabels)
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: the table is empty; want a head and a line for each item", path)
	}
	at := slices.Index(rows[0], column)
	if at < 1 {
		return nil, fmt.Errorf("%s has no column %q beside the names: %s", path, sample.Printable(column), suggest.Names("columns", column, rows[0][1:]))
	}
	of := map[string]string{}
	for i, row := range rows[1:] {
		if before, twice := of[row[0]]; twice && before != row[at] {
			return nil, fmt.Errorf("%s: line %d: item %q has the label %q, and %q before", path, i+2, sample.Printable(row[0]), sample.Printable(row[at]), sample.Printable(before))
		}
		of[row[0]] = row[at]
	}
	out := make([]string, len(names))
	for i, name := range names {
		if out[i] = of[name]; out[i] == "" {
			return nil, fmt.Errorf("%s has no label for item %q; leave it out by --without, or fill the table", path, sample.Printable(name))
		}
	}
	return out, nil
}

func writeCSV(w io.Writer, rows [][]string) error { return csv.NewWriter(w).WriteAll(rows) }

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
