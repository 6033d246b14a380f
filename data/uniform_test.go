package data_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/sample"
	"synfire/spike"
	"synfire/tensor"
)

// ramps is series of one to several steps, 1, 2, 3 …, with a target that follows them
// and one of spike trains.
type ramps struct {
	lengths []int
	longest int
	events  bool
}

func newRamps(events bool, lengths ...int) ramps { return ramps{lengths, slices.Max(lengths), events} }

func (r ramps) Spec() sample.Spec {
	trains := sample.Field{Name: "trains", Kind: sample.Trains, Shape: tensor.Shape{1}}
	if r.events {
		return sample.Spec{Shape: tensor.Shape{4}, Events: true, Duration: float64(r.longest), Targets: []sample.Field{trains}}
	}
	follow := sample.Field{Name: "follow", Kind: sample.Values, Shape: tensor.Shape{2}, Steps: r.longest}
	return sample.Spec{Shape: tensor.Shape{1}, Steps: r.longest, Duration: float64(r.longest) / 2, Targets: []sample.Field{trains, follow}}
}
func (r ramps) Len() int             { return len(r.lengths) }
func (r ramps) Index(i int) int      { return i }
func (r ramps) Origin(i int) string  { return fmt.Sprintf("ramp %d", i) }
func (r ramps) Length(i int) float64 { return float64(r.lengths[i]) }

func (r ramps) Target(i, f int) (sample.Target, error) {
	if f == 1 {
		v := make([]tensor.Float, 2*r.longest)
		for k := range 2 * r.lengths[i] {
			v[k] = tensor.Float(10 + k)
		}
		return sample.Target{Values: v}, nil
	}
	spec := r.Spec()
	stop := spec.Duration * float64(r.lengths[i]) / float64(r.longest)
	return sample.Target{Trains: []spike.Train{{Times: []float64{0.25, stop - 0.25}, Stop: stop}}}, nil
}

func (r ramps) Read(_ context.Context, i int, s *sample.Sample) error {
	clear(s.X)
	for t := range r.lengths[i] {
		if r.events {
			s.Events = append(s.Events, sample.Event{Time: float64(t) + 0.5, Unit: 1})
		} else {
			s.X[t] = tensor.Float(t + 1)
		}
	}
	if r.lengths[i] < r.longest {
		s.Length = float64(r.lengths[i])
	}
	for f := range r.Spec().Targets {
		t, err := r.Target(i, f)
		if err != nil {
			return err
		}
		s.Targets = append(s.Targets, t)
	}
	return nil
}

func TestUniform(t *testing.T) {
	for _, c := range []struct {
		l      data.Length
		events bool
		want   [2][]tensor.Float // of events: how many
		length [2]float64
	}{
		{data.Length{Pad: 4}, false, [2][]tensor.Float{{1, 2, 0, 0}, {1, 2, 3, 0}}, [2]float64{2, 3}},
		{data.Length{Pad: 3}, false, [2][]tensor.Float{{1, 2, 0}, {1, 2, 3}}, [2]float64{2, 0}},
		{data.Length{Crop: 2}, false, [2][]tensor.Float{{1, 2}, {1, 2}}, [2]float64{0, 0}},
		{data.Length{Crop: 1}, false, [2][]tensor.Float{{1}, {1}}, [2]float64{0, 0}},
		{data.Length{Pad: 4, Crop: 4}, false, [2][]tensor.Float{{1, 2, 0, 0}, {1, 2, 3, 0}}, [2]float64{2, 3}},
		{data.Length{Pad: 2, Crop: 2}, false, [2][]tensor.Float{{1, 2}, {1, 2}}, [2]float64{0, 0}},
		{data.Length{Pad: 4}, true, [2][]tensor.Float{{2}, {3}}, [2]float64{2, 3}},
		{data.Length{Crop: 1.5}, true, [2][]tensor.Float{{1}, {1}}, [2]float64{0, 0}},
		{data.Length{Pad: 2.5, Crop: 2.5}, true, [2][]tensor.Float{{2}, {2}}, [2]float64{2, 0}},
	} {
		u, err := data.Uniform(newRamps(c.events, 2, 3), c.l)
		if err != nil {
			t.Errorf("%+v: %v", c.l, err)
			continue
		}
		spec, given := u.Spec(), max(c.l.Pad, c.l.Crop)
		if err := spec.Validate(); err != nil || c.events && spec.Duration != given || !c.events && (spec.Steps != int(given) || spec.Duration != given/2 || spec.Targets[1].Steps != int(given)) {
			t.Errorf("%+v: %+v, %v", c.l, spec, err)
		}
		for i := range 2 {
			s := sample.Sample{X: make([]tensor.Float, spec.Size())}
			for k := range s.X {
				s.X[k] = 99 // what lies in the caller's memory
			}
			if err := u.Read(t.Context(), i, &s); err != nil {
				t.Fatal(err)
			}
			got := s.X
			if c.events {
				got = []tensor.Float{tensor.Float(len(s.Events))}
			}
			if !slices.Equal(got, c.want[i]) || s.Length != c.length[i] {
				t.Errorf("%+v, sample %d: %v, length %v; want %v, %v", c.l, i, got, s.Length, c.want[i], c.length[i])
			}
			for f := range s.Targets {
				target, err := u.Target(i, f)
				if err != nil || spec.Targets[f].Check(target) != nil || !slices.Equal(target.Values, s.Targets[f].Values) {
					t.Errorf("%+v: target %+v, read %+v, %v", c.l, target, s.Targets[f], err)
				}
			}
			train := s.Targets[0].Trains[0]
			if train.Stop != spec.Duration || train.Validate() != nil || slices.ContainsFunc(train.Times, func(at float64) bool { return at >= spec.Duration }) {
				t.Errorf("%+v: train %+v", c.l, train)
			}
		}
	}
}

func TestUniformErrors(t *testing.T) {
	for want, c := range map[string]struct {
		src sample.Source
		l   data.Length
	}{
		"ramp 0 has 2 steps, ramp 1 3; set length: {pad: 3} to": {newRamps(false, 2, 3), data.Length{}},
		"ramp 0 has 2 steps, ramp 2 3":                          {newRamps(false, 2, 2, 3, 3), data.Length{}},
		"length: 1.5, want a whole number of steps":             {newRamps(false, 1, 1), data.Length{Pad: 1.5}},
		"ramp 0 has 2 seconds, ramp 1 3":                        {newRamps(true, 2, 3), data.Length{}},
		"pad 2, but ramp 1 has 3 steps":                         {newRamps(false, 2, 3), data.Length{Pad: 2}},
		"crop 3, but ramp 0 has only 2 steps":                   {newRamps(false, 2, 3), data.Length{Crop: 3}},
		"want a whole number of steps":                          {newRamps(false, 2, 3), data.Length{Pad: 3.5}},
		"have no time; leave length out":                        {numbered(3), data.Length{Pad: 3}},
		"pad 3 and crop 2":                                      {newRamps(false, 2, 3), data.Length{Pad: 3, Crop: 2}},
		"ramp 1: a duration of 0":                               {newRamps(false, 2, 0), data.Length{Pad: 3}},
	} {
		_, err := data.Uniform(c.src, c.l)
		checkError(t, want, err, want)
	}
	for _, src := range []sample.Source{newRamps(false, 3, 3), newRamps(true, 3), numbered(3)} {
		if u, err := data.Uniform(src, data.Length{}); err != nil || u.Len() != src.Len() {
			t.Errorf("alike: %v", err)
		}
	}
}

// opened is an opener of given sources.
type opened struct{ train, test sample.Source }

func (o opened) Validate() error  { return nil }
func (o opened) Paths() []*string { return nil }
func (o opened) Open(context.Context, data.Options) (sample.Source, sample.Source, error) {
	return o.train, o.test, nil
}

// Training and test samples are of one duration too.
func TestOpenUniform(t *testing.T) {
	_, _, err := data.Open(t.Context(), opened{newRamps(false, 3, 3), newRamps(false, 2)}, data.Length{}, data.Options{})
	checkError(t, "parts", err, "ramp 0 has 2 steps, ramp 0 3")
	train, test, err := data.Open(t.Context(), opened{newRamps(false, 3, 3), newRamps(false, 2)}, data.Length{Pad: 3}, data.Options{})
	if err != nil || train.Spec().Steps != 3 || test.Spec().Steps != 3 {
		t.Errorf("%v", err)
	}
	_, _, err = data.Open(t.Context(), opened{newRamps(false, 3), numbered(2)}, data.Length{}, data.Options{})
	checkError(t, "kinds", err, "expected the same of both")
	if _, test, err = data.Open(t.Context(), opened{train: numbered(2)}, data.Length{}, data.Options{}); err != nil || test != nil {
		t.Errorf("no test: %v", err)
	}
}

func TestText(t *testing.T) {
	read := func(in string, max int64) (string, error) {
		var b strings.Builder
		p := make([]byte, 3)
		r := data.Text(strings.NewReader(in), max)
		for {
			n, err := r.Read(p)
			b.Write(p[:n])
			if err != nil {
				return b.String(), err
			}
		}
	}
	for in, want := range map[string]string{"": "", "a\nb": "a\nb", "\ufeffa\n\ufeffb\n": "a\n\ufeffb\n", "Hütte\r\n": "Hütte\r\n"} {
		if got, err := read(in, 100); got != want || err.Error() != "EOF" {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	_, err := read("a\nb\nH\xfctte\n", 100)
	checkError(t, "latin 1", err, "line 3 is not UTF-8", "iconv")
	_, err = read("abcdef", 3)
	checkError(t, "long", err, "longer than the permitted 3 bytes")
}
