package spokendigits

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/predictivity"
	"synfire/sample"
	"synfire/tensor"
)

// parts is how many parts of time a recording is cut into for ridge regression.
const parts = 10

// ridge answers recordings by ridge regression of the classes, as 0 and 1, on features that are
// moved to mean 0 and deviation 1 by those of training. The penalty is the decade of the least
// squared error when each training recording is left out in turn.
func ridge(ctx context.Context, train, test sample.Source) (answers, labels []int, err error) {
	x, known, err := features(ctx, train)
	if err != nil {
		return nil, nil, err
	}
	z, labels, err := features(ctx, test)
	if err != nil {
		return nil, nil, err
	}
	standardise(x, z)
	y := mat.NewDense(len(known), len(train.Spec().Targets[0].Classes), nil)
	for i, class := range known {
		y.Set(i, class, 1)
	}
	m, err := predictivity.RidgeCV{}.Fit(x, y)
	if err != nil {
		return nil, nil, err
	}
	scores, err := m.Predict(z)
	if err != nil {
		return nil, nil, err
	}
	for i := range labels {
		row := scores.RawRowView(i)
		answers = append(answers, slices.Index(row, slices.Max(row)))
	}
	return answers, labels, nil
}

// features are the mean bands of the parts of each recording, whatever it lasts, with the classes.
func features(ctx context.Context, src sample.Source) (*mat.Dense, []int, error) {
	spec := src.Spec()
	size := spec.Shape.Size()
	x, labels := mat.NewDense(src.Len(), parts*size, nil), make([]int, src.Len())
	for i := range labels {
		s := sample.Sample{X: make([]tensor.Float, spec.Size())}
		if err := src.Read(ctx, i, &s); err != nil {
			return nil, nil, err
		}
		length := spec.Steps
		if s.Length > 0 {
			length = int(s.Length)
		}
		row := x.RawRowView(i)
		for k := range parts {
			lo := k * length / parts
			hi := max(lo+1, (k+1)*length/parts)
			for t := lo; t < hi; t++ {
				for m, v := range s.X[t*size:][:size] {
					row[k*size+m] += float64(v) / float64(hi-lo)
				}
			}
		}
		labels[i] = s.Targets[0].Class
	}
	return x, labels, nil
}

// standardise moves the columns of x to mean 0 and deviation 1, and those of z with them.
func standardise(x, z *mat.Dense) {
	n, columns := x.Dims()
	for j := range columns {
		var mean, squares float64
		for i := range n {
			mean += x.At(i, j) / float64(n)
		}
		for i := range n {
			squares += (x.At(i, j) - mean) * (x.At(i, j) - mean)
		}
		deviation := math.Sqrt(squares / float64(n))
		if deviation == 0 {
			deviation = 1
		}
		for _, m := range []*mat.Dense{x, z} {
			rows, _ := m.Dims()
			for i := range rows {
				m.Set(i, j, (m.At(i, j)-mean)/deviation)
			}
		}
	}
}
