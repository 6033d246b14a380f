// Package mel turns sound into frames of band energies, as ears and speech recognisers
// hear it.
//
// Frame t is the samples from t·Hop on, Window of them, under a Hann window w; zeros
// follow the end of the sound. Of its spectrum X, band m takes a triangle H_m of
// frequencies whose corners are evenly spaced in mel between 0 and half the rate,
//
//	mel(f)  = 2595·log₁₀(1 + f/700)
//	E[t, m] = Σ_k H_m(k)·|X_t(k)|² / Σ_n w[n]²
//	x[t, m] = ln(1 + E[t, m]/10⁻⁶)
//
// (Stevens, Volkmann and Newman 1937; the formula is O'Shaughnessy's of 1987). Silence
// is 0. White noise of variance σ² has |X|²/Σw² = σ² at each frequency.
package mel

import (
	"fmt"
	"math"
	"sync"

	"gonum.org/v1/gonum/dsp/fourier"
)

const floor = 1e-6

// Bank is a filter bank. It is safe for use by several goroutines.
type Bank struct {
	window []float64
	power  float64 // Σ window²
	hop    int
	bands  []band
	work   sync.Pool
}

// band is the weights of the frequencies from first on.
type band struct {
	first   int
	weights []float64
}

// workspace is the memory of one frame.
type workspace struct {
	fft      *fourier.FFT
	frame    []float64
	spectrum []complex128
}

// New is a bank of bands for sound of a rate in samples a second.
func New(rate, window, hop, bands int) (*Bank, error) {
	if rate < 1 || window < 2 || hop < 1 || bands < 1 {
		return nil, fmt.Errorf("filter bank: rate %d, window %d, hop %d, %d bands; want a window of at least 2 and all others of at least 1", rate, window, hop, bands)
	}
	n := 2 // of the transform
	for n < window {
		n *= 2
	}
	b := &Bank{hop: hop, window: make([]float64, window)}
	for i := range b.window {
		b.window[i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(window))
		b.power += b.window[i] * b.window[i]
	}
	b.work.New = func() any {
		return &workspace{fourier.NewFFT(n), make([]float64, n), make([]complex128, n/2+1)}
	}
	mel := func(f float64) float64 { return 2595 * math.Log10(1+f/700) }
	hz := func(m float64) float64 { return 700 * (math.Pow(10, m/2595) - 1) }
	top := mel(float64(rate) / 2)
	corner := func(m int) float64 { return hz(top * float64(m) / float64(bands+1)) }
	for m := range bands {
		lo, mid, hi := corner(m), corner(m+1), corner(m+2)
		h := band{first: -1}
		for k := range n/2 + 1 {
			f := float64(k) * float64(rate) / float64(n)
			weight := min((f-lo)/(mid-lo), (hi-f)/(hi-mid))
			if weight <= 0 {
				continue
			}
			if h.first < 0 {
				h.first = k
			}
			h.weights = append(h.weights, weight)
		}
		if h.first < 0 {
			return nil, fmt.Errorf("filter bank: band %d of %d, around %.0f Hz, lies between the frequencies of a window of %d samples; use fewer bands or a longer window", m, bands, mid, window)
		}
		b.bands = append(b.bands, h)
	}
	return b, nil
}

// Bands is the number of bands.
func (b *Bank) Bands() int { return len(b.bands) }

// Frames is the number of frames of n samples: one for each hop that begins.
func (b *Bank) Frames(n int) int { return (n + b.hop - 1) / b.hop }

// Frame writes the bands of frame t to dst. The samples of one channel are every
// stride-th, from the first on.
func (b *Bank) Frame(dst []float64, samples []float32, stride, t int) {
	w := b.work.Get().(*workspace)
	defer b.work.Put(w)
	clear(w.frame)
	for i, h := range b.window {
		at := (t*b.hop + i) * stride
		if at >= len(samples) {
			break
		}
		w.frame[i] = h * float64(samples[at])
	}
	w.fft.Coefficients(w.spectrum, w.frame)
	for m, h := range b.bands {
		var e float64
		for k, weight := range h.weights {
			c := w.spectrum[h.first+k]
			e += weight * (real(c)*real(c) + imag(c)*imag(c))
		}
		dst[m] = math.Log1p(e / b.power / floor)
	}
}

// Level scales samples to a root mean square; silence stays, and for level 0 all does.
func Level(samples []float32, level float64) {
	var power float64
	for _, v := range samples {
		power += float64(v) * float64(v)
	}
	if power == 0 || level == 0 {
		return
	}
	scale := float32(level / math.Sqrt(power/float64(len(samples))))
	for i := range samples {
		samples[i] *= scale
	}
}
