// Package joint trains an ordinary and a spiking network at once, on one set of weights W. It
// is the reader's idea; Guo et al. (arXiv 2305.02099) have a related one.
//
// # Branches
//
// The ordinary branch sees the sample x, the spiking one T steps of it (or spikes drawn by
// it). With the threshold θ_l of population l, whose first spike follows its layer's input
// after d_l steps in all, and Λ_l = Π_{k≤l} θ_k,
//
//	a_0 = x,   a_l = min(max(W_l a_{l−1}, 0), Λ_l),                ℓ^A = W a_L
//	r_l = Σ_t s_l[t] / (T − d_l),                                  ℓ^S = Λ_L Σ_t W s_L[t] / (T − d_L)
//
// A spike of layer l stands for Λ_l: so a_l ≈ Λ_l r_l and ℓ^A ≈ ℓ^S, in the same unit.
//
// # Objective
//
// With the cross-entropy CE, and what stands in sg(…) taken for constant,
//
//	J   = (1 − μ) L_A + μ (L_S + κ_D L_D + κ_R L_R)
//	L_A = CE(ℓ^A, y),   L_S = CE(ℓ^S, y)
//	L_D = τ² KL(softmax(sg(ℓ^A)/τ) ‖ softmax(ℓ^S/τ))               the ordinary branch teaches
//	L_R = (1/L) Σ_l mean over units of (r_l − sg(a_l)/Λ_l)²        rates follow activations
//
// L_R counts with μ, so that while μ = 0 the spiking branch does not run at all. While μ = 1
// nothing trains the ordinary branch, and it does not teach: L_D and L_R are left out.
//
// # Gradient
//
// g_A is by backpropagation, g_S through time with each population's surrogate (stdb), or
// through the rates (tandem; Wu et al., arXiv 1907.01167). Spiking gradients differ in size
// from layer to layer, so those of a layer are brought to the size of the others:
//
//	g = (1 − μ) g_A + μ ρ g_S,   ρ ← 0.99 ρ + 0.01 min(10, ‖g_A‖/‖g_S‖)
//
// Where g_A·g_S < 0, in the last part of a run, g_A may lose its component along g_S. There is
// one optimiser with one state. ρ is 1 before both branches learn, and stays when one does.
//
// # Thresholds
//
// θ_l = s·q_l, with q_l a high percentile of the weighted sums of spikes that population l
// sees, layer after layer, each at the thresholds q below it (Rathi et al., ICLR 2020, take
// the largest). They are measured anew on a batch each track batches: as long as the ordinary
// branch learns alone they replace those before, later θ ← 0.9 θ + 0.1 s q. At the first step
// of the spiking branch the ordinary one begins to saturate at Λ.
//
// # Limits
//
// The network is a chain without biases and normalisation, since a sum of spikes is the
// activation but for a factor. One schedule of μ covers the ways to compare: the ordinary
// network alone (and its conversion), one after the other, the spiking one from scratch.
package joint
