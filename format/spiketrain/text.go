package spiketrain

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"synfire/internal/limit"
)

// ReadText reads plain text, a train a line. More than max bytes are an error;
// max ≤ 0 means DefaultMax.
func ReadText(r io.Reader, max int64) (Recording, error) {
	var rec Recording
	lines := bufio.NewScanner(bounded(r, max))
	lines.Buffer(nil, MaxLine)
	n := 0
	for lines.Scan() {
		n++
		text, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == '\t' || c == ',' || c == '\r' })
		if len(fields) == 0 {
			continue
		}
		t := Train{Line: n}
		for i, f := range fields {
			at, err := parseTime(f)
			if err != nil {
				return rec, fmt.Errorf("spike trains: line %d, spike %d: %w", n, i, err)
			}
			t.Times = append(t.Times, at)
		}
		rec.Trains = append(rec.Trains, t)
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return rec, fmt.Errorf("spike trains: line %d is longer than %d bytes; give one train a line", n+1, MaxLine)
	case err != nil:
		return rec, fmt.Errorf("spike trains: after line %d: %w", n, err)
	case len(rec.Trains) == 0:
		return rec, errors.New("spike trains: the file has no times; want one train a line, its times between blanks")
	}
	return rec, nil
}

// ReadCSV reads CSV with a header that has the columns unit and time; others are
// passed over. Trains come in the order in which their units first appear. More
// than max bytes are an error; max ≤ 0 means DefaultMax.
func ReadCSV(r io.Reader, max int64) (Recording, error) {
	var rec Recording
	rows := csv.NewReader(&shortLines{r: bounded(r, max)})
	rows.ReuseRecord = true
	unit, time, err := header(rows)
	if err != nil {
		return rec, fmt.Errorf("spike trains: %w", err)
	}
	index := map[string]int{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return rec, fmt.Errorf("spike trains: %w", err)
		}
		line, _ := rows.FieldPos(time)
		at, err := parseTime(strings.TrimSpace(row[time]))
		if err != nil {
			return rec, fmt.Errorf("spike trains: line %d: %w", line, err)
		}
		name := strings.TrimSpace(row[unit])
		i, known := index[name]
		if !known {
			i = len(rec.Trains)
			name = strings.Clone(name)
			index[name] = i
			rec.Trains = append(rec.Trains, Train{Unit: name, Line: line})
		}
		rec.Trains[i].Times = append(rec.Trains[i].Times, at)
	}
	if len(rec.Trains) == 0 {
		return rec, errors.New("spike trains: the file has a header and no spikes; want a line for each spike")
	}
	return rec, nil
}

// header finds the columns.
func header(rows *csv.Reader) (unit, time int, err error) {
	names, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return 0, 0, errors.New("the file is empty; want the header unit,time")
	}
	if err != nil {
		return 0, 0, err
	}
	unit, time = -1, -1
	for i, name := range names {
		switch strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))) {
		case "unit":
			unit = i
		case "time":
			time = i
		}
	}
	if unit < 0 || time < 0 {
		return 0, 0, fmt.Errorf("line 1: found the columns %q, want unit and time", shorten(strings.Join(names, ",")))
	}
	return unit, time, nil
}

func bounded(r io.Reader, max int64) io.Reader {
	if max <= 0 {
		max = DefaultMax
	}
	return limit.Reader(r, max)
}

// shortLines fails where a line, which in CSV holds a single spike, does not end.
type shortLines struct {
	r       io.Reader
	line, n int
}

const maxRow = 1 << 16

func (s *shortLines) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	for _, c := range p[:n] {
		if s.n++; c == '\n' {
			s.n = 0
			s.line++
		}
		if s.n > maxRow {
			return 0, fmt.Errorf("line %d is longer than %d bytes; give one spike a line", s.line+1, maxRow)
		}
	}
	return n, err
}
