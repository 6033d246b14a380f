package loss

import (
	"fmt"

	"synfire/encode"
)

// WeightedCrossEntropy is the cross-entropy of the softmax over spikes of which
// the early ones count more, score = Σ_t Factor^t·o[t]; see encode.Weighted.
//
//	L = −log softmax(Σ_t m^t·o[t])[label]
type WeightedCrossEntropy struct {
	classes
	Factor float64 `yaml:"factor"` // in (0, 1]; 0: 0.9
}

// Validate returns an error unless Factor is in (0, 1], or 0.
func (l WeightedCrossEntropy) Validate() error {
	if l.Factor >= 0 && l.Factor <= 1 {
		return nil
	}
	return fmt.Errorf("loss weighted-cross-entropy: factor is %v, want one in (0, 1], such as 0.9", l.Factor)
}

// Score reads the weighted sums.
func (l WeightedCrossEntropy) Score(c *Call) error { return c.score(l.decoder()) }

// Eval computes the loss.
func (l WeightedCrossEntropy) Eval(c *Call) (float64, error) {
	return decoded(l.decoder(), crossEntropy, c)
}

func (l WeightedCrossEntropy) decoder() encode.Decoder {
	if l.Factor == 0 {
		l.Factor = 0.9
	}
	return encode.Weighted{Factor: l.Factor}
}
