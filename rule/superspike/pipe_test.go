package superspike

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"synfire/encode"
	"synfire/sample"
	"synfire/tensor"
	"synfire/train"
)

// A pipe gives what the stream's steps give.
func TestPipeIsTheStream(t *testing.T) {
	r := variants()["delay"]
	piped, stepped := must(NewStream(r, 20, 2, 0.1, 20, 2)), must(NewStream(r, 20, 2, 0.1, 20, 2))
	in, target := poisson(20, 1000, 0.01, 3), poisson(2, 1000, 0.01, 4)
	var events, out, want bytes.Buffer
	fmt.Fprintln(&events, PipeHeader)
	fmt.Fprintln(&want, "time,unit")
	last := 0
	for s := range 1000 {
		for _, u := range slices.Backward(in.step(s)) { // in any order within a step
			fmt.Fprintf(&events, "%.4f,%d,input\n", float64(s)*1e-4, u)
		}
		for _, u := range target.step(s) {
			fmt.Fprintf(&events, " %.4f , %d , target\n\n", float64(s)*1e-4, u)
		}
		if len(in.step(s))+len(target.step(s)) > 0 {
			last = s
		}
	}
	for s := range last + 1 {
		for _, u := range must(stepped.Step(in.step(s), target.step(s))) {
			fmt.Fprintf(&want, "%.12g,%d\n", float64(s)*stepped.clock.dt/1000, u)
		}
	}
	if err := piped.Pipe(t.Context(), &events, &out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want.String() || want.Len() < 30 {
		t.Errorf("the pipe gives\n%s\nwant\n%s", &out, &want)
	}
	if piped.Updates() != stepped.Updates() || piped.Updates() < 4 || !slices.Equal(piped.Weights(0).Data, stepped.Weights(0).Data) {
		t.Error("the pipe learns something else")
	}
}

// A mistake in a line is an error that names it.
func TestBadPipes(t *testing.T) {
	for text, want := range map[string]string{
		"":                                             "nothing to read",
		"unit,time\n":                                  "line 1 is",
		PipeHeader + "\n1,2\n":                         "line 2: 2 fields",
		PipeHeader + "\nx,0,input\n":                   `line 2: the time is "x"`,
		PipeHeader + "\nNaN,0,input\n":                 "line 2: the time is",
		PipeHeader + "\n-1,0,input\n":                  "line 2: the time is",
		PipeHeader + "\n1,a,input\n":                   `line 2: the unit is "a"`,
		PipeHeader + "\n0,0,output\n":                  `line 2: the kind is "output"`,
		PipeHeader + "\n0,3,input\n":                   "line 2: unit 3, expected one from 0 to 2",
		PipeHeader + "\n0,-1,target\n":                 "line 2: unit -1",
		PipeHeader + "\n\n0,1,input\n0,1,input\n":      "line 4: unit 1 fires twice",
		PipeHeader + "\n0.1,0,input\n0,0,input\n":      "line 3: the event at 0 s comes after",
		PipeHeader + "\n1e9,0,input\n":                 "are its times in seconds?",
		PipeHeader + "\n1e300,0,input\n":               "is 1e+304 steps after",
		PipeHeader + "\n" + strings.Repeat("a", 1<<17): "line 2 is longer than 65536 bytes",
	} {
		s := must(NewStream(NewRule(), 3, 2, 0.1, 0, 1))
		if err := s.Pipe(t.Context(), strings.NewReader(text), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := must(NewStream(NewRule(), 3, 2, 0.1, 0, 1))
	if err := s.Pipe(ctx, strings.NewReader(PipeHeader+"\n50,0,input\n"), io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// endless is a pipe of so many events, none of which is kept.
type endless struct{ left, at int }

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	e.left--
	if e.at++; e.at == 1 {
		return copy(p, PipeHeader+"\n"), nil
	}
	return copy(p, fmt.Sprintf("%.4f,%d,input\n%.4f,0,target\n", float64(e.at)*1e-3, e.at%3, float64(e.at)*1e-3+5e-4)), nil
}

// Memory does not grow with the events.
func TestPipeTakesConstantMemory(t *testing.T) {
	s := must(NewStream(variants()["delay"], 3, 1, 0.1, 100, 1))
	used := func(events int) uint64 {
		var before, after runtime.MemStats
		s.Reset()
		runtime.ReadMemStats(&before)
		if err := s.Pipe(t.Context(), &endless{left: events}, io.Discard); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		return after.HeapAlloc - min(before.HeapAlloc, after.HeapAlloc)
	}
	used(100)
	if grown := used(5000); grown > 1<<20 {
		t.Errorf("5,000 events leave %d bytes", grown)
	}
}

// A learner that goes on from a pipe keeps what it learned, up to a wrong line too.
func TestLearnerLearnsFromAPipe(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{1}, Events: true, Duration: 0.1, Targets: []sample.Field{{Name: "trains", Kind: sample.Trains, Shape: tensor.Shape{1}}}}
	l, err := New(NewRule(), train.Setting{Spec: spec, Samples: 1, Encoder: encode.Events{}, Steps: 1000, Batch: 1, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(l.net.layers[0].w.Data)
	events := PipeHeader + "\n"
	for i := range 4 {
		events += fmt.Sprintf("%.2f,0,input\n%.2f,0,target\n", 0.1*float64(i), 0.1*float64(i)+0.01)
	}
	if err := l.Pipe(t.Context(), 100, strings.NewReader(events+"0.5,0,wrong\n"), io.Discard); err == nil || !strings.Contains(err.Error(), "line 10") {
		t.Errorf("%v, want one of line 10", err)
	}
	if slices.Equal(before, l.net.layers[0].w.Data) || l.net.updates != 5 {
		t.Errorf("%v after %d updates: nothing was kept", l.net.layers[0].w.Data, l.net.updates)
	}
	p, err := NewRule().Predictor(l.setting, l.Model())
	if err != nil || !slices.Equal(p.(*Learner).net.layers[0].w.Data, l.net.layers[0].w.Data) {
		t.Errorf("%v: another model than what was learned", err)
	}
}
