package bptt_test

import (
	"math"
	"strings"
	"testing"

	"synfire/data"
	"synfire/encode"
	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/optim"
	"synfire/rule/bptt"
	"synfire/tensor"
	"synfire/train"
)

var constant = encode.Constant{}

// striped is images of 5×4 pixels of two channels, of which neighbours are alike.
func striped(n int) *data.Set {
	s := &data.Set{Name: "striped", Shape: tensor.Shape{5, 4, 2}, Classes: []string{"a", "b"}}
	x := uint32(7)
	for i := range n {
		last := tensor.Float(0)
		for range 40 {
			x = x*1664525 + 1013904223
			last = 0.7*last + tensor.Float(x>>16)/65536 - 0.4
			s.Values = append(s.Values, last)
		}
		s.Labels = append(s.Labels, i%2)
	}
	return s
}

func whitening(out int, w bptt.Whiten) bptt.Rule {
	r := bptt.NewRule()
	r.Layers = network.Chain(layer.Conv2D{Out: out, Kernel: []int{2}}, layer.ReLU{}, layer.GlobalAvgPool{}, layer.Linear{Out: 2})
	r.Loss, r.Optimizer, r.Whiten = []bptt.Term{{Loss: loss.MembraneCrossEntropy{}}}, optim.SGD{LR: 0.1}, &w
	return r
}

// Whitened patches have the second moment 1 in all directions, kernels come in pairs of
// either sign, and learning leaves them alone but not their biases.
func TestWhiten(t *testing.T) {
	const patch, n = 8, 200
	set := striped(n)
	setting := train.Setting{Spec: set.Spec(), Samples: n, Encoder: constant, Steps: 1, Epochs: 1, Batch: 50, Seed: 1}
	l := learner(t, whitening(2*patch, bptt.Whiten{Epsilon: 1e-12}), setting)
	cursor := func() *data.Cursor {
		c, err := data.NewCursor(set, data.CursorOptions{Batch: 50})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if err := l.Start(t.Context(), cursor()); err != nil {
		t.Fatal(err)
	}
	w := l.Network().Params()[0].Value.Clone()
	moment, count := [patch][patch]float64{}, 0.0
	for i := range n {
		x := set.Values[40*i:]
		for y := range 4 {
			for q := range 3 {
				var out [patch]float64
				for k := range patch {
					for j := range 2 {
						for c, v := range x[((y+j)*4+q)*2:][:4] {
							out[k] += float64(v) * float64(w.Data[(j*4+c)*2*patch+k])
						}
					}
				}
				for a := range patch {
					for b := range patch {
						moment[a][b] += out[a] * out[b]
					}
				}
				count++
			}
		}
	}
	for a := range patch {
		for b := range patch {
			want := 0.0
			if a == b {
				want = 1
			}
			if got := moment[a][b] / count; math.Abs(got-want) > 1e-3 {
				t.Errorf("the second moment of outputs %d and %d is %v, want %v", a, b, got, want)
			}
		}
		for i := range patch {
			if w.Data[i*2*patch+a] != -w.Data[i*2*patch+patch+a] {
				t.Fatalf("kernels %d and %d are no pair", a, patch+a)
			}
		}
	}
	learnsBiasAlone(t, l, cursor(), w)
}

func learnsBiasAlone(t *testing.T, l *bptt.Learner, c *data.Cursor, w tensor.Tensor) {
	bias := l.Network().Params()[1].Value.Clone()
	loop := train.Loop{Learner: unstarted{l}, Train: c, Epochs: 1}
	if _, err := loop.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	same := func(i int, was tensor.Tensor) bool {
		for k, v := range l.Network().Params()[i].Value.Data {
			if v != was.Data[k] {
				return false
			}
		}
		return true
	}
	if !same(0, w) || same(1, bias) {
		t.Errorf("after an epoch the kernels are as before: %v, their biases: %v", same(0, w), same(1, bias))
	}
}

// unstarted is a learner that a loop does not start.
type unstarted struct{ train.Learner }

// The loop starts a learner, once; what does not fit is said.
func TestWhitenByTheLoop(t *testing.T) {
	set := striped(20)
	setting := train.Setting{Spec: set.Spec(), Samples: 20, Encoder: constant, Steps: 1, Epochs: 1, Batch: 5, Seed: 1}
	l := learner(t, whitening(4, bptt.Whiten{Samples: 7}), setting)
	before := l.Network().Params()[0].Value.Clone()
	c, err := data.NewCursor(set, data.CursorOptions{Batch: 5})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&train.Loop{Learner: l, Train: c, Epochs: 1}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := l.Network().Params()[0].Value; after.Data[0] == before.Data[0] {
		t.Error("nothing was whitened")
	}
	for _, c := range []struct {
		want   string
		out    int
		w      bptt.Whiten
		change func(r *bptt.Rule, s *train.Setting)
	}{
		{"has 17 kernels", 17, bptt.Whiten{}, nil},
		{"has 18 kernels", 18, bptt.Whiten{}, nil},
		{`no node "first"`, 4, bptt.Whiten{Node: "first"}, nil},
		{"is no conv2d", 4, bptt.Whiten{Node: "relu1"}, nil},
		{"encoder: constant", 4, bptt.Whiten{}, func(_ *bptt.Rule, s *train.Setting) { s.Encoder = encode.Poisson{Scale: 1} }},
		{"dilation", 4, bptt.Whiten{}, func(r *bptt.Rule, _ *train.Setting) {
			r.Layers[0].Layer = layer.Conv2D{Out: 4, Kernel: []int{2}, Dilation: []int{2}}
		}},
	} {
		r, s := whitening(c.out, c.w), setting
		if c.change != nil {
			c.change(&r, &s)
		}
		if _, err := r.Learner(s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
	if (bptt.Whiten{Samples: -1}).Validate() == nil || (bptt.Whiten{Epsilon: math.NaN()}).Validate() == nil {
		t.Error("figures that make no sense are accepted")
	}
}
