package distance

import "synfire/spike"

// VanRossum is the distance of the trains' traces f(t) = Σ_{u_i ≤ t} e^{−(t−u_i)/τ}
// (van Rossum 2001), scaled so that one spike against none gives 1:
//
//	D² = (2/τ)·∫ (f − g)² dt = K(u,u) + K(v,v) − 2K(u,v),   K(a,b) = Σ_ij e^{−|a_i−b_j|/τ}
//
// The root D is a metric. The window does not matter.
type VanRossum struct {
	Tau     float64 // τ, in the unit of the trains; 0 and +Inf are allowed
	Squared bool    // D² in place of D
}

// Name is "van-rossum".
func (VanRossum) Name() string { return "van-rossum" }

// Distance is D, or D².
func (m VanRossum) Distance(a, b spike.Train) (float64, error) { return 0, errNotYet }
