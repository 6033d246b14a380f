package spiketrain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"synfire/internal/limit"
)

// ReadJSON reads recordings as JSON; many tells a list of them, even of one, from
// a single object. An object that has "cases" is a list with a heading. Unknown
// fields are passed over. More than max bytes are an error; max ≤ 0 means
// DefaultMax. Beside what it returns it holds the text of one train.
func ReadJSON(r io.Reader, max int64) (recordings []Recording, many bool, err error) {
	in := &textReader{r: bounded(r, max)}
	p := parser{Decoder: json.NewDecoder(in), in: in}
	for err == nil {
		err = p.document()
	}
	switch {
	case !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, false, fmt.Errorf("spike trains: %w", p.located(err))
	case len(p.list) == 0:
		return nil, false, errors.New("spike trains: the file holds no recording; want an object with t_start, t_end and trains, or an array of them")
	}
	return p.list, p.many, nil
}

// parser reads one object, array of objects, or object with a list of them after
// another.
type parser struct {
	*json.Decoder
	in        *textReader
	list      []Recording
	many      bool
	documents int
	trains    int
	memory    limit.Meter
}

type object struct {
	Name     string
	Start    *number
	End      *number
	Interval []number
	Trains   []times
	Units    []string
}

// document reads a value; io.EOF is the end of the file.
func (p *parser) document() error {
	token, err := p.Token()
	if err != nil {
		return err
	}
	p.documents++
	switch token {
	case json.Delim('['):
		p.many = true
		return p.within(p.objects())
	case json.Delim('{'):
		o, cases, err := p.object()
		if err == nil && !cases {
			err = p.add(o)
		}
		p.many = p.many || cases || p.documents > 1
		return p.within(err)
	}
	return wrongKind(token, "")
}

// within is an error inside a value, where the file must not end.
func (p *parser) within(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// objects reads what follows [.
func (p *parser) objects() error {
	for p.More() {
		token, err := p.Token()
		if err != nil {
			return err
		}
		if token != json.Delim('{') {
			return wrongKind(token, "")
		}
		o, _, err := p.object()
		if err == nil {
			err = p.add(o)
		}
		if err != nil {
			return err
		}
	}
	_, err := p.Token()
	return err
}

// fields are what is read of an object.
var fields = []string{"name", "t_start", "t_end", "interval", "units", "trains", "cases"}

// object reads what follows {, and says whether it is a list of cases with a heading.
func (p *parser) object() (o object, cases bool, err error) {
	seen := map[string]bool{}
	for p.More() {
		key, err := p.Token()
		if err != nil {
			return o, cases, err
		}
		name, _ := key.(string)
		known := strings.ToLower(name)
		if slices.Contains(fields, known) {
			if seen[known] {
				return o, cases, fmt.Errorf("an object has two fields %q; keep one, or make two recordings of it", known)
			}
			seen[known] = true
		}
		switch known {
		case "name":
			err = p.Decode(&o.Name)
		case "t_start":
			err = p.Decode(&o.Start)
		case "t_end":
			err = p.Decode(&o.End)
		case "interval":
			err = p.Decode(&o.Interval)
		case "units":
			err = p.Decode(&o.Units)
		case "trains":
			o.Trains, err = p.times()
		case "cases":
			var open bool
			if open, err = p.open(name); open {
				cases, err = true, p.objects()
			}
		default:
			err = p.skip()
		}
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			err = fmt.Errorf("found a JSON %s for %q; %s", wrong.Value, name, wantJSON)
		}
		if err != nil {
			return o, cases, err
		}
	}
	_, err = p.Token()
	return o, cases, err
}

// open reads the [ of a list, or null.
func (p *parser) open(field string) (bool, error) {
	token, err := p.Token()
	if err == nil && token != nil && token != json.Delim('[') {
		err = wrongKind(token, field)
	}
	return err == nil && token != nil, err
}

// times reads a list of trains, one after another.
func (p *parser) times() (trains []times, err error) {
	open, err := p.open("trains")
	if !open {
		return nil, err
	}
	trains = []times{}
	for p.More() {
		var t times
		if err := p.Decode(&t); err != nil {
			return nil, err
		}
		if p.trains++; p.trains > MaxTrains {
			return nil, tooManyTrains()
		}
		if err := p.memory.Take(8 * int64(len(t))); err != nil {
			return nil, err
		}
		trains = append(trains, t)
	}
	_, err = p.Token()
	return trains, err
}

// maxDepth of what is passed over.
const maxDepth = 10000

// skip passes over a value.
func (p *parser) skip() error {
	for depth := 0; ; {
		token, err := p.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
		if depth > maxDepth {
			return fmt.Errorf("lists within lists, more than %d; %s", maxDepth, wantJSON)
		}
		if depth == 0 {
			return nil
		}
	}
}

func (p *parser) add(o object) error {
	r, err := o.recording()
	if err != nil {
		return fmt.Errorf("%s: %w", o.place(len(p.list)), err)
	}
	p.list = append(p.list, r)
	return nil
}

const wantJSON = "want an object with t_start, t_end and trains, or an array of them"

// wrongKind is an error about a value of another kind than is wanted.
func wrongKind(token json.Token, field string) error {
	kind := map[bool]string{true: "object", false: "array"}[token == json.Delim('{')]
	switch token.(type) {
	case string:
		kind = "string"
	case float64:
		kind = "number"
	case bool:
		kind = "bool"
	case nil:
		kind = "null"
	}
	return fmt.Errorf("found a JSON %s for %q; %s", kind, field, wantJSON)
}

// located says where JSON broke off, or that the file is longer than permitted.
func (p *parser) located(err error) error {
	var long *limit.Error
	if _, rest := io.Copy(io.Discard, p.in.r); errors.As(rest, &long) {
		return rest
	}
	line := 1 + p.in.lines // at the end
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		left, _ := io.ReadAll(p.Buffered()) // what was read and not understood
		line -= bytes.Count(left, []byte("\n"))
	} else if !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return fmt.Errorf("not JSON from line %d on: %w; %s", line, err, wantJSON)
}

// textReader passes on UTF-8 and counts its lines.
type textReader struct {
	r     io.Reader
	lines int
	buf   []byte // what was read last, behind the beginning of a rune from before
	rune  int    // bytes of a rune whose end is still to come
}

func (t *textReader) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.buf = append(t.buf[:copy(t.buf, t.buf[len(t.buf)-t.rune:])], p[:n]...)
	t.rune = 0
	if at := invalid(t.buf); at >= 0 {
		if utf8.FullRune(t.buf[at:]) || err != nil {
			return 0, fmt.Errorf("line %d is not UTF-8, as JSON is; convert the file", 1+t.lines+bytes.Count(t.buf[:at], []byte("\n")))
		}
		t.rune = len(t.buf) - at
	}
	t.lines += bytes.Count(p[:n], []byte("\n"))
	return n, err
}

// times are those of a train, nil for null.
type times []float64

// UnmarshalJSON implements json.Unmarshaler.
func (t *times) UnmarshalJSON(src []byte) error {
	switch {
	case string(src) == "null":
		return nil
	case src[0] != '[':
		return json.Unmarshal(src, new([]number)) // says what it is
	case bytes.ContainsAny(src[1:], "[{\""):
		var list []number
		err := json.Unmarshal(src, &list)
		*t = make(times, len(list))
		for i, v := range list {
			(*t)[i] = float64(v)
		}
		return err
	}
	body := bytes.TrimSpace(src[1 : len(src)-1])
	if *t = (times{}); len(body) == 0 {
		return nil
	}
	*t = make(times, 0, 1+bytes.Count(body, []byte(",")))
	for field := range bytes.SplitSeq(body, []byte(",")) {
		var v number
		if err := v.UnmarshalJSON(bytes.TrimSpace(field)); err != nil {
			return err
		}
		*t = append(*t, float64(v))
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
	for j, v := range in {
		if math.IsNaN(v) {
			return Train{}, number(v).check(fmt.Sprintf("train %d, spike %d", i, j))
		}
	}
	return Train{Times: in}, nil
}
