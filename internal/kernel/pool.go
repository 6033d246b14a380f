package kernel

import "fmt"

// Windows is a row of pooling windows over an image [height, width, channels]:
// the rows of pixels that they cover start at img[0], and window x covers
// columns [x·Stride, x·Stride+Size). Tap k of a window is its pixel in row
// k / Size and column k mod Size; tap(x, k, ch) in the loops below is
//
//	(k/Size*Width+x*Stride+k%Size)*Channels + ch
//
// The result of window x stands at out[x·Channels], and where the index of its
// largest tap is recorded, at arg[x·ArgPitch(Channels)].
type Windows struct {
	Count    int // windows in the row
	Size     int // of a window, in pixels
	Stride   int // from one window to the next, in pixels
	Width    int // of the image, in pixels
	Channels int
}

// MaxWindow is the largest Size whose taps a record can hold.
const MaxWindow = 16

// ArgPitch is the number of bytes of a record for each window: its channels,
// filled up to whole vectors.
func ArgPitch(channels int) int { return (channels + 15) &^ 15 }

// Max takes the largest tap of each window, per channel. The first of equal
// ones wins, and a first one that is not a number stays. Its index goes to
// arg, unless that is nil:
//
//	for x := range Count {
//		for ch := range Channels {
//			best, at := img[tap(x, 0, ch)], 0
//			for k := range Size * Size {
//				if v := img[tap(x, k, ch)]; v > best {
//					best, at = v, k
//				}
//			}
//			out[x*Channels+ch], arg[x*ArgPitch(Channels)+ch] = best, at
//		}
//	}
func (w Windows) Max(out, img []Float, arg []uint8) {
	w.check("kernel.Windows.Max", len(out), len(img))
	if arg != nil {
		w.checkArg("kernel.Windows.Max", len(arg))
	}
	if w.Count > 0 && w.Channels > 0 {
		w.max(out, img, arg)
	}
}

// MaxBackward sends the error of each window to the tap that Max recorded. It
// writes all taps of all windows, zeros to the others; with sum it adds to
// them instead, as windows that overlap need:
//
//	for x := range Count {
//		for k := range Size * Size {
//			for ch := range Channels {
//				g := 0
//				if arg[x*ArgPitch(Channels)+ch] == k {
//					g = out[x*Channels+ch]
//				}
//				img[tap(x, k, ch)] = g   // sum: += g
//			}
//		}
//	}
func (w Windows) MaxBackward(img, out []Float, arg []uint8, sum bool) {
	w.check("kernel.Windows.MaxBackward", len(out), len(img))
	w.checkArg("kernel.Windows.MaxBackward", len(arg))
	if w.Count > 0 && w.Channels > 0 {
		w.maxBackward(img, out, arg, sum)
	}
}

// Mean is the sum of each window's taps, ascending from zero, times factor:
//
//	for x := range Count {
//		for ch := range Channels {
//			sum := 0
//			for k := range Size * Size {
//				sum += img[tap(x, k, ch)]
//			}
//			out[x*Channels+ch] = sum * factor
//		}
//	}
func (w Windows) Mean(out, img []Float, factor Float) {
	w.check("kernel.Windows.Mean", len(out), len(img))
	if w.Count > 0 && w.Channels > 0 {
		w.mean(out, img, factor)
	}
}

// MeanBackward writes the error of each window, times factor, to all its taps;
// with sum it adds it to them:
//
//	for x := range Count {
//		for k := range Size * Size {
//			for ch := range Channels {
//				img[tap(x, k, ch)] = Float(out[x*Channels+ch] * factor)   // sum: +=
//			}
//		}
//	}
func (w Windows) MeanBackward(img, out []Float, factor Float, sum bool) {
	w.check("kernel.Windows.MeanBackward", len(out), len(img))
	if w.Count > 0 && w.Channels > 0 {
		w.meanBackward(img, out, factor, sum)
	}
}

// CountBits writes to dst[i], for up to 64 of them, how many of the words have
// bit i set, times factor. One word and factor 1 unpack bits:
//
//	for i := range dst {
//		count := 0
//		for _, w := range words {
//			count += w >> i & 1
//		}
//		dst[i] = Float(count) * factor
//	}
func CountBits(dst []Float, words []uint64, factor Float) {
	checkBits("kernel.CountBits: dst", len(dst))
	switch {
	case len(words) == 0:
		clear(dst)
	case len(dst) > 0:
		countTaps(dst, words, factor)
	}
}

// SelectBits copies src to dst where word has a bit set, and writes zeros
// elsewhere, for up to 64 elements:
//
//	for i, x := range src {
//		if word>>i&1 == 0 {
//			x = 0
//		}
//		dst[i] = x   // AddSelected: += x
//	}
func SelectBits(dst, src []Float, word uint64) {
	checkEqual("kernel.SelectBits: dst", len(dst), len(src))
	checkBits("kernel.SelectBits: dst", len(dst))
	if len(dst) > 0 {
		selectBits(dst, src, word)
	}
}

// KeepBits clears the elements of x whose bit is not set: of element i, bit i mod 64 of
// word i/64.
func KeepBits(x []Float, words []uint64) {
	if len(words) != (len(x)+63)/64 {
		panic(fmt.Sprintf("kernel.KeepBits: %d words for %d elements", len(words), len(x)))
	}
	whole := len(x) / 64
	if whole > 0 {
		keepBits(x[:64*whole], words)
	}
	if rest := x[64*whole:]; len(rest) > 0 {
		selectBits(rest, rest, words[whole])
	}
}

// AddSelected is SelectBits, but adds to dst.
func AddSelected(dst, src []Float, word uint64) {
	checkEqual("kernel.AddSelected: dst", len(dst), len(src))
	checkBits("kernel.AddSelected: dst", len(dst))
	if len(dst) > 0 {
		addSelected(dst, src, word)
	}
}

func (w Windows) check(name string, out, img int) {
	if w.Size < 1 || w.Stride < 1 || w.Count < 0 || w.Channels < 0 {
		panic(fmt.Sprintf("%s: %+v: want a size and a stride of at least 1", name, w))
	}
	covered := (w.Count-1)*w.Stride + w.Size // pixels of a row
	if w.Count > 0 && (covered > w.Width || img < ((w.Size-1)*w.Width+covered)*w.Channels) {
		panic(fmt.Sprintf("%s: %d elements of rows of %d pixels hold no windows %+v", name, img, w.Width, w))
	}
	if out < w.Count*w.Channels {
		panic(fmt.Sprintf("%s: %d results of %d windows of %d channels", name, out, w.Count, w.Channels))
	}
}

func (w Windows) checkArg(name string, arg int) {
	if w.Size > MaxWindow || arg < w.Count*ArgPitch(w.Channels) {
		panic(fmt.Sprintf("%s: %d bytes hold no record of %+v: want %d, and a size of at most %d",
			name, arg, w, w.Count*ArgPitch(w.Channels), MaxWindow))
	}
}

func checkBits(name string, n int) {
	if n > 64 {
		panic(fmt.Sprintf("%s: %d elements, want at most the 64 of a word", name, n))
	}
}

// The plain Go level.

// eachTap calls f for each tap of each window, windows first: with the index
// of the tap and where its channels and those of its window's result begin.
func (w Windows) eachTap(f func(x, k, at int)) {
	for x := range w.Count {
		for k := range w.Size * w.Size {
			f(x, k, (k/w.Size*w.Width+x*w.Stride+k%w.Size)*w.Channels)
		}
	}
}

func (w Windows) maxGo(out, img []Float, arg []uint8) {
	pitch := ArgPitch(w.Channels)
	w.eachTap(func(x, k, at int) {
		best, src := out[x*w.Channels:][:w.Channels], img[at:][:w.Channels]
		var index []uint8
		if arg != nil {
			index = arg[x*pitch:][:pitch]
		}
		if k == 0 {
			copy(best, src)
			clear(index)
			return
		}
		for ch, v := range src {
			if v > best[ch] {
				best[ch] = v
				if index != nil {
					index[ch] = uint8(k)
				}
			}
		}
	})
}

func (w Windows) maxBackwardGo(img, out []Float, arg []uint8, sum bool) {
	pitch := ArgPitch(w.Channels)
	w.eachTap(func(x, k, at int) {
		dst, index := img[at:][:w.Channels], arg[x*pitch:]
		for ch, g := range out[x*w.Channels:][:w.Channels] {
			if int(index[ch]) != k {
				g = 0
			}
			if sum {
				g += dst[ch]
			}
			dst[ch] = g
		}
	})
}

func (w Windows) meanGo(out, img []Float, factor Float) {
	clear(out[:w.Count*w.Channels])
	w.eachTap(func(x, _, at int) {
		addGo(out[x*w.Channels:][:w.Channels], img[at:][:w.Channels])
	})
	scaleGo(out[:w.Count*w.Channels], factor)
}

func (w Windows) meanBackwardGo(img, out []Float, factor Float, sum bool) {
	w.eachTap(func(x, _, at int) {
		dst := img[at:][:w.Channels]
		for ch, g := range out[x*w.Channels:][:w.Channels] {
			g = Float(g * factor)
			if sum {
				g += dst[ch]
			}
			dst[ch] = g
		}
	})
}

func countBitsGo(dst []Float, words []uint64, factor Float) {
	for i := range dst {
		var count Float
		for _, w := range words {
			count += Float(w >> i & 1)
		}
		dst[i] = count * factor
	}
}

func selectBitsGo(dst, src []Float, word uint64) {
	for i, x := range src {
		if word>>i&1 == 0 {
			x = 0
		}
		dst[i] = x
	}
}

func addSelectedGo(dst, src []Float, word uint64) {
	for i, x := range src {
		if word>>i&1 == 0 {
			x = 0
		}
		dst[i] += x
	}
}
