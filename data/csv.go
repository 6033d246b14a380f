package data

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"synfire/format/npz"
	"synfire/internal/limit"
)

// maxCSV is how many bytes of a CSV file are read.
const maxCSV = 1 << 30

// ReadCSV reads a table, a sample a line, as the arrays that [FromArrays] takes: x, N×D
// 32-bit numbers, from all columns but one, and y, N labels, from the column named label.
// The first line names the columns. Labels are numbers where all are whole and at least
// 0, else names. An error tells the line and the column.
func ReadCSV(r io.Reader, label string) (map[string]npz.Array, error) {
	in := csv.NewReader(limit.Reader(r, maxCSV))
	in.ReuseRecord, in.TrimLeadingSpace = true, true
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("data: csv: first line: %w; expected the names of the columns", err)
	}
	head = slices.Clone(head)
	head[0] = strings.TrimPrefix(head[0], "\ufeff") // some programs begin files with it
	at := slices.Index(head, label)
	if at < 0 {
		return nil, fmt.Errorf("data: csv: no column %q for the labels; the first line names %s", label, strings.Join(head, ", "))
	}
	if len(head) < 2 {
		return nil, errors.New("data: csv: only one column; expected values beside the labels, separated by commas")
	}
	var values []float32
	var labels []string
	for {
		record, err := in.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("data: csv: %w", err)
		}
		for i, field := range record {
			if i == at {
				labels = append(labels, strings.TrimSpace(field))
				continue
			}
			v, err := strconv.ParseFloat(strings.TrimSpace(field), 32)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				line, _ := in.FieldPos(i)
				return nil, fmt.Errorf("data: csv: line %d, column %s: %q is no finite number; correct or remove the line", line, head[i], field)
			}
			values = append(values, float32(v))
		}
	}
	if len(labels) == 0 {
		return nil, errors.New("data: csv: no samples after the line of names")
	}
	return map[string]npz.Array{"x": npz.F32(values, len(labels), len(head)-1), "y": labelArray(labels)}, nil
}

// labelArray is labels as numbers, or as names where one is no number.
func labelArray(labels []string) npz.Array {
	numbers := make([]int64, len(labels))
	for i, l := range labels {
		n, err := strconv.ParseUint(l, 10, 32)
		if err != nil {
			return npz.Text(labels, len(labels))
		}
		numbers[i] = int64(n)
	}
	return npz.I64(numbers, len(numbers))
}
