package events

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"synfire/data"
	"synfire/sample"
	"synfire/tensor"
)

// Saccades is a source of images as an event camera sees them that looks at them in three
// saccades, as N-MNIST was recorded: a simulation. The gaze wanders along the sides of a
// triangle, 100 ms each. With the image's brightness I(x) in [0, 1], taken bilinearly and
// zero beyond the image, and the gaze p(t), pixel x has
//
//	L(x, t) = ln(0.1 + I(x + p(t)))
//
// and tells of each change of L by Contrast since its last event: channel 1 where it grew
// brighter, 0 where darker. Between steps of a millisecond L is taken for linear. There is no
// noise, no refractory time, and no threshold of a pixel's own; of the digits of MNIST it
// makes about as many events as N-MNIST has.
//
// The source's samples must be images of one channel. Those made have Margin pixels more on
// each side.
type Saccades struct{ sample.Source }

// What the camera is like.
const (
	Contrast = 0.25 // a change of L that is an event
	Margin   = 3    // pixels

	least     = Contrast * (1 - 1e-9) // a pixel that returns to where it was is not told from by the last bit
	floor     = 0.1                   // that keeps L finite where it is dark
	frames    = 300                   // steps
	perSecond = 1000
)

// corners are the triangle of the gaze, in pixels, as (x, y).
var corners = [3][2]float64{{-1.5, -1}, {1.5, -1}, {0, 2}}

// gaze is where the camera looks after so many steps.
func gaze(step int) (x, y float64) {
	const side = frames / len(corners)
	a, b := corners[step/side%len(corners)], corners[(step/side+1)%len(corners)]
	f := float64(step%side) / float64(side)
	return a[0] + f*(b[0]-a[0]), a[1] + f*(b[1]-a[1])
}

// NewSaccades looks at the images of a source. It returns an error for samples that are no
// images of one channel.
func NewSaccades(images sample.Source) (Saccades, error) {
	spec := images.Spec()
	if s := spec.Shape; spec.Events || spec.Steps > 0 || len(s) != 3 || s[2] != 1 || max(s[0], s[1]) > 1024 {
		return Saccades{}, fmt.Errorf("data: saccades: samples of shape %v, want images of one channel, [height, width, 1], of at most 1,024 pixels", spec.Shape)
	}
	return Saccades{images}, nil
}

// Spec is one of events on a camera of two channels.
func (s Saccades) Spec() sample.Spec {
	spec := s.Source.Spec()
	spec.Shape = tensor.Shape{spec.Shape[0] + 2*Margin, spec.Shape[1] + 2*Margin, 2}
	spec.Events, spec.Duration = true, float64(frames)/perSecond
	return spec
}

// Read looks at an image. Brightness outside [0, 1] is an error.
func (s Saccades) Read(ctx context.Context, i int, x *sample.Sample) error {
	var still sample.Sample
	shape := s.Source.Spec().Shape
	still.X = make([]tensor.Float, shape.Size())
	if err := s.Source.Read(ctx, i, &still); err != nil {
		return err
	}
	for k, v := range still.X {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("data: saccades: %s: pixel %d has the brightness %v, want 0 to 1: leave out normalize", s.Origin(i), k, v)
		}
	}
	x.Events = look(x.Events[:0], picture{still.X, shape[0], shape[1]})
	x.Targets = append(x.Targets, still.Targets...)
	return nil
}

// picture is an image that is dark beyond its borders.
type picture struct {
	pixels        []tensor.Float
	height, width int
}

func (p picture) at(y, x int) float64 {
	if y < 0 || x < 0 || y >= p.height || x >= p.width {
		return 0
	}
	return float64(p.pixels[y*p.width+x])
}

// level is L at a place of the picture.
func (p picture) level(y, x float64) float64 {
	j, i := int(math.Floor(y)), int(math.Floor(x))
	a, b, c, d := p.at(j, i), p.at(j, i+1), p.at(j+1, i), p.at(j+1, i+1)
	if a == 0 && b == 0 && c == 0 && d == 0 {
		return dark
	}
	v, u := y-float64(j), x-float64(i)
	return math.Log(floor + (1-v)*((1-u)*a+u*b) + v*((1-u)*c+u*d))
}

var dark = math.Log(floor)

// look appends the events of a picture in the order of time, and of places.
func look(to []sample.Event, p picture) []sample.Event {
	width := p.width + 2*Margin
	for unit := range (p.height + 2*Margin) * width {
		y, x := float64(unit/width-Margin), float64(unit%width-Margin)
		gx, gy := gaze(0)
		told := p.level(y+gy, x+gx) // at the last event
		before := told
		for k := 1; k <= frames; k++ {
			gx, gy = gaze(k)
			now := p.level(y+gy, x+gx)
			for ; math.Abs(now-told) > least; told += math.Copysign(Contrast, now-told) {
				brighter := int32(0)
				if now > told {
					brighter = 1
				}
				f := (told + math.Copysign(Contrast, now-told) - before) / (now - before)
				at := (float64(k-1) + min(max(f, 0), 1)) / perSecond
				to = append(to, sample.Event{Time: min(math.Round(at*micro), frames*micro/perSecond-1) / micro, Unit: int32(2*unit) + brighter})
			}
			before = now
		}
	}
	slices.SortStableFunc(to, func(a, b sample.Event) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Unit, b.Unit))
	})
	return to
}

// Simulated is a data set of images as Saccades sees them.
func Simulated(images data.Dataset, name string) data.Dataset {
	d := images
	d.Name, d.Title = name, images.Title+", looked at in simulated saccades"
	d.Load = func(ctx context.Context, o data.Options) (train, test sample.Source, err error) {
		if train, test, err = images.Load(ctx, o); err != nil {
			return nil, nil, err
		}
		a, err := NewSaccades(train)
		if err != nil || test == nil {
			return a, nil, err
		}
		b, err := NewSaccades(test)
		return a, b, err
	}
	return d
}
