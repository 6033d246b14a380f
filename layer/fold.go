package layer

import "synfire/tensor"

// Fold makes one affine layer of l followed by y = scale·x + shift for each of
// its output channels:
//
//	W' = W·scale,   b' = b·scale + shift
//
// It returns the layer, which has a bias, and its parameters, which are new;
// ok is false for a layer that is neither Linear nor Conv2D.
func Fold(l Layer, params []tensor.Tensor, scale, shift []tensor.Float) (folded Layer, p []tensor.Tensor, ok bool) {
	switch l := l.(type) {
	case Linear:
		l.NoBias = false
		folded = l
	case Conv2D:
		l.NoBias = false
		folded = l
	default:
		return nil, nil, false
	}
	n := len(scale)
	w, b := params[0].Clone(), tensor.New(n)
	for i := range w.Data {
		w.Data[i] *= scale[i%n]
	}
	copy(b.Data, shift)
	if len(params) > 1 {
		for j, v := range params[1].Data {
			b.Data[j] += tensor.Float(v * scale[j])
		}
	}
	return folded, []tensor.Tensor{w, b}, true
}
