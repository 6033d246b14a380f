package recording

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"synfire/compare"
	"synfire/format/npz"
)

// maxRDMs is how many matrices are taken of an array.
const maxRDMs = 4096

// RDMs reads dissimilarity matrices from an NPY file, or an array of an NPZ file: NAME.npz:ARRAY,
// where the archive has several. See RDMsOf for the axes.
func RDMs(path string) ([]compare.RDM, error) {
	file, array := path, ""
	if i := strings.LastIndex(strings.ToLower(path), ".npz:"); i >= 0 {
		file, array = path[:i+4], path[i+5:]
	}
	a, err := readArray(file, array)
	if err != nil {
		return nil, err
	}
	v, err := a.Float64s()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	list, err := RDMsOf(v, a.Shape)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

func readArray(file, array string) (npz.Array, error) {
	if strings.EqualFold(filepath.Ext(file), ".npy") {
		f, err := os.Open(file)
		if err != nil {
			return npz.Array{}, err
		}
		defer f.Close()
		return npz.ReadNPY(f, npz.DefaultMax)
	}
	arrays, err := npz.ReadFile(file, npz.DefaultMax)
	if err != nil {
		return npz.Array{}, err
	}
	var names []string
	for name := range arrays {
		names = append(names, name)
	}
	slices.Sort(names)
	if array == "" && len(names) == 1 {
		array = names[0]
	}
	a, ok := arrays[array]
	if !ok {
		return a, fmt.Errorf("%s: no array %q; it has %q: name one as FILE.npz:ARRAY", file, array, names)
	}
	return a, nil
}

// RDMsOf is the matrices in an array of shape [..., n, n]: one, or one for each index of the
// first axis; further axes between, such as sessions of a subject, are averaged. A matrix must
// be symmetric, to a millionth of its largest entry; NaN is a missing entry, and missing in a
// mean where it is in all. The diagonal is not looked at.
func RDMsOf(v []float64, shape []int) ([]compare.RDM, error) {
	d := len(shape)
	if d < 2 || shape[d-1] != shape[d-2] || shape[d-1] < 2 {
		return nil, fmt.Errorf("an array of shape %v, want square matrices [..., n, n]", shape)
	}
	n, first := shape[d-1], 1
	if d > 2 {
		first = shape[0]
	}
	if first < 1 || first > maxRDMs || len(v)%(first*n*n) != 0 || len(v) == 0 {
		return nil, fmt.Errorf("an array of shape %v, want 1 to %d matrices", shape, maxRDMs)
	}
	var out []compare.RDM
	each := len(v) / first
	for i := range first {
		r, err := meanRDM(v[i*each:][:each], n)
		if err != nil {
			return nil, fmt.Errorf("matrix %d: %w", i, err)
		}
		out = append(out, r)
	}
	return out, nil
}

func meanRDM(v []float64, n int) (compare.RDM, error) {
	sum, count := mat.NewDense(n, n, nil), mat.NewDense(n, n, nil)
	largest := 0.0
	for k, x := range v {
		i, j := k/n%n, k%n
		if i != j && x == x {
			sum.Set(i, j, sum.At(i, j)+x)
			count.Set(i, j, count.At(i, j)+1)
			largest = max(largest, x, -x)
		}
	}
	for i := range n {
		for j := range n {
			if i != j {
				sum.Set(i, j, sum.At(i, j)/count.At(i, j))
			}
		}
	}
	for i := range n {
		for j := range i {
			a, b := sum.At(i, j), sum.At(j, i)
			if (a == a) != (b == b) || a-b > 1e-6*largest || b-a > 1e-6*largest {
				return compare.RDM{}, fmt.Errorf("entries %d, %d and %d, %d are %v and %v, want a symmetric matrix", i, j, j, i, a, b)
			}
		}
	}
	return compare.FromMatrix(sum)
}
