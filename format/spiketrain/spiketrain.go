// Package spiketrain reads recordings of spike trains from text.
//
// Three forms are known. JSON has one object a recording,
//
//	{"name": "trial 1", "t_start": 0, "t_end": 10, "trains": [[1, 2.5], []]}
//
// optionally with "interval": [a, b], a piece of the window to measure, and "units":
// ["a", "b"], the trains' names; a file holds one object, several after one another, or
// an array of them. Plain text has one train a line, its times between blanks or
// commas; what follows a # is a comment, and lines that hold a comment alone are passed
// over. An empty line before the last train is a silent unit. CSV has a header that
// names the columns unit, time and, if there are trials, trial, and one spike a line in
// any order.
//
// Silent units leave no trace in a list of spikes: Recording.WithUnits says which units
// were observed, and Notes tell where some seem to be missing. Reading gives plain
// numbers; Recording.Build makes trains of them, mends them where told to, and says
// which train or line is not as it should be. What is read is bounded in size, and a
// byte order mark is passed over.
package spiketrain

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"synfire/spike"
)

// DefaultMax is the most bytes that are read unless told otherwise: 128 MiB.
const DefaultMax = 1 << 27

// MaxLine is the longest line of text, in bytes: 16 MiB.
const MaxLine = 1 << 24

// MaxTrains is the most trains of a recording: 4 million.
const MaxTrains = 1 << 22

// Recording is trains as they stand in a file.
type Recording struct {
	Name     string
	Window   *[2]float64 // nil where the file has none
	Interval *[2]float64 // the piece to measure; nil for all
	Trains   []Train
	Trials   []string // that the trains are of (Trial); none where there are none
	Notes    []Note
}

// Train is the times of one unit.
type Train struct {
	Unit  string // "" where units have no names
	Trial string // one of the recording's
	Line  int    // of its first spike, from 1 on; 0 where lines do not matter
	Times []float64
}

// Options say what to make of a recording.
type Options struct {
	Window *[2]float64 // in place of the recording's own
	Sort   bool        // put times in order and merge equal ones
	Clip   bool        // drop spikes outside the window
	// Repeats keeps several spikes of a unit at one time: sorting does not merge them. Their
	// trains pass spike.Check, and Validate only where there are none.
	Repeats bool
}

// Mended counts what Build changed.
type Mended struct {
	Unsorted int // trains that were not in order
	Merged   int // spikes at the time of another
	Dropped  int // spikes outside the window
}

// Build is the recording's trains, each of which passes spike.Train.Validate, but for
// repeats that are asked for.
func (r Recording) Build(o Options) ([]spike.Train, Mended, error) {
	var m Mended
	window := o.Window
	if window == nil {
		window = r.Window
	}
	if len(r.Trials) > 1 {
		_, err := r.Trial("")
		return nil, m, err
	}
	if window == nil {
		return nil, m, r.fail("the file does not say when it begins and ends; give the window of observation, such as %s for these times", r.windowHint())
	}
	if len(r.Trains) == 0 {
		return nil, m, r.fail("there are no trains; want at least one")
	}
	trains := make([]spike.Train, len(r.Trains))
	for i, in := range r.Trains {
		t := spike.Train{Times: in.Times, Start: window[0], Stop: window[1]}.OnEdges()
		if o.Sort {
			sorted := o.sort(t)
			m.Merged += len(t.Times) - len(sorted.Times)
			if !ascending(t.Times) {
				m.Unsorted++
			}
			t = sorted
		}
		if o.Clip {
			dropped := 0
			t, dropped = t.Clip(window[0], window[1])
			m.Dropped += dropped
		}
		if err := o.validate(t); err != nil {
			if slices.ContainsFunc(t.Times, func(x float64) bool { return x < t.Start || x > t.Stop }) {
				err = fmt.Errorf("%w (%s holds all)", err, r.windowHint())
			}
			return nil, m, r.fail("%s: %w", in.place(i), err)
		}
		trains[i] = t
	}
	return trains, m, nil
}

func (o Options) sort(t spike.Train) spike.Train {
	if !o.Repeats {
		return t.Sort()
	}
	t.Times = slices.Clone(t.Times)
	slices.Sort(t.Times)
	return t
}

func (o Options) validate(t spike.Train) error {
	if o.Repeats {
		return t.ValidateRepeats()
	}
	return t.Validate()
}

// windowHint is the option with a window of round numbers that holds all times, as one types it.
func (r Recording) windowHint() string {
	first, last := 0.0, 0.0
	for _, t := range r.Trains {
		for _, x := range t.Times {
			first, last = min(first, x), max(last, x)
		}
	}
	if last == first {
		last = 1
	}
	sign := " "
	if first < 0 {
		sign = "=" // a word that begins with a dash would be another option
	}
	return fmt.Sprintf("--window%s%v,%v", sign, 0-roundUp(-first), roundUp(last))
}

// roundUp is the first of 1, 2, 5, 10, 20, … that is not below v, 0 for 0.
func roundUp(v float64) float64 {
	if v <= 0 {
		return 0
	}
	exponent := int(math.Floor(math.Log10(v))) - 1
	for ; ; exponent++ {
		for _, digit := range []string{"1", "2", "5"} {
			round, err := strconv.ParseFloat(fmt.Sprintf("%se%d", digit, exponent), 64)
			if err != nil { // above all numbers
				return v
			}
			if round >= v {
				return round
			}
		}
	}
}

func (r Recording) fail(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if r.Name != "" {
		return fmt.Errorf("spike trains %q: %w", r.Name, err)
	}
	return fmt.Errorf("spike trains: %w", err)
}

// place names the train at an index for a person with the file at hand.
func (t Train) place(i int) string {
	s := fmt.Sprintf("train %d", i)
	if t.Unit != "" {
		s += fmt.Sprintf(" (unit %q)", t.Unit)
	}
	if t.Line > 0 {
		s += fmt.Sprintf(", which begins on line %d", t.Line)
	}
	return s
}

func ascending(times []float64) bool {
	for i := 1; i < len(times); i++ {
		if times[i] < times[i-1] {
			return false
		}
	}
	return true
}

// parseTime is a finite number.
func parseTime(s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("found %q, want a finite time", shorten(strings.Clone(s)))
	}
	return v, nil
}

// shorten keeps a message readable.
func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
