package spokendigits

import (
	"fmt"
	"math"
	"os"
	"path/filepath"

	"synfire/format/wav"
	"synfire/internal/rng"
)

// made are speakers of the sounds that stand for recordings where these are not wanted; each
// says every digit so many times.
var made = []string{"low", "middle", "high"}

const madeTakes = 10

// makeSounds writes sounds, named as the recordings are, into a folder: a digit is two tones
// that glide, a speaker a factor of their frequencies.
func makeSounds(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for speaker, name := range made {
		for digit := range 10 {
			for take := range madeTakes {
				src := rng.New(1, "spoken-digits").Int(uint64(speaker)).Int(uint64(digit)).Int(uint64(take)).Source()
				path := filepath.Join(dir, fmt.Sprintf("%d_%s_%d.wav", digit, name, take))
				if err := os.WriteFile(path, wav.Encode(word(src, digit, 0.96+0.04*float64(speaker))), 0o644); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// word is a take of a digit, of a quarter of a second or more.
func word(src *rng.Source, digit int, factor float64) *wav.Sound {
	const rate = 8000
	s := &wav.Sound{Rate: rate, Channels: 1, Samples: make([]float32, rate/4+src.IntN(rate/8))}
	loud := 0.05 + 0.2*src.Float64()
	low, high := factor*(300+150*float64(digit%5)), factor*(1500+900*float64(digit/5))
	var a, b float64 // phases
	for i := range s.Samples {
		at := 1 + 0.05*float64(digit%3-1)*float64(i)/float64(len(s.Samples))
		a += 2 * math.Pi * low * at / rate
		b += 2 * math.Pi * high * at / rate
		s.Samples[i] = float32(loud * (math.Sin(a) + 0.5*math.Sin(b) + 0.1*src.Norm()))
	}
	return s
}
