package sample_test

import (
	"context"
	"fmt"

	"synfire/sample"
	"synfire/tensor"
)

// ramps is a source that is computed: sample i is a series of three steps that
// rises by i, and its target is i.
type ramps struct{}

func (ramps) Spec() sample.Spec {
	return sample.Spec{Shape: tensor.Shape{1}, Steps: 3, Targets: []sample.Field{{Name: "slope", Kind: sample.Values, Shape: tensor.Shape{1}}}}
}
func (ramps) Len() int            { return 4 }
func (ramps) Index(i int) int     { return i }
func (ramps) Origin(i int) string { return fmt.Sprintf("ramp %d", i) }
func (ramps) Target(i, _ int) (sample.Target, error) {
	return sample.Target{Values: []tensor.Float{tensor.Float(i)}}, nil
}
func (r ramps) Read(_ context.Context, i int, s *sample.Sample) error {
	for t := range s.X {
		s.X[t] = tensor.Float(i * t)
	}
	target, err := r.Target(i, 0)
	s.Targets = append(s.Targets, target)
	return err
}

func ExampleSource() {
	spec := ramps{}.Spec()
	var b sample.Batch
	b.Reset(&spec, 0)
	odd, _ := sample.Subset(ramps{}, []int{1, 3})
	for i := range odd.Len() {
		s := sample.Sample{X: make([]tensor.Float, spec.Size())}
		if err := odd.Read(context.Background(), i, &s); err != nil {
			fmt.Println(err)
			return
		}
		if err := b.Append(odd.Index(i), &s); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(spec, b.Index, b.X, b.Targets[0].Values)
	// Output: 3 steps of 1 [1 3] [0 1 2 0 3 6] [1 3]
}
