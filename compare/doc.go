// Package compare measures how alike two representations of the same stimuli
// are: of brains, of networks, of spikes.
//
// Responses are a matrix X of n stimuli (rows) × p units (columns): rates,
// potentials, counts. Four families of measures look at it:
//
//	RSA             dissimilarities d_ij of the stimuli in X, and how the two lists
//	                of them agree (RDM, Similarity; Kriegeskorte et al. 2008)
//	CKA             ⟨K_c, L_c⟩ / (‖K_c‖·‖L_c‖) of centred Gram matrices K_c = HKH,
//	                H = I − 11ᵀ/n (LinearCKA …; Kornblith et al. 2019)
//	CCA             ρ = singular values of Q_xᵀQ_y, Q orthonormal bases of the
//	                centred columns (CCA, SVCCA, PWCCA; Raghu et al. 2017, Morcos et
//	                al. 2018)
//	predictivity    Pearson r of units of Y with what a linear map of X, fitted to
//	                other stimuli, says of them (package compare/predictivity)
//
// What leaves a measure unchanged, and so what it can not see:
//
//	measure                    rotation  scale  invertible map  shift
//	Euclidean RDM, then RSA    yes       yes    no              yes
//	correlation RDM            no        yes    no              along 1
//	linear, RBF CKA            yes       yes    no              yes
//	CCA                        yes       yes    yes             yes
//	SVCCA                      yes       yes    no              yes
//	PWCCA                      yes       yes    of Y            yes
//	least squares              yes       yes    of X            yes
//
// Trains of spikes enter by any distance between two of them (SpikeRDM), or as
// traces of van Rossum's filter (Traces), for which all measures above work.
//
// Inference (Bootstrap, PermutationTest, NoiseCeiling) follows Nili et al. 2014
// and Schütt et al. 2023. Results are the same for any number of threads.
//
// A value that does not exist, such as the correlation of a constant, comes as 0
// with an error that wraps ErrUndefined, so that a caller may let it stand. What is
// constant, zero or tied is so but for rounding: a computed dissimilarity carries a
// bound of its error (RDM.Rounding), responses are compared with their size before
// the mean is taken away. Responses may have any magnitude; where a result has none
// to lose, they are scaled by powers of two, which changes no bit.
//
// Metrics lists the measures that have names, with which commands run them.
package compare

import (
	"errors"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/internal/numeric"
)

// orZero lets a value that does not exist stand as 0.
func orZero(v float64, err error) (float64, error) {
	if errors.Is(err, ErrUndefined) {
		return 0, nil
	}
	return v, err
}

// gram is x·xᵀ.
func gram(x *mat.Dense) *mat.Dense {
	var k mat.Dense
	k.Mul(x, x.T())
	return &k
}

// frobenius is ⟨a, b⟩, the sum of the products of all elements.
func frobenius(a, b *mat.Dense) float64 {
	sum := 0.0
	for i := range a.RawMatrix().Rows {
		sum += numeric.Dot(a.RawRowView(i), b.RawRowView(i))
	}
	return sum
}

// ErrUndefined is wrapped by errors about values that do not exist for the data
// given, which are well formed: correlations of constants, above all.
var ErrUndefined = numeric.ErrUndefined
