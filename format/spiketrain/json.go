package spiketrain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"unicode/utf8"

	"synfire/internal/limit"
)

// ReadJSON reads recordings as JSON; many tells a list of them, even of one, from
// a single object. An object that has "cases" is a list with a heading. Unknown
// fields are passed over. More than max bytes are an error; max ≤ 0 means
// DefaultMax.
func ReadJSON(r io.Reader, max int64) (recordings []Recording, many bool, err error) {
	if max <= 0 {
		max = DefaultMax
	}
	src, err := limit.ReadAll(r, max)
	if err != nil {
		return nil, false, fmt.Errorf("spike trains: %w", err)
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	if at := invalid(src); at >= 0 {
		return nil, false, fmt.Errorf("spike trains: line %d is not UTF-8, as JSON is; convert the file", 1+bytes.Count(src[:at], []byte("\n")))
	}
	d := json.NewDecoder(bytes.NewReader(src))
	for {
		var v document
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, false, fmt.Errorf("spike trains: %w", located(err, src))
		}
		many = many || v.list || len(recordings) > 0
		for _, c := range v.cases {
			r, err := c.recording()
			if err != nil {
				return nil, false, fmt.Errorf("spike trains: %s: %w", c.place(len(recordings)), err)
			}
			recordings = append(recordings, r)
		}
	}
	if len(recordings) == 0 {
		return nil, false, errors.New("spike trains: the file holds no recording; want an object with t_start, t_end and trains, or an array of them")
	}
	return recordings, many, nil
}

// document is an object, an array of objects, or an object with a list of them.
type document struct {
	cases []object
	list  bool
}

type object struct {
	Name     string   `json:"name"`
	Start    *number  `json:"t_start"`
	End      *number  `json:"t_end"`
	Interval []number `json:"interval"`
	Trains   []times  `json:"trains"`
	Units    []string `json:"units"`
}

type times []number

// UnmarshalJSON implements json.Unmarshaler.
func (d *document) UnmarshalJSON(src []byte) error {
	if len(src) > 0 && src[0] == '[' {
		d.list = true
		return json.Unmarshal(src, &d.cases)
	}
	var heading struct {
		Cases []object `json:"cases"`
		object
	}
	if err := json.Unmarshal(src, &heading); err != nil {
		return err
	}
	if d.list = heading.Cases != nil; d.list {
		d.cases = heading.Cases
	} else {
		d.cases = []object{heading.object}
	}
	return nil
}

// number is a float64, NaN for whatever else stands in its place (null, a text),
// so that the error can name that place.
type number float64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(src []byte) error {
	v, err := parseTime(string(src))
	if err != nil {
		v = math.NaN()
	}
	*n = number(v)
	return nil
}

func (n number) check(what string) error {
	if math.IsNaN(float64(n)) {
		return fmt.Errorf("%s is not a finite number; want a time", what)
	}
	return nil
}

func (o object) place(i int) string {
	if o.Name != "" {
		return fmt.Sprintf("recording %d (%q)", i, shorten(o.Name))
	}
	return fmt.Sprintf("recording %d", i)
}

func (o object) recording() (Recording, error) {
	r := Recording{Name: o.Name}
	if o.Trains == nil {
		return r, errors.New("no trains; want a list of lists of times")
	}
	if (o.Start == nil) != (o.End == nil) {
		return r, errors.New("only one of t_start and t_end is given; want both")
	}
	if o.Start != nil {
		r.Window = &[2]float64{float64(*o.Start), float64(*o.End)}
		if err := errors.Join(o.Start.check("t_start"), o.End.check("t_end")); err != nil {
			return r, err
		}
	}
	if o.Interval != nil {
		if len(o.Interval) != 2 {
			return r, fmt.Errorf("interval has %d numbers, want 2", len(o.Interval))
		}
		r.Interval = &[2]float64{float64(o.Interval[0]), float64(o.Interval[1])}
		if err := errors.Join(o.Interval[0].check("interval's start"), o.Interval[1].check("interval's end")); err != nil {
			return r, err
		}
	}
	for i, in := range o.Trains {
		t, err := in.train(i)
		if err != nil {
			return r, err
		}
		r.Trains = append(r.Trains, t)
	}
	return r, o.name(r.Trains)
}

// name gives the trains the names of their units.
func (o object) name(trains []Train) error {
	if o.Units == nil {
		return nil
	}
	if len(o.Units) != len(trains) {
		return fmt.Errorf("%d units are named of %d trains; want a name for each", len(o.Units), len(trains))
	}
	seen := map[string]bool{}
	for i, name := range o.Units {
		if name == "" || seen[name] {
			return fmt.Errorf("unit %d is named %q, which is empty or the name of another; name each once", i, shorten(name))
		}
		seen[name], trains[i].Unit = true, name
	}
	return nil
}

// invalid is where text ceases to be UTF-8, -1 for nowhere.
func invalid(src []byte) int {
	if utf8.Valid(src) {
		return -1
	}
	for at := 0; at < len(src); {
		r, size := utf8.DecodeRune(src[at:])
		if r == utf8.RuneError && size <= 1 {
			return at
		}
		at += size
	}
	return -1
}

func (in times) train(i int) (Train, error) {
	if in == nil {
		return Train{}, fmt.Errorf("train %d is null; want a list of times, [] for none", i)
	}
	t := Train{Times: make([]float64, len(in))}
	for j, v := range in {
		if math.IsNaN(float64(v)) {
			return t, v.check(fmt.Sprintf("train %d, spike %d", i, j))
		}
		t.Times[j] = float64(v)
	}
	return t, nil
}

// located says where JSON broke off.
func located(err error, src []byte) error {
	const want = "want an object with t_start, t_end and trains, or an array of them"
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("found a JSON %s for %q; %s", wrong.Value, wrong.Field, want)
	}
	end := int64(len(src))
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		end = min(max(syntax.Offset, 0), end)
	}
	return fmt.Errorf("not JSON from line %d on: %w; %s", 1+bytes.Count(src[:end], []byte("\n")), err, want)
}
