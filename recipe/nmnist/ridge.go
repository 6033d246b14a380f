package nmnist

import (
	"context"
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"synfire/sample"
	"synfire/tensor"
)

// blur is the deviation in pixels by which counts are blurred before they are compared.
const blur = 1.

// KernelRidge answers test images by kernel ridge regression on the classes as ±1, of
// the square roots of blurred images, scaled to length 1:
//
//	f(x) = k(x)ᵀ(K + λI)⁻¹Y,   k(x, z) = exp(−‖x − z‖²/(2·w·m))
//
// with m the median of squared distances. Width w and penalty λ are those of the least
// squared error when each training image is left out in turn.
func KernelRidge(ctx context.Context, train, test sample.Source) ([]int, error) {
	x, labels, err := blurred(ctx, train)
	if err != nil {
		return nil, err
	}
	z, _, err := blurred(ctx, test)
	if err != nil {
		return nil, err
	}
	classes := len(train.Spec().Targets[0].Classes)
	y := mat.NewDense(len(x), classes, nil)
	for i, label := range labels {
		for c := range classes {
			y.Set(i, c, -1)
		}
		y.Set(i, label, 1)
	}
	within, across := distances(x, x), distances(z, x)
	middle := median(within)
	least, best := math.Inf(1), (*mat.Dense)(nil)
	for _, width := range []float64{0.1, 0.3, 1} {
		for _, penalty := range []float64{1e-3, 1e-2, 1e-1} {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			alpha, loss, ok := fitKernel(within, y, width*middle, penalty)
			if !ok || loss >= least {
				continue
			}
			var f mat.Dense
			f.Mul(kernelOf(across, width*middle), alpha)
			least, best = loss, &f
		}
	}
	if best == nil {
		return nil, errors.New("nmnist: kernel ridge: every kernel is singular; are recordings of a fold the same?")
	}
	answers := make([]int, len(z))
	for i := range answers {
		row := best.RawRowView(i)
		answers[i] = slices.Index(row, slices.Max(row))
	}
	return answers, nil
}

// fitKernel is α = (K + λI)⁻¹Y and the squared error of leaving one out, α_i/((K + λI)⁻¹)_ii.
func fitKernel(d *mat.Dense, y *mat.Dense, width, penalty float64) (alpha *mat.Dense, loss float64, ok bool) {
	n, _ := d.Dims()
	k, g := kernelOf(d, width), mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			g.SetSym(i, j, k.At(i, j))
		}
		g.SetSym(i, i, k.At(i, i)+penalty)
	}
	var c mat.Cholesky
	var inverse mat.SymDense
	if !c.Factorize(g) || c.InverseTo(&inverse) != nil {
		return nil, 0, false
	}
	alpha = &mat.Dense{}
	alpha.Mul(&inverse, y)
	_, classes := y.Dims()
	for i := range n {
		for j := range classes {
			e := alpha.At(i, j) / inverse.At(i, i)
			loss += e * e
		}
	}
	return alpha, loss, true
}

func kernelOf(d *mat.Dense, width float64) *mat.Dense {
	var k mat.Dense
	k.Apply(func(_, _ int, v float64) float64 { return math.Exp(-v / (2 * width)) }, d)
	return &k
}

// distances are the squared distances of rows of length 1.
func distances(a, b [][]float64) *mat.Dense {
	var d mat.Dense
	d.Mul(matrix(a), matrix(b).T())
	d.Apply(func(_, _ int, v float64) float64 { return max(0, 2-2*v) }, &d)
	return &d
}

func matrix(rows [][]float64) *mat.Dense {
	m := mat.NewDense(len(rows), len(rows[0]), nil)
	for i, row := range rows {
		m.SetRow(i, row)
	}
	return m
}

func median(d *mat.Dense) float64 {
	v := slices.Clone(d.RawMatrix().Data)
	slices.Sort(v)
	return v[len(v)/2]
}

// blurred are the samples of a source as vectors of length 1, with their classes.
func blurred(ctx context.Context, src sample.Source) (rows [][]float64, labels []int, err error) {
	spec := src.Spec()
	for i := range src.Len() {
		s := sample.Sample{X: make([]tensor.Float, spec.Size())}
		if err := src.Read(ctx, i, &s); err != nil {
			return nil, nil, err
		}
		rows, labels = append(rows, unit(blurImage(s.X, spec.Shape))), append(labels, s.Targets[0].Class)
	}
	return rows, labels, nil
}

// blurImage blurs an image [h, w, channels], first along rows and then along columns;
// what lies outside is zero.
func blurImage(x []tensor.Float, shape tensor.Shape) []float64 {
	h, w, c := shape[0], shape[1], shape[2]
	const reach = 3
	var weights [2*reach + 1]float64
	for i := range weights {
		d := float64(i - reach)
		weights[i] = math.Exp(-d * d / (2 * blur * blur))
	}
	img := make([]float64, len(x))
	for i, v := range x {
		img[i] = float64(v)
	}
	along := func(size, stride, others int, start func(k int) int) {
		line := make([]float64, size)
		for k := range others {
			at := start(k)
			for i := range size {
				line[i] = 0
				for j := max(0, i-reach); j <= min(size-1, i+reach); j++ {
					line[i] += weights[j-i+reach] * img[at+j*stride]
				}
			}
			for i, v := range line {
				img[at+i*stride] = v
			}
		}
	}
	along(w, c, h*c, func(k int) int { return k/c*w*c + k%c })
	along(h, w*c, w*c, func(k int) int { return k })
	return img
}

// unit is the square roots of a vector, scaled to length 1.
func unit(v []float64) []float64 {
	sum := 0.0
	for i, x := range v {
		v[i] = math.Sqrt(x)
		sum += x
	}
	for i := range v {
		v[i] /= math.Sqrt(max(sum, math.SmallestNonzeroFloat64))
	}
	return v
}
