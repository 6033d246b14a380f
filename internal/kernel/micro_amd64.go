//go:build !purego && !float64

package kernel

// micro adds A·B to a tile of C: as many rows as its place in a table says and
// width columns, in k ≥ 1 steps.
type micro func(k int, a *float32, lda int, b *float32, ldb int, c *float32, ldc, width int)

// byRows are the micro-kernels that read A row-major, lda between its rows;
// bySteps those that read its transpose, lda between steps of k. They stand
// under level, vectors of a row less one, and rows.
var (
	byRows = [...][2][]micro{
		AVX2: {
			{
				1: microRowsAVX2x1x1, microRowsAVX2x2x1, microRowsAVX2x3x1, microRowsAVX2x4x1, microRowsAVX2x5x1,
				microRowsAVX2x6x1,
			},
			{
				1: microRowsAVX2x1x2, microRowsAVX2x2x2, microRowsAVX2x3x2, microRowsAVX2x4x2, microRowsAVX2x5x2,
				microRowsAVX2x6x2,
			},
		},
		AVX512: {
			{
				1: microRowsAVX512x1x1, microRowsAVX512x2x1, microRowsAVX512x3x1, microRowsAVX512x4x1, microRowsAVX512x5x1,
				microRowsAVX512x6x1, microRowsAVX512x7x1, microRowsAVX512x8x1, microRowsAVX512x9x1, microRowsAVX512x10x1,
				microRowsAVX512x11x1, microRowsAVX512x12x1,
			},
			{
				1: microRowsAVX512x1x2, microRowsAVX512x2x2, microRowsAVX512x3x2, microRowsAVX512x4x2, microRowsAVX512x5x2,
				microRowsAVX512x6x2, microRowsAVX512x7x2, microRowsAVX512x8x2, microRowsAVX512x9x2, microRowsAVX512x10x2,
				microRowsAVX512x11x2, microRowsAVX512x12x2,
			},
		},
	}
	bySteps = [...][2][]micro{
		AVX2: {
			{
				1: microStepsAVX2x1x1, microStepsAVX2x2x1, microStepsAVX2x3x1, microStepsAVX2x4x1, microStepsAVX2x5x1,
				microStepsAVX2x6x1,
			},
			{
				1: microStepsAVX2x1x2, microStepsAVX2x2x2, microStepsAVX2x3x2, microStepsAVX2x4x2, microStepsAVX2x5x2,
				microStepsAVX2x6x2,
			},
		},
		AVX512: {
			{
				1: microStepsAVX512x1x1, microStepsAVX512x2x1, microStepsAVX512x3x1, microStepsAVX512x4x1,
				microStepsAVX512x5x1, microStepsAVX512x6x1, microStepsAVX512x7x1, microStepsAVX512x8x1,
				microStepsAVX512x9x1, microStepsAVX512x10x1, microStepsAVX512x11x1, microStepsAVX512x12x1,
			},
			{
				1: microStepsAVX512x1x2, microStepsAVX512x2x2, microStepsAVX512x3x2, microStepsAVX512x4x2,
				microStepsAVX512x5x2, microStepsAVX512x6x2, microStepsAVX512x7x2, microStepsAVX512x8x2,
				microStepsAVX512x9x2, microStepsAVX512x10x2, microStepsAVX512x11x2, microStepsAVX512x12x2,
			},
		},
	}
)

// wideMicro adds A·B to a few rows of C across several panels of B, panel
// floats apart: so that as many chains run at once as can be started before
// the first ends.
type wideMicro struct {
	panels int
	run    func(k int, a *float32, lda int, b *float32, ldb, panel int, c *float32, ldc int)
}

// wides are the kernels for few rows, under level and rows.
var wides = [...][4][]wideMicro{
	AVX2:   {1: {{4, wideAVX2x1x4}, {2, wideAVX2x1x2}}, 2: {{2, wideAVX2x2x2}}, 3: {{2, wideAVX2x3x2}}},
	AVX512: {1: {{4, wideAVX512x1x4}, {2, wideAVX512x1x2}}, 2: {{2, wideAVX512x2x2}}, 3: {{2, wideAVX512x3x2}}},
}
