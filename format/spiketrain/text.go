package spiketrain

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"synfire/internal/eol"
	"synfire/internal/limit"
)

// ReadText reads plain text, a train a line, and an empty line before the last train
// as a silent unit. More than max bytes are an error; max ≤ 0 means DefaultMax.
func ReadText(r io.Reader, max int64) (Recording, error) {
	var rec Recording
	var memory limit.Meter
	lines := bufio.NewScanner(bounded(r, max))
	lines.Buffer(nil, MaxLine)
	n := 0
	var silent, empty []Train // since the last train, before it
	for lines.Scan() {
		n++
		if err := eol.Check(lines.Bytes(), n); err != nil {
			return rec, fmt.Errorf("spike trains: %w", err)
		}
		text, _, comment := bytes.Cut(lines.Bytes(), []byte("#"))
		t, err := trainOf(text, n)
		if err != nil {
			return rec, err
		}
		if t.Times == nil {
			if !comment {
				silent = append(silent, t)
			}
			continue
		}
		rec.Trains, empty, silent = append(rec.Trains, silent...), append(empty, silent...), nil
		rec.Trains = append(rec.Trains, t)
		if len(rec.Trains) > MaxTrains {
			return rec, tooManyTrains()
		}
		if err := memory.Take(8 * int64(len(t.Times))); err != nil {
			return rec, fmt.Errorf("spike trains: after line %d: %w", n, err)
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return rec, fmt.Errorf("spike trains: line %d is longer than %d bytes; give one train a line", n+1, MaxLine)
	case err != nil:
		return rec, fmt.Errorf("spike trains: after line %d: %w", n, err)
	case len(rec.Trains) == 0:
		return rec, fmt.Errorf("spike trains: %w: the file has no times; want one train a line, its times between blanks", ErrSilent)
	}
	if len(empty) > 0 {
		rec.note(false, "empty lines are silent units: line %s", list(linesOf(empty)))
	}
	if len(silent) > 0 {
		rec.note(true, "%d empty lines after the last train are not units; if they are, say how many units there are (--units %d)", len(silent), len(rec.Trains)+len(silent))
	}
	return rec, nil
}

// trainOf is the train of a line, with times nil where there are none.
func trainOf(text []byte, line int) (Train, error) {
	t := Train{Line: line}
	n := 0
	for range bytes.FieldsFuncSeq(text, between) {
		n++
	}
	if n == 0 {
		return t, nil
	}
	t.Times = make([]float64, 0, n)
	for field := range bytes.FieldsFuncSeq(text, between) {
		at, err := parseTime(string(field))
		if err != nil {
			return t, fmt.Errorf("spike trains: line %d, spike %d: %w", line, len(t.Times), err)
		}
		t.Times = append(t.Times, at)
	}
	return t, nil
}

func between(c rune) bool { return c == ' ' || c == '\t' || c == ',' || c == '\r' }

func tooManyTrains() error {
	return fmt.Errorf("spike trains: more than %d trains; part the recording", MaxTrains)
}

func linesOf(trains []Train) (lines []string) {
	for _, t := range trains {
		lines = append(lines, strconv.Itoa(t.Line))
	}
	return lines
}

// columns are those that a CSV file may have.
var columns = []string{"unit", "time", "trial"}

// ReadCSV reads CSV with a header that has the columns unit, time and perhaps trial, in
// any order; others are an error. Trains come in the order in which their units first
// appear, one for each trial (Recording.Trial). More than max bytes are an error;
// max ≤ 0 means DefaultMax.
func ReadCSV(r io.Reader, max int64) (Recording, error) {
	var rec Recording
	rows := csv.NewReader(&shortLines{r: bounded(r, max)})
	rows.ReuseRecord = true
	at, head, err := header(rows)
	if err != nil {
		return rec, fmt.Errorf("spike trains: %w", err)
	}
	var spikes Spikes
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, csv.ErrFieldCount) {
			line, _ := rows.FieldPos(0)
			err = fmt.Errorf("line %d: wrong number of fields: %d, expected the %d of the header %q; fill the line up, or remove what is too much", line, len(row), len(at), shorten(head))
		}
		if err != nil {
			return rec, fmt.Errorf("spike trains: %w", err)
		}
		line, _ := rows.FieldPos(at["time"])
		time, err := parseTime(strings.TrimSpace(row[at["time"]]))
		if err != nil {
			return rec, fmt.Errorf("spike trains: line %d: %w", line, err)
		}
		names := [2]string{strings.TrimSpace(row[at["unit"]])}
		if column, ok := at["trial"]; ok {
			names[1] = strings.TrimSpace(row[column])
		}
		for i, column := range []string{"unit", "trial"} {
			if _, ok := at[column]; ok && (names[i] == "" || !utf8.ValidString(names[i])) {
				return rec, fmt.Errorf("spike trains: line %d: the %s is %q; want a name in UTF-8", line, column, shorten(names[i]))
			}
		}
		if err := spikes.Add(names[0], names[1], line, time); err != nil {
			return rec, err
		}
	}
	if spikes.rec.Trains == nil {
		return rec, fmt.Errorf("spike trains: %w: the file has a header and no spikes; want a line for each spike", ErrSilent)
	}
	return spikes.Recording()
}

// Spikes makes a recording of a list of spikes.
type Spikes struct {
	rec    Recording
	times  [][][]float64 // of each train, in blocks: growing them copies nothing
	trains map[[2]string]int
	trials map[string]bool
	memory limit.Meter
}

// blockSize is how many times a block holds at most.
const blockSize = 1 << 12

// Add adds the spike of a unit in a trial, "" where there are no trials, from a line.
// It fails where there are more than MaxTrains, or the machine has no memory left.
func (s *Spikes) Add(unit, trial string, line int, time float64) error {
	if s.trains == nil {
		s.trains, s.trials = map[[2]string]int{}, map[string]bool{}
	}
	i, known := s.trains[[2]string{unit, trial}]
	if !known {
		if len(s.rec.Trains) == MaxTrains {
			return tooManyTrains()
		}
		unit, trial = strings.Clone(unit), strings.Clone(trial)
		i = len(s.rec.Trains)
		s.trains[[2]string{unit, trial}] = i
		s.rec.Trains = append(s.rec.Trains, Train{Unit: unit, Trial: trial, Line: line})
		s.times = append(s.times, nil)
		if trial != "" && !s.trials[trial] {
			s.trials[trial] = true
			s.rec.Trials = append(s.rec.Trials, trial)
		}
	}
	blocks := s.times[i]
	last := len(blocks) - 1
	if last < 0 || len(blocks[last]) == cap(blocks[last]) {
		size := 1
		if last >= 0 {
			size = min(2*cap(blocks[last]), blockSize)
		}
		blocks = append(blocks, make([]float64, 0, size))
		last++
	}
	blocks[last] = append(blocks[last], time)
	s.times[i] = blocks
	return s.memory.Take(8)
}

// Recording is what was added, with a note on numbers that units lack. Two ways to write
// one number, as 1 and 01, are an error. Nothing can be added afterwards.
func (s *Spikes) Recording() (Recording, error) {
	for i := range s.times {
		s.rec.Trains[i].Times = slices.Concat(s.times[i]...)
		s.times[i] = nil
	}
	s.rec.gaps()
	return s.rec, s.rec.twice()
}

// header finds the columns; text is the line.
func header(rows *csv.Reader) (at map[string]int, text string, err error) {
	names, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, "", errors.New("the file is empty; want the header unit,time")
	}
	if err != nil {
		return nil, "", err
	}
	text = strings.Join(names, ",")
	at = map[string]int{}
	var unknown []string
	for i, name := range names {
		column := strings.ToLower(strings.TrimSpace(name))
		_, twice := at[column]
		switch {
		case twice:
			return nil, text, fmt.Errorf("line 1: two columns are called %q; remove one", shorten(name))
		case !slices.Contains(columns, column):
			unknown = append(unknown, strconv.Quote(shorten(strings.TrimSpace(name))))
		}
		at[column] = i
	}
	_, unit := at["unit"]
	_, time := at["time"]
	switch {
	case !unit || !time:
		return nil, text, fmt.Errorf("line 1: found the columns %q, want unit and time, and trial if there are trials", shorten(text))
	case unknown != nil:
		return nil, text, fmt.Errorf("line 1: the columns %s are not known; want unit, time and trial: rename or remove the others", list(unknown))
	}
	return at, text, nil
}

func bounded(r io.Reader, max int64) io.Reader {
	if max <= 0 {
		max = DefaultMax
	}
	return unmarked(limit.Reader(r, max))
}

// unmarked passes over a byte order mark, which some editors put before text.
func unmarked(r io.Reader) io.Reader {
	b := bufio.NewReader(r)
	if head, _ := b.Peek(3); string(head) == "\ufeff" {
		b.Discard(3)
	}
	return b
}

// shortLines fails where a line, which in CSV holds a single spike, does not end, or ends
// in a carriage return alone.
type shortLines struct {
	r       io.Reader
	line, n int
	last    byte
}

const maxRow = 1 << 16

func (s *shortLines) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	for _, c := range p[:n] {
		if s.last == '\r' && c != '\n' && c != '\r' {
			return 0, eol.Check([]byte{'\r', c}, s.line+1)
		}
		s.last = c
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
