package events

import "synfire/sample"

// One decodes a recording by itself, for a model that was trained on such. It is a
// data.Single.
func (e NMNIST) One(content []byte, spec sample.Spec, s *sample.Sample) (err error) {
	s.Events, err = Decode(s.Events, content, spec.Shape)
	return err
}
