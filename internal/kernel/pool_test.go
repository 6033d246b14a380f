package kernel

import (
	"fmt"
	"slices"
	"testing"
)

// eachWindows runs f under each level for windows of several shapes, that
// tile, overlap or leave gaps, over channels around the lengths of vectors.
func eachWindows(t *testing.T, f func(t *testing.T, what string, w Windows, r source)) {
	forLevels(t, func(t *testing.T, l Level) {
		for _, channels := range append([]int{3, 12, 20, 25}, lengths...) {
			for i, w := range []Windows{
				{Count: 3, Size: 2, Stride: 2, Width: 6},
				{Count: 2, Size: 2, Stride: 2, Width: 5},
				{Count: 1, Size: 1, Stride: 1, Width: 1},
				{Count: 4, Size: 3, Stride: 1, Width: 7},
				{Count: 2, Size: 3, Stride: 2, Width: 5},
				{Count: 3, Size: 2, Stride: 3, Width: 9},
			} {
				w.Channels = channels
				f(t, fmt.Sprintf("%v %+v", l, w), w, newSource(uint64(channels), i%2 == 1))
			}
		}
		f(t, fmt.Sprint(l, " large"), Windows{Count: 2, Size: MaxWindow, Stride: MaxWindow, Width: 2 * MaxWindow, Channels: 5}, newSource(1, true))
	})
}

// img is the least image that w takes, and tap the place of a tap in it.
func (w Windows) img() int { return ((w.Size-1)*w.Width + (w.Count-1)*w.Stride + w.Size) * w.Channels }

func (w Windows) tap(x, k, ch int) int {
	return (k/w.Size*w.Width+x*w.Stride+k%w.Size)*w.Channels + ch
}

// fewValues makes ties common.
func fewValues(r source, s []Float) []Float {
	for i := range r.fill(s) {
		if r.IntN(2) == 0 {
			s[i] = Float(r.IntN(3) - 1)
		}
	}
	return s
}

func TestWindowsMax(t *testing.T) {
	eachWindows(t, func(t *testing.T, what string, w Windows, r source) {
		img := fewValues(r, make([]Float, w.img()+1)[1:])
		pitch := ArgPitch(w.Channels)
		out, check := guarded(w.Count * w.Channels)
		arg := slices.Repeat([]uint8{99}, w.Count*pitch+20)
		want, wantArg := make([]Float, len(out)), slices.Clone(arg)
		for x := range w.Count {
			for ch := range w.Channels {
				best, at := img[w.tap(x, 0, ch)], 0
				for k := range w.Size * w.Size {
					if v := img[w.tap(x, k, ch)]; v > best {
						best, at = v, k
					}
				}
				want[x*w.Channels+ch], wantArg[x*pitch+ch] = best, uint8(at)
			}
		}
		w.Max(out, img, nil)
		compare(t, what, out, want)
		check(t, what)
		w.Max(out, img, arg[:w.Count*pitch])
		compare(t, what+" recorded", out, want)
		check(t, what)
		for i := range arg {
			unused := i < w.Count*pitch && i%pitch >= w.Channels
			if arg[i] != wantArg[i] && !unused {
				t.Fatalf("%s: record %v, want %v", what, arg, wantArg)
			}
		}
	})
}

// backward checks a backward pass over windows against want, which is called
// for each tap with its place, and the index of the tap and of the window.
func backward(t *testing.T, what string, w Windows, r source, run func(img, out []Float, sum bool), want func(out []Float, x, k, ch int) Float) {
	t.Helper()
	out := r.fill(make([]Float, w.Count*w.Channels))
	for _, sum := range []bool{w.Stride < w.Size, true} {
		img, check := guarded(w.img())
		wantImg := slices.Clone(r.fill(img))
		for x := range w.Count {
			for k := range w.Size * w.Size {
				for ch := range w.Channels {
					g, at := want(out, x, k, ch), w.tap(x, k, ch)
					if sum {
						g += wantImg[at]
					}
					wantImg[at] = g
				}
			}
		}
		run(img, out, sum)
		compare(t, what, img, wantImg)
		check(t, what)
	}
}

func TestWindowsMaxBackward(t *testing.T) {
	eachWindows(t, func(t *testing.T, what string, w Windows, r source) {
		pitch := ArgPitch(w.Channels)
		arg := make([]uint8, w.Count*pitch)
		for i := range arg {
			arg[i] = uint8(r.IntN(w.Size * w.Size))
		}
		backward(t, what, w, r, func(img, out []Float, sum bool) { w.MaxBackward(img, out, arg, sum) },
			func(out []Float, x, k, ch int) Float {
				if int(arg[x*pitch+ch]) == k {
					return out[x*w.Channels+ch]
				}
				return 0
			})
	})
}

func TestWindowsMean(t *testing.T) {
	eachWindows(t, func(t *testing.T, what string, w Windows, r source) {
		img := r.fill(make([]Float, w.img()+1)[1:])
		out, check := guarded(w.Count * w.Channels)
		factor := 1 / Float(w.Size*w.Size)
		want := make([]Float, len(out))
		for x := range w.Count {
			for ch := range w.Channels {
				var sum Float
				for k := range w.Size * w.Size {
					sum += img[w.tap(x, k, ch)]
				}
				want[x*w.Channels+ch] = sum * factor
			}
		}
		w.Mean(out, img, factor)
		compare(t, what, out, want)
		check(t, what)
		backward(t, what, w, r, func(img, out []Float, sum bool) { w.MeanBackward(img, out, factor, sum) },
			func(out []Float, x, _, ch int) Float { return Float(out[x*w.Channels+ch] * factor) })
	})
}

func TestBits(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		for n := range 65 {
			what := fmt.Sprintf("%v n=%d", l, n)
			r := newSource(uint64(n), n%2 == 1)
			words := make([]uint64, n%6)
			for i := range words {
				words[i] = r.Uint64()
			}
			dst, check := guarded(n)
			want := make([]Float, n)
			for i := range want {
				for _, w := range words {
					want[i] += Float(w >> i & 1)
				}
				want[i] *= 0.3
			}
			CountBits(dst, words, 0.3)
			compare(t, what+": count", dst, want)

			src, word := r.fill(make([]Float, n)), r.Uint64()
			selected := make([]Float, n)
			for i, x := range src {
				if word>>i&1 == 1 {
					selected[i] = x
				}
			}
			SelectBits(dst, src, word)
			compare(t, what+": select", dst, selected)
			copy(want, r.fill(dst))
			for i := range want {
				want[i] += selected[i]
			}
			AddSelected(dst, src, word)
			compare(t, what+": add selected", dst, want)
			check(t, what)
		}
	})
}

func TestPoolChecksLengths(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		f := func(n int) []Float { return make([]Float, n) }
		w := Windows{Count: 2, Size: 2, Stride: 2, Width: 4, Channels: 3}
		w.Max(f(6), f(24), make([]uint8, 32))
		panics(t, "short image", func() { w.Max(f(6), f(23), nil) })
		panics(t, "short result", func() { w.Mean(f(5), f(24), 1) })
		panics(t, "short record", func() { w.Max(f(6), f(24), make([]uint8, 31)) })
		panics(t, "no record", func() { w.MaxBackward(f(24), f(6), nil, false) })
		panics(t, "narrow image", func() { w.Width = 3; w.MeanBackward(f(24), f(6), 1, false) })
		panics(t, "large window", func() {
			Windows{Count: 1, Size: 17, Stride: 1, Width: 17, Channels: 1}.Max(f(1), f(289), make([]uint8, 16))
		})
		panics(t, "no size", func() { Windows{}.Max(nil, nil, nil) })
		panics(t, "65 bits", func() { CountBits(f(65), []uint64{1}, 1) })
		panics(t, "other length", func() { SelectBits(f(5), f(4), 1) })
	})
}

// BenchmarkPool pools rows of 24 pixels of an image by 2×2, and reports the
// bytes of image and result.
func BenchmarkPool(b *testing.B) {
	for _, channels := range []int{12, 32, 64, 256} {
		w := Windows{Count: 12, Size: 2, Stride: 2, Width: 24, Channels: channels}
		img := newSource(1, false).fill(make([]Float, 24*24*channels))
		out, arg := make([]Float, 12*channels), make([]uint8, 12*ArgPitch(channels))
		run := func(name string, f func(img []Float)) {
			b.Run(fmt.Sprintf("%s/%d", name, channels), func(b *testing.B) {
				benchLevels(b, func(b *testing.B) {
					for b.Loop() {
						for y := range 12 {
							f(img[2*y*24*channels:])
						}
					}
					rate(b, 4*float64(len(img)+12*len(out)), "GB/s")
				})
			})
		}
		run("max", func(img []Float) { w.Max(out, img, nil) })
		run("record", func(img []Float) { w.Max(out, img, arg) })
		run("max-backward", func(img []Float) { w.MaxBackward(img, out, arg, false) })
		run("mean", func(img []Float) { w.Mean(out, img, 0.25) })
		run("mean-backward", func(img []Float) { w.MeanBackward(img, out, 0.25, false) })
	}
}
