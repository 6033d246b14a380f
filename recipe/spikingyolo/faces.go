package spikingyolo

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"synfire/convert"
	"synfire/convert/detector"
	"synfire/data/faces"
	"synfire/detect"
	"synfire/exchange/faceapi"
	"synfire/layer/temporal"
	"synfire/model"
	"synfire/recipe"
	"synfire/sample"
	"synfire/train"
)

// Arms of the face detector beside the others.
const (
	whole  = "rounding down"
	graded = "any number of spikes"
)

// faceArms are ways to convert the face detector, whose figures are compared by how far its output
// is off: nobody has marked the faces.
func faceArms() []arm {
	half := 0.5
	return append(arms(),
		arm{whole, "whole", "channel", convert.Options{Code: temporal.SigmaDelta}},
		arm{graded, "graded", "channel", convert.Options{Code: temporal.Graded, Start: &half}})
}

// faceClaims are those of the face detector.
var faceClaims = []string{facesLayerClaim, facesSuppressedClaim, facesCountClaim, facesHalfClaim, facesClaim, facesRoundClaim, facesGradedClaim}

// faces converts the tiny face detector of face-api, which learned elsewhere, on photos.
func (s *study) faces(ctx context.Context) error {
	if s.size.faceSteps == nil {
		for _, id := range faceClaims {
			s.Leave(id, "not at this scale")
		}
		return nil
	}
	if !s.Turn(ctx, model.Data{Name: faces.Name}, faceClaims...) {
		return s.Err()
	}
	files, err := faces.Detector(ctx, s.Env.Data)
	if err != nil {
		return err
	}
	g, _, err := faceapi.Read(files, faces.Manifest, faces.Side)
	if err != nil {
		return err
	}
	normalize := faceapi.Normalization()
	trainSet, testSet := s.Train(), s.Test()
	f := &found{
		key: "faces", dir: filepath.Join(s.Env.Out, "faces"), n: testSet.Len(), arms: map[string]detector.Result{}, cut: facesFrom,
		of: detector.Study{
			Study: convert.Study{Graph: g, Train: trainSet, Test: testSet, Normalize: &normalize, Steps: s.size.faceSteps, Samples: trainSet.Len(), Seed: s.Env.Seed, Pool: s.Env.Pool, Progress: s.progress(train.SplitTest)},
			Task:  faceapi.Task(),
		},
	}
	if err := os.MkdirAll(f.dir, 0o777); err != nil {
		return err
	}
	unmarked, err := f.of.Ordinary(ctx)
	if err != nil {
		return err
	}
	f.of.Test = marked{testSet, certain(unmarked.Pictures, f.cut)}
	if f.ordinary, err = f.of.Ordinary(ctx); err != nil {
		return err
	}
	for _, a := range faceArms() {
		r, err := s.kept(ctx, f, f.of, a, a.file, bare)
		if err != nil {
			return err
		}
		r.Ordinary = f.ordinary
		f.arms[a.name], f.named = r, append(f.named, recipe.NamedDetector{Name: a.name, Result: r})
		for _, p := range r.Points {
			key := fmt.Sprintf("faces_%s_t%d_", a.file, p.Steps)
			s.Metrics[key+"error"], s.Metrics[key+"map"], s.Metrics[key+"spikes_per_image"] = p.Error, p.MAP, p.Spikes
		}
	}
	s.judgeFaces(f)
	if s.lead == "" {
		last := f.arms[channel].Points[len(s.size.faceSteps)-1]
		s.lead = fmt.Sprintf("The output of a spiking face detector is off by %.3f of the ordinary one's after %d steps.", last.Error, last.Steps)
	}
	section, err := recipe.DetectorSection("Faces", f.named)
	section.Text = fmt.Sprintf("The tiny face detector of face-api, whose weights come with it, on %d photos at %d×%d pixels; scales are set by their mirror images. Nobody has marked the faces: mAP is by the boxes that the ordinary network finds with a score of %v or more, and says how far both agree.", f.n, faces.Side, faces.Side, f.cut)
	s.Sections = append(s.Sections, section)
	return err
}

// facesFrom is the score from which the ordinary network's boxes are faces, as in face-api.
const facesFrom = 0.5

// certain are the boxes of pictures with a score, without it.
func certain(pictures []detect.Picture, score float64) [][]sample.Box {
	all := make([][]sample.Box, len(pictures))
	for i, p := range pictures {
		for _, d := range p.Found {
			if d.Score >= score {
				all[i] = append(all[i], d.Box)
			}
		}
	}
	return all
}

// marked are samples whose boxes somebody else has found.
type marked struct {
	sample.Source
	boxes [][]sample.Box
}

func (m marked) Target(i, _ int) (sample.Target, error) {
	return sample.Target{Boxes: m.boxes[i]}, nil
}

func (m marked) Read(ctx context.Context, i int, x *sample.Sample) error {
	err := m.Source.Read(ctx, i, x)
	x.Targets = []sample.Target{{Boxes: m.boxes[i]}}
	return err
}

// judgeFaces compares by how far outputs are off.
func (s *study) judgeFaces(f *found) {
	// The largest ratio of the error of an arm to that of another, over steps.
	over := func(a, b string, last int) float64 {
		largest := math.Inf(-1)
		for i, p := range f.arms[a].Points {
			if p.Steps <= last {
				largest = max(largest, p.Error/f.arms[b].Points[i].Error)
			}
		}
		return largest
	}
	const all = math.MaxInt
	s.Claim(facesLayerClaim, over(channel, layerwise, all), f.n)
	s.Claim(facesSuppressedClaim, over(channel, suppressed, all), f.n)
	s.Claim(facesCountClaim, over(channel, counted, 64), f.n)
	s.Claim(facesHalfClaim, over(rounding, whole, all), f.n)
	for _, c := range []struct {
		claim, arm string
		steps      int
	}{{facesClaim, channel, 64}, {facesRoundClaim, rounding, 32}, {facesGradedClaim, graded, 64}} {
		if p, ok := f.at(c.arm, c.steps); ok {
			s.Claim(c.claim, p.Error, f.n)
		}
	}
}
