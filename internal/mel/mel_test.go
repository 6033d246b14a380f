package mel_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"synfire/internal/mel"
)

// A tone is loudest in the band around it, as loud as the spectrum of a window says.
func TestTone(t *testing.T) {
	const rate, window = 8000, 256
	bank, err := mel.New(rate, window, 80, 20)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float64, 20)
	for _, hz := range []float64{250, 1000, 3000} {
		x := make([]float32, window)
		for i := range x {
			x[i] = float32(0.5 * math.Sin(2*math.Pi*hz*float64(i)/rate))
		}
		bank.Frame(got, x, 1, 0)
		loudest := 0
		for m := range got {
			if got[m] > got[loudest] {
				loudest = m
			}
		}
		top := 2595 * math.Log10(1+4000.0/700)
		place := 2595*math.Log10(1+hz/700)/top*21 - 1
		if math.Abs(place-float64(loudest)) > 1 {
			t.Errorf("%v Hz is loudest in band %d, expected about %.1f", hz, loudest, place)
		}
		// By definition, from a plain transform.
		want := math.Log1p(energy(x, rate, loudest, 20) / 1e-6)
		if math.Abs(got[loudest]-want) > 1e-9*want {
			t.Errorf("%v Hz: %v, want %v", hz, got[loudest], want)
		}
	}
}

// energy is the energy of a band by its definition.
func energy(x []float32, rate float64, m, bands int) float64 {
	n := len(x)
	hz := func(i int) float64 {
		top := 2595 * math.Log10(1+rate/2/700)
		return 700 * (math.Pow(10, top*float64(i)/float64(bands+1)/2595) - 1)
	}
	var sum, power float64
	w := make([]float64, n)
	for i := range w {
		w[i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(n))
		power += w[i] * w[i]
	}
	for k := range n/2 + 1 {
		var re, im float64
		for i, v := range x {
			phase := 2 * math.Pi * float64(k) * float64(i) / float64(n)
			re += w[i] * float64(v) * math.Cos(phase)
			im -= w[i] * float64(v) * math.Sin(phase)
		}
		f := float64(k) * rate / float64(n)
		if h := min((f-hz(m))/(hz(m+1)-hz(m)), (hz(m+2)-f)/(hz(m+2)-hz(m+1))); h > 0 {
			sum += h * (re*re + im*im)
		}
	}
	return sum / power
}

// Silence is 0, what follows the end is silence, and channels are told apart.
func TestFrames(t *testing.T) {
	bank, err := mel.New(8000, 64, 10, 4)
	if err != nil {
		t.Fatal(err)
	}
	if bank.Frames(0) != 0 || bank.Frames(1) != 1 || bank.Frames(10) != 1 || bank.Frames(11) != 2 {
		t.Error("wrong numbers of frames")
	}
	x := make([]float32, 2*64)
	for i := range 64 {
		x[2*i+1] = float32(i%5) - 2
	}
	left, right := make([]float64, 4), make([]float64, 4)
	bank.Frame(left, x, 2, 0)
	bank.Frame(right, x[1:], 2, 0)
	for m := range left {
		if left[m] != 0 || !(right[m] > 1) {
			t.Errorf("band %d: %v and %v", m, left[m], right[m])
		}
	}
	bank.Frame(right, x, 1, 99)
	if right[0] != 0 {
		t.Errorf("behind the end: %v", right)
	}
	for want, o := range map[string][4]int{"band 0 of 64": {8000, 64, 10, 64}, "window 1": {8000, 1, 10, 4}} {
		if _, err := mel.New(o[0], o[1], o[2], o[3]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A level is a root mean square, whatever it was before; silence has none.
func TestLevel(t *testing.T) {
	for _, x := range [][]float32{{3, -4, 0, 0}, {1e-4, 1e-4}, {0, 0}} {
		silent := x[0] == 0
		mel.Level(x, 0)
		before := x[0]
		mel.Level(x, 0.1)
		var power float64
		for _, v := range x {
			power += float64(v) * float64(v)
		}
		if got := math.Sqrt(power / float64(len(x))); silent != (got == 0) || !silent && math.Abs(got-0.1) > 1e-7 || before == x[0] && !silent {
			t.Errorf("%v has level %v", x, got)
		}
	}
}

func ExampleBank() {
	bank, err := mel.New(8000, 200, 80, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	x := make([]float32, 200)
	for i := range x {
		x[i] = float32(math.Sin(2 * math.Pi * 500 * float64(i) / 8000))
	}
	bands := make([]float64, bank.Bands())
	bank.Frame(bands, x, 1, 0)
	fmt.Printf("%.2f\n", bands)
	// Output: [17.86 15.74 0.05]
}
