package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"synfire/data"
	"synfire/sample"
	"synfire/tensor"
)

// side is the height and width of an image.
const side = 12

// Stripes is a kind of source: images of noisy stripes in one of four directions,
// which are the classes. They are drawn when they are read, so any number of them
// takes no memory.
type Stripes struct {
	Train int     `yaml:"train"` // images to train on
	Test  int     `yaml:"test"`  // images to test with
	Noise float64 `yaml:"noise"` // standard deviation
}

// Validate returns an error for sizes out of range.
func (s Stripes) Validate() error {
	if s.Train < 1 || s.Test < 1 || !(s.Noise >= 0) {
		return fmt.Errorf("stripes: %d images to train on, %d to test with, noise %v: want at least one of each and noise that is not negative", s.Train, s.Test, s.Noise)
	}
	return nil
}

// Paths are none.
func (Stripes) Paths() []*string { return nil }

// Open makes both parts.
func (s Stripes) Open(context.Context, data.Options) (train, test sample.Source, err error) {
	return stripes{s.Train, s.Noise, 1}, stripes{s.Test, s.Noise, 2}, s.Validate()
}

var directions = []string{"flat", "falling", "upright", "rising"}

type stripes struct {
	n     int
	noise float64
	seed  uint64
}

func (s stripes) Spec() sample.Spec {
	return sample.Spec{
		Shape:   tensor.Shape{side, side, 1},
		Targets: []sample.Field{{Name: sample.Label, Kind: sample.Class, Classes: directions}},
	}
}

func (s stripes) Len() int            { return s.n }
func (s stripes) Index(i int) int     { return i }
func (s stripes) Origin(i int) string { return fmt.Sprintf("stripes of seed %d, image %d", s.seed, i) }

func (s stripes) Target(i, _ int) (sample.Target, error) {
	return sample.Target{Class: i % len(directions)}, nil
}

func (s stripes) Read(_ context.Context, i int, x *sample.Sample) error {
	r := rand.New(rand.NewPCG(s.seed, uint64(i)))
	angle, phase := float64(i%len(directions))*math.Pi/4, r.Float64()*2*math.Pi
	for k := range x.X {
		row, col := float64(k/side), float64(k%side)
		wave := math.Sin(math.Pi/2*(math.Cos(angle)*row-math.Sin(angle)*col) + phase)
		x.X[k] = tensor.Float(min(max(0.5+0.3*wave+s.noise*r.NormFloat64(), 0), 1))
	}
	target, err := s.Target(i, 0)
	x.Targets = append(x.Targets, target)
	return err
}
