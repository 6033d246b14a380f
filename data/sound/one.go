package sound

import (
	"errors"
	"fmt"

	"synfire/format/wav"
	"synfire/sample"
	"synfire/tensor"
)

// One cuts a sound by itself into frames, for a model that was trained on such. It is a
// data.Single. A sound of another rate than those of training is an error.
func (w WAV) One(content []byte, spec sample.Spec, s *sample.Sample) error {
	sound, err := wav.Decode(content)
	if err != nil {
		return err
	}
	frames := len(sound.Samples) / sound.Channels
	if frames == 0 {
		return errors.New("the sound has no samples")
	}
	if spec.Rate > 0 && sound.Rate != spec.Rate {
		return fmt.Errorf("the sound is at %d Hz, those of training at %d Hz; convert it", sound.Rate, spec.Rate)
	}
	cut, err := w.cutter(wav.Info{Rate: sound.Rate, Channels: sound.Channels})
	if err != nil {
		return err
	}
	if !cut.shape().Equal(spec.Shape) {
		return fmt.Errorf("the sound has %d channels and gives frames of %v, the model takes %v; mix the channels", sound.Channels, cut.shape(), spec.Shape)
	}
	s.X = make([]tensor.Float, cut.steps(frames)*spec.Shape.Size())
	cut.cut(s.X, sound.Samples)
	return nil
}
