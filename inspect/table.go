package inspect

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"synfire/data"
	"synfire/data/table"
)

// ofCSV tells a recording, whose first line names unit and time, from other tables.
func ofCSV(path string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	head, err := csv.NewReader(data.Text(f, table.MaxBytes)).Read()
	for i, name := range head {
		head[i] = strings.TrimSpace(name)
	}
	if err != nil || slices.Contains(head, "unit") && slices.Contains(head, "time") {
		return ofTrains(path)
	}
	return ofTable(path)
}

// mostTexts is how many different texts of a column are told apart.
const mostTexts = 1000

// tableColumn is what a column of a table holds: numbers, until a text comes.
type tableColumn struct {
	numbers []float64
	text    string // the first that is no number
	line    int    // where that stands; 0: all are numbers
	texts   map[string]bool
	empty   int
}

func (c *tableColumn) add(field string, line int) {
	if field == "" {
		c.empty++
	}
	if len(c.texts) <= mostTexts {
		c.texts[strings.Clone(field)] = true
	}
	if c.line > 0 {
		return
	}
	v, err := strconv.ParseFloat(field, 64)
	if err != nil {
		c.text, c.line, c.numbers = strings.Clone(field), line, nil
		return
	}
	c.numbers = append(c.numbers, v)
}

// array is the column among a file's arrays: numbers, or how many different texts.
func (c *tableColumn) array(name string, rows int) Array {
	a := Array{Name: name, DType: "number", Shape: []int{rows}, Bytes: 8 * int64(rows), each: func(take func([]float64) error) error { return take(c.numbers) }}
	if c.line > 0 {
		a.DType, a.Bytes = "text", 0
	}
	return a
}

// about is a column's line of the summary, empty where all are numbers.
func (c *tableColumn) about() string {
	if c.line == 0 {
		return ""
	}
	different := strconv.Itoa(len(c.texts))
	if len(c.texts) > mostTexts {
		different = "more than " + strconv.Itoa(mostTexts)
	}
	s := fmt.Sprintf("%s different texts, no number on line %d", different, c.line)
	if c.empty > 0 {
		s += fmt.Sprintf(", %d empty", c.empty)
	}
	return s
}

func ofTable(path string) (File, error) {
	in, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer in.Close()
	r := csv.NewReader(data.Text(in, table.MaxBytes))
	r.ReuseRecord, r.TrimLeadingSpace = true, true
	head, err := r.Read()
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", path, err)
	}
	names := slices.Clone(head)
	columns := make([]tableColumn, len(names))
	for i := range columns {
		columns[i].texts = map[string]bool{}
	}
	rows := 0
	for ; ; rows++ {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return File{}, fmt.Errorf("%s: %w", path, err)
		}
		line, _ := r.FieldPos(0)
		for i, field := range record {
			columns[i].add(field, line)
		}
	}
	f := File{Format: "table", Summary: map[string]string{"rows": strconv.Itoa(rows), "columns": strconv.Itoa(len(names))}}
	if !slices.ContainsFunc(names, func(name string) bool { _, err := strconv.ParseFloat(name, 64); return err != nil }) {
		f.Summary["first line"] = "numbers, which are taken for the names of the columns: put names above them"
	}
	for i := range columns {
		if slices.Contains(names[:i], names[i]) {
			f.Summary["names"] = fmt.Sprintf("%q is the name of several columns", names[i])
		}
		f.Arrays = append(f.Arrays, columns[i].array(names[i], rows))
		if about := columns[i].about(); about != "" {
			f.Summary["column "+names[i]] = about
		}
	}
	return f, nil
}
