package sample

import (
	"context"
	"fmt"
)

// Join is the samples of two sources, those of the second behind those of the first.
// Both must have the same spec. Each keeps its Index and its Origin.
func Join(a, b Source) (Source, error) {
	if s, t := a.Spec(), b.Spec(); !s.Equal(t) {
		return nil, fmt.Errorf("sample: join: samples of %v with targets %v, and of %v with %v; want the same", s, s.Targets, t, t.Targets)
	}
	return joined{a, b}, nil
}

type joined struct{ a, b Source }

func (j joined) at(i int) (Source, int) {
	if n := j.a.Len(); i >= n {
		return j.b, i - n
	}
	return j.a, i
}

func (j joined) Spec() Spec { return j.a.Spec() }
func (j joined) Len() int   { return j.a.Len() + j.b.Len() }

func (j joined) Index(i int) int {
	s, k := j.at(i)
	return s.Index(k)
}

func (j joined) Origin(i int) string {
	s, k := j.at(i)
	return s.Origin(k)
}

func (j joined) Target(i, f int) (Target, error) {
	s, k := j.at(i)
	return s.Target(k, f)
}

func (j joined) Read(ctx context.Context, i int, x *Sample) error {
	s, k := j.at(i)
	return s.Read(ctx, k, x)
}
