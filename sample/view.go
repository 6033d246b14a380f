package sample

import (
	"context"
	"fmt"
)

// Subset is the samples of a source at the given positions, in that order. It
// copies none. Each keeps its Index and its Origin.
func Subset(s Source, positions []int) (Source, error) {
	for _, i := range positions {
		if i < 0 || i >= s.Len() {
			return nil, fmt.Errorf("sample: subset: position %d is outside [0, %d)", i, s.Len())
		}
	}
	return subset{s, positions}, nil
}

// First is the first n samples of a source; n = 0 is all of them.
func First(s Source, n int) (Source, error) {
	if n == 0 || n == s.Len() {
		return s, nil
	}
	if n < 0 || n > s.Len() {
		return nil, fmt.Errorf("%d samples asked for, there are %d", n, s.Len())
	}
	positions := make([]int, n)
	for i := range positions {
		positions[i] = i
	}
	return subset{s, positions}, nil
}

// Spaced is n samples of a source at equal distances from each other, all of them where there are
// no more.
func Spaced(s Source, n int) (Source, error) {
	if n < 0 {
		return nil, fmt.Errorf("%d samples asked for, want none or more", n)
	}
	positions := make([]int, min(n, s.Len()))
	for i := range positions {
		positions[i] = i * s.Len() / len(positions)
	}
	return subset{s, positions}, nil
}

type subset struct {
	Source
	positions []int
}

// Unwrap is what the view looks at.
func (s subset) Unwrap() Source { return s.Source }

func (s subset) Len() int                        { return len(s.positions) }
func (s subset) Index(i int) int                 { return s.Source.Index(s.positions[i]) }
func (s subset) Origin(i int) string             { return s.Source.Origin(s.positions[i]) }
func (s subset) Target(i, f int) (Target, error) { return s.Source.Target(s.positions[i], f) }
func (s subset) Read(ctx context.Context, i int, x *Sample) error {
	return s.Source.Read(ctx, s.positions[i], x)
}
