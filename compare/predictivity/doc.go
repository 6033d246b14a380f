// Package predictivity measures how well the responses of one system predict those of
// another to stimuli that the prediction was not fitted to (Yamins et al. 2014).
//
// X is n stimuli × p units of the predicting system, Y is n × q of the predicted one. A
// Mapping fits ŷ = ȳ + (x − x̄)W to some stimuli, of the others
//
//	r_j = Pearson's correlation of Ŷ_j with Y_j,   score = median of r_j over units j
//
// Ridge minimises ‖Y_c − X_cW‖² + penalty·‖W‖², LeastSquares is its limit, PLS takes
// directions of greatest covariance in turn, SingleUnit the one best unit. The noise
// of the predicted system bounds r: SplitHalf estimates that ceiling from repetitions,
// with the correction of Spearman and Brown, 2r/(1 + r).
//
// Splits are lists of stimuli: the same for the same seed, on any machine. Stimuli
// that resemble each other, such as frames of one film, belong in one fold: else the
// score is that of memory.
package predictivity
