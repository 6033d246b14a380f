// Package linmap holds linear maps as values: dense matrices and convolutions, which are
// one type, Map, and poolings, Pool. A map knows its geometry, shape in and shape out,
// and computes in three directions, one sample at a time:
//
//	Forward    y += A x
//	Transpose  x += Aᵀ y
//	Outer      W' += ∂⟨y, A x⟩/∂W
//
// so that ⟨y, A x⟩ = ⟨Aᵀ y, x⟩. The layers of a network use its pieces on whole
// signals; learning rules use a map as it is, and write no convolution of their own.
//
// Arrays are row-major with channels last, images [height, width, channels], weights
// [kernel height, kernel width, channels in, channels out].
//
// Elements that are zero are left out where enough of them are. An element of a product
// is one chain of fused multiply-adds in ascending order, so that this changes no bit.
package linmap
