package superspike

import (
	"fmt"
	"unsafe"

	"synfire/tensor"
	"synfire/train"
)

// Plan works out what a run will need: for each weight the largest gradient, the feedback,
// and for each sample that is learned from at once a sum; for each unit and step two numbers.
func (r Rule) Plan(s train.Setting) (train.Plan, error) {
	if err := r.Validate(); err != nil {
		return train.Plan{}, err
	}
	inputs, outputs, _, err := r.sizes(s)
	if err != nil {
		return train.Plan{}, err
	}
	const float = int64(unsafe.Sizeof(tensor.Float(0)))
	p := train.Plan{Window: s.Steps}
	units, at := 0, inputs
	for i, n := range append(append([]int{}, r.Hidden...), outputs) {
		weights := int64(at) * int64(n)
		p.Parameters += weights
		p.Layers = append(p.Layers, train.PlannedLayer{Name: fmt.Sprintf("layer%d", i+1), Output: tensor.Shape{n}, Parameters: weights})
		units, at = units+n, n
	}
	once := int64(max(1, min(s.Pool.Threads(), s.Batch)))
	raster := int64(s.Steps) * int64(max(1, s.Batch)) * int64((inputs+63)/64*8)
	p.Weights = float * p.Parameters * (4 + once)
	p.Train = p.Weights + raster + once*int64(s.Steps)*int64(units)*2*float
	const asked = 256 // samples of an evaluation
	p.Infer = float*p.Parameters*2 + asked*int64(s.Steps)*(int64((inputs+63)/64*8)+int64(outputs)*float)
	p.Train = max(p.Train, p.Weights+p.Infer)
	return p, nil
}
