package kernel

// Transpose writes rows of src, of cols floats lds apart, as the columns of dst, whose
// rows are ld apart. They must not overlap:
//
//	for i := range cols {
//		for j := range rows {
//			dst[i*ld+j] = src[j*lds+i]
//		}
//	}
func Transpose(dst []Float, ld int, src []Float, lds, rows, cols int) {
	checkMatrix("kernel.Transpose: dst", dst, ld, cols, rows)
	checkMatrix("kernel.Transpose: src", src, lds, rows, cols)
	if rows < 8 || cols < 8 {
		transposeGo(dst, ld, src, lds, rows, cols)
		return
	}
	transpose(dst, ld, src, lds, rows, cols)
}

func transposeGo(dst []Float, ld int, src []Float, lds, rows, cols int) {
	for j := range rows {
		for i, v := range src[j*lds:][:cols] {
			dst[i*ld+j] = v
		}
	}
}
