package compare_test

import (
	"fmt"

	"gonum.org/v1/gonum/mat"

	"synfire/compare"
)

// Two recordings of the same four stimuli: by kernel alignment, and by the
// agreement of their dissimilarities.
func Example() {
	x := mat.NewDense(4, 3, []float64{1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 1, 1})
	y := mat.NewDense(4, 2, []float64{1, 2, 2, 0, 0, 1, 3, 3})
	cka, err := compare.LinearCKA(x, y)
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := compare.Euclidean(x)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := compare.Euclidean(y)
	if err != nil {
		fmt.Println(err)
		return
	}
	rsa, err := compare.Spearman(r, s)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("CKA %.3f, RSA %.3f\n", cka, rsa)
	// Output:
	// CKA 0.398, RSA -0.273
}
