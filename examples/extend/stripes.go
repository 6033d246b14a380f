package main

import (
	"math"
	"math/rand/v2"

	"synfire/data"
	"synfire/tensor"
)

// side is the height and width of an image.
const side = 12

// Stripes makes n images of noisy stripes in one of four directions, which are
// the classes.
func Stripes(split string, n int, seed uint64) *data.Set {
	s := &data.Set{Name: "stripes", Split: split, Classes: []string{"—", "\\", "|", "/"}, Shape: tensor.Shape{side, side, 1}}
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range n {
		label := i % len(s.Classes)
		angle, phase := float64(label)*math.Pi/4, r.Float64()*2*math.Pi
		for y := range side {
			for x := range side {
				wave := math.Sin(2*math.Pi/4*(math.Cos(angle)*float64(y)-math.Sin(angle)*float64(x)) + phase)
				s.Images = append(s.Images, uint8(min(max(128+80*wave+40*r.NormFloat64(), 0), 255)))
			}
		}
		s.Labels = append(s.Labels, uint8(label))
	}
	return s
}
