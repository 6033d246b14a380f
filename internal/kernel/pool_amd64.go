//go:build !purego && !float64

package kernel

// poolBlock is the number of channels that a call of the assembly takes.
func poolBlock(l Level) int {
	if l == AVX512 {
		return 64
	}
	return 32
}

// steps are the strides of w in floats: from a pixel to the next, a window to
// the next, and a row to the next.
func (w Windows) steps() (pixel, step, ld int) {
	return w.Channels, w.Stride * w.Channels, w.Width * w.Channels
}

func (w Windows) max(out, img []Float, arg []uint8) {
	level := Current()
	if level == Go {
		w.maxGo(out, img, arg)
		return
	}
	pixel, step, ld := w.steps()
	pitch, block := ArgPitch(w.Channels), poolBlock(level)
	for ch := 0; ch < w.Channels; ch += block {
		n := min(block, w.Channels-ch)
		switch {
		case level == AVX512 && arg == nil:
			maxPoolAVX512(&out[ch], &img[ch], w.Count, n, w.Size, pixel, step, ld)
		case level == AVX512:
			maxPoolRecordAVX512(&out[ch], &img[ch], &arg[ch], pitch, w.Count, n, w.Size, pixel, step, ld)
		case arg == nil:
			maxPoolAVX2(&out[ch], &img[ch], w.Count, n, w.Size, pixel, step, ld)
		default:
			maxPoolRecordAVX2(&out[ch], &img[ch], &arg[ch], pitch, w.Count, n, w.Size, pixel, step, ld)
		}
	}
}

func (w Windows) maxBackward(img, out []Float, arg []uint8, sum bool) {
	level := Current()
	if level == Go {
		w.maxBackwardGo(img, out, arg, sum)
		return
	}
	pixel, step, ld := w.steps()
	pitch, block := ArgPitch(w.Channels), poolBlock(level)
	for ch := 0; ch < w.Channels; ch += block {
		n := min(block, w.Channels-ch)
		switch {
		case level == AVX512 && sum:
			maxPoolAddAVX512(&img[ch], &out[ch], &arg[ch], pitch, w.Count, n, w.Size, pixel, step, ld)
		case level == AVX512:
			maxPoolWriteAVX512(&img[ch], &out[ch], &arg[ch], pitch, w.Count, n, w.Size, pixel, step, ld)
		case sum:
			maxPoolAddAVX2(&img[ch], &out[ch], &arg[ch], pitch, w.Count, n, w.Size, pixel, step, ld)
		default:
			maxPoolWriteAVX2(&img[ch], &out[ch], &arg[ch], pitch, w.Count, n, w.Size, pixel, step, ld)
		}
	}
}

func (w Windows) mean(out, img []Float, factor Float) {
	level := Current()
	if level == Go {
		w.meanGo(out, img, factor)
		return
	}
	pixel, step, ld := w.steps()
	block := poolBlock(level)
	for ch := 0; ch < w.Channels; ch += block {
		n := min(block, w.Channels-ch)
		if level == AVX512 {
			meanPoolAVX512(&out[ch], &img[ch], &factor, w.Count, n, w.Size, pixel, step, ld)
		} else {
			meanPoolAVX2(&out[ch], &img[ch], &factor, w.Count, n, w.Size, pixel, step, ld)
		}
	}
}

func (w Windows) meanBackward(img, out []Float, factor Float, sum bool) {
	level := Current()
	if level == Go {
		w.meanBackwardGo(img, out, factor, sum)
		return
	}
	pixel, step, ld := w.steps()
	block := poolBlock(level)
	for ch := 0; ch < w.Channels; ch += block {
		n := min(block, w.Channels-ch)
		switch {
		case level == AVX512 && sum:
			meanPoolAddAVX512(&img[ch], &out[ch], &factor, w.Count, n, w.Size, pixel, step, ld)
		case level == AVX512:
			meanPoolWriteAVX512(&img[ch], &out[ch], &factor, w.Count, n, w.Size, pixel, step, ld)
		case sum:
			meanPoolAddAVX2(&img[ch], &out[ch], &factor, w.Count, n, w.Size, pixel, step, ld)
		default:
			meanPoolWriteAVX2(&img[ch], &out[ch], &factor, w.Count, n, w.Size, pixel, step, ld)
		}
	}
}

func countTaps(dst []Float, words []uint64, factor Float) {
	switch Current() {
	case AVX512:
		countBitsAVX512(&dst[0], len(dst), &words[0], len(words), &factor)
	case AVX2:
		countBitsAVX2(&dst[0], len(dst), &words[0], len(words), &factor)
	default:
		countBitsGo(dst, words, factor)
	}
}

func selectBits(dst, src []Float, word uint64) {
	switch Current() {
	case AVX512:
		selectBitsAVX512(&dst[0], &src[0], len(dst), &word)
	case AVX2:
		selectBitsAVX2(&dst[0], &src[0], len(dst), &word)
	default:
		selectBitsGo(dst, src, word)
	}
}

func addSelected(dst, src []Float, word uint64) {
	switch Current() {
	case AVX512:
		addSelectedAVX512(&dst[0], &src[0], len(dst), &word)
	case AVX2:
		addSelectedAVX2(&dst[0], &src[0], len(dst), &word)
	default:
		addSelectedGo(dst, src, word)
	}
}
