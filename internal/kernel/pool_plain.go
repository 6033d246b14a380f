//go:build !amd64 || purego || float64

package kernel

func (w Windows) max(out, img []Float, arg []uint8)   { w.maxGo(out, img, arg) }
func (w Windows) mean(out, img []Float, factor Float) { w.meanGo(out, img, factor) }

func (w Windows) maxBackward(img, out []Float, arg []uint8, sum bool) {
	w.maxBackwardGo(img, out, arg, sum)
}

func (w Windows) meanBackward(img, out []Float, factor Float, sum bool) {
	w.meanBackwardGo(img, out, factor, sum)
}

func countTaps(dst []Float, words []uint64, factor Float) { countBitsGo(dst, words, factor) }
func selectBits(dst, src []Float, word uint64)            { selectBitsGo(dst, src, word) }
func addSelected(dst, src []Float, word uint64)           { addSelectedGo(dst, src, word) }
