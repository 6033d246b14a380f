//go:build ignore

// Makes the small data of one's own that the examples train on: images of stripes in
// class folders (shapes/), tones that rise or fall (sounds/), a table of two clouds of points (clouds.csv), which
// `synfire data convert` turns into clouds.npz, digits (digits.npz), and scenes of digits (scenes/)
// for the detector that ships.
package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"synfire/data"
	"synfire/data/mnist"
	"synfire/data/scenes"
	"synfire/format/npz"
	"synfire/format/wav"
	"synfire/sample"
	"synfire/tensor"
)

func main() {
	r := rand.New(rand.NewPCG(1, 2))
	for i, n := range []int{12, 4} {
		split := []string{"train", "test"}[i]
		for class := range 2 {
			for i := range n {
				if err := stripes(r, split, class, i); err != nil {
					log.Fatal(err)
				}
			}
		}
	}
	if err := tones(rand.New(rand.NewPCG(3, 4))); err != nil {
		log.Fatal(err)
	}
	if err := clouds(r); err != nil {
		log.Fatal(err)
	}
	if err := digits(); err != nil {
		log.Fatal(err)
	}
	if err := scene(4); err != nil {
		log.Fatal(err)
	}
}

// scene writes the first scenes of digits of the test sample, which no detector has learned.
func scene(n int) error {
	_, test := mnist.Sample()
	src, err := scenes.New(test, "digit-scenes-sample", n)
	if err != nil {
		return err
	}
	if err := os.MkdirAll("scenes", 0o755); err != nil {
		return err
	}
	shape := src.Spec().Shape
	for i := range n {
		x := sample.Sample{X: make([]tensor.Float, shape.Size())}
		if err := src.Read(context.Background(), i, &x); err != nil {
			return err
		}
		img := image.NewGray(image.Rect(0, 0, shape[1], shape[0]))
		for k, v := range x.X {
			img.Pix[k] = uint8(math.Round(255 * float64(v)))
		}
		f, err := os.Create(filepath.Join("scenes", fmt.Sprintf("%d.png", i+1)))
		if err != nil {
			return err
		}
		if err := errors.Join(png.Encode(f, img), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// tones writes sounds of a fifth of a second and more, of any loudness.
func tones(r *rand.Rand) error {
	const rate = 4000
	for i, n := range []int{12, 4} {
		for class, name := range []string{"falling", "rising"} {
			dir := filepath.Join("sounds", []string{"train", "test"}[i], name)
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			for take := range n {
				s := &wav.Sound{Rate: rate, Channels: 1, Samples: make([]float32, rate/5+r.IntN(rate/10))}
				loud, low, phase := 0.05+0.4*r.Float64(), 300+100*r.Float64(), 0.0
				for k := range s.Samples {
					part := float64(k) / float64(len(s.Samples))
					if class == 0 {
						part = 1 - part
					}
					phase += 2 * math.Pi * low * (1 + 2*part) / rate
					s.Samples[k] = float32(loud * (math.Sin(phase) + 0.05*r.NormFloat64()))
				}
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.wav", take)), wav.Encode(s), 0o644); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// stripes writes an image of standing or lying stripes, every third as JPEG.
func stripes(r *rand.Rand, split string, class, i int) error {
	m := image.NewGray(image.Rect(0, 0, 12, 12))
	phase := r.IntN(4)
	for y := range 12 {
		for x := range 12 {
			at := x
			if class == 1 {
				at = y
			}
			m.SetGray(x, y, color.Gray{uint8(40 + 160*((at+phase)/2%2) + r.IntN(50))})
		}
	}
	dir := filepath.Join("shapes", split, []string{"standing", "lying"}[class])
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	name := fmt.Sprintf("%02d.png", i)
	if i%3 == 2 {
		name = fmt.Sprintf("%02d.jpg", i)
	}
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	if i%3 == 2 {
		return jpeg.Encode(f, m, nil)
	}
	return png.Encode(f, m)
}

// clouds writes points around two centres.
func clouds(r *rand.Rand) error {
	f, err := os.Create("clouds.csv")
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Fprintln(f, "length,width,kind")
	for i := range 60 {
		center, kind := 3.0, "small"
		if i%2 == 1 {
			center, kind = 6, "large"
		}
		if _, err := fmt.Fprintf(f, "%.2f,%.2f,%s\n", center+0.6*r.NormFloat64(), 2*center+r.NormFloat64(), kind); err != nil {
			return err
		}
	}
	return f.Close()
}

// digits writes the first images of the sample of MNIST as arrays of bytes, 14×14, each
// the mean of 2×2 pixels.
func digits() error {
	train, test := mnist.Sample()
	x, y := halved(train, 500)
	xTest, yTest := halved(test, 200)
	f, err := os.Create("digits.npz")
	if err != nil {
		return err
	}
	defer f.Close()
	if err := npz.Write(f, map[string]npz.Array{"x_train": x, "y_train": y, "x_test": xTest, "y_test": yTest}); err != nil {
		return err
	}
	return f.Close()
}

func halved(s *data.Set, n int) (x, y npz.Array) {
	x, y = npz.Array{DType: "|u1", Shape: []int{n, 14, 14}}, npz.Array{DType: "|u1", Shape: []int{n}}
	for i := range n {
		m := s.Image(i)
		at := func(row, col int) int { return int(m[28*row+col]) }
		for row := 0; row < 28; row += 2 {
			for col := 0; col < 28; col += 2 {
				x.Data = append(x.Data, byte((at(row, col)+at(row, col+1)+at(row+1, col)+at(row+1, col+1)+2)/4))
			}
		}
		y.Data = append(y.Data, byte(s.Labels[i]))
	}
	return x, y
}
