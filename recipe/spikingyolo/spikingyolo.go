// Package spikingyolo is the recipe of a spiking detector: an ordinary network that finds objects
// is trained with the head of YOLOv2 and converted as Kim et al. did ("Spiking-YOLO: spiking neural
// network for energy-efficient object detection", AAAI 2020), with one scale a channel, signed
// neurons of the imbalanced threshold, and boxes read off the membrane; beside one scale a layer,
// negative spikes suppressed, boxes read off spikes, and neurons that round.
//
// The paper's own data are PASCAL VOC and COCO, its network Tiny-YOLOv2. What is run here are digit
// scenes and, at full, blood cells (BCCD), with a network of a million weights and Tiny-YOLOv2: the
// comparisons are the paper's, the figures are not.
package spikingyolo

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"synfire/convert"
	"synfire/convert/detector"
	"synfire/detect"
	"synfire/internal/atomicfile"
	"synfire/network"
	"synfire/recipe"
	"synfire/report"
	"synfire/run"
	"synfire/sample"
	"synfire/train"
)

// Recipe is the recipe.
func Recipe() recipe.Recipe {
	return recipe.Recipe{
		ID: "spiking-yolo", Paper: "spiking-yolo-2020", Title: "A spiking detector, from pictures to boxes",
		Minutes: map[report.Scale]float64{report.Smoke: 0.2, report.Short: 40, report.Full: 800}, Claims: claims(), Run: runStudy,
		Parts: []recipe.Part{{Name: detectorPart, Claims: detectorClaims()}, {Name: facesPart, Claims: faceClaims}, {Name: tinyPart, Claims: tinyClaims}},
	}
}

// The recipe's parts.
const (
	detectorPart = "detector"
	facesPart    = "faces"
	tinyPart     = "tiny-yolo"
)

// detectorClaims are those of neither of the other parts.
func detectorClaims() (ids []string) {
	for _, c := range claims() {
		if !slices.Contains(faceClaims, c.ID) && !slices.Contains(tinyClaims, c.ID) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// study is a run of the recipe.
type study struct {
	*recipe.ConversionStudy
	size size
	lead string // of the page
}

// tinyClaims are those of Tiny-YOLOv2.
var tinyClaims = []string{tinyClaim, tinySNNClaim, tinyLongClaim}

func runStudy(ctx context.Context, e *recipe.Env) (*recipe.Outcome, error) {
	z, ok := sizes[e.Scale]
	if !ok {
		return nil, recipe.NoScale("spiking-yolo", e.Scale)
	}
	s := &study{&recipe.ConversionStudy{Study: recipe.NewStudy(e, nil, nil)}, z, ""}
	err := e.Do(ctx,
		recipe.Step{Part: detectorPart, Run: s.detector},
		recipe.Step{Part: facesPart, Run: s.faces},
		recipe.Step{Part: tinyPart, Run: s.tiny},
	)
	if err != nil {
		return nil, err
	}
	return s.Finish(report.Page{Title: "A spiking detector, from pictures to boxes", Lead: s.lead, Links: []report.Link{{Text: "Kim et al. 2020", URL: "https://arxiv.org/abs/1903.06530"}}})
}

// detector runs the detector of a million weights, and compares all conversions.
func (s *study) detector(ctx context.Context) error {
	z := s.size
	trainSet, testSet, err := s.Env.Catalog.Load(ctx, z.job.data, s.Env.Data)
	if err != nil {
		return err
	}
	s.On(trainSet, testSet)
	for i := range z.seeds {
		f, err := s.seed(ctx, z.job, s.Env.Seed+uint64(i))
		if err != nil {
			return err
		}
		s.judge(z.job, f)
		s.compare(f)
		s.energies(f)
		if i > 0 {
			continue
		}
		r := f.arms[channel]
		last := r.Points[len(r.Points)-1]
		s.lead = fmt.Sprintf("A detector with an mAP of %.1f %% has %.1f %% as a spiking network after %d steps.", f.ordinary.MAP, last.MAP, last.Steps)
		if err := s.show(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// tiny runs Tiny-YOLOv2.
func (s *study) tiny(ctx context.Context) error {
	j := s.size.tiny
	if j == nil {
		for _, id := range tinyClaims {
			s.Leave(id, "not at this scale")
		}
		return nil
	}
	if !s.Turn(ctx, j.data, tinyClaims...) {
		return s.Err()
	}
	for i := range s.size.seeds {
		f, err := s.seed(ctx, *j, s.Env.Seed+uint64(i))
		if err != nil {
			return err
		}
		s.judge(*j, f)
		if err := s.long(ctx, *j, f); err != nil {
			return err
		}
	}
	return nil
}

// long follows Tiny-YOLOv2 over the paper's steps, on a few pictures.
func (s *study) long(ctx context.Context, j job, f *found) (err error) {
	of := f.of
	of.Steps = []int{s.size.longest}
	if of.Test, err = sample.First(of.Test, s.size.longestOver); err != nil {
		return err
	}
	ordinary, err := of.Ordinary(ctx)
	if err != nil {
		return err
	}
	r, err := s.kept(ctx, f, of, j.arms[0], "long", bare)
	if err != nil {
		return err
	}
	s.Claim(tinyLongClaim, ordinary.Less(r.Points[0]).Median, s.size.longestOver)
	s.Metrics[fmt.Sprintf("%s_t%d_map", f.key, s.size.longest)], s.Metrics[f.key+"_first_pictures_ann_map"] = r.Points[0].MAP, ordinary.MAP
	return nil
}

// found is a detector of a seed with its conversions.
type found struct {
	key      string // of metrics
	dir      string // of the job
	weights  string // their sum
	of       detector.Study
	ordinary detector.Point
	n        int // pictures of the test
	arms     map[string]detector.Result
	named    []recipe.NamedDetector
	cut      float64 // score from which boxes are drawn
}

// seed trains a detector and converts it by all arms. Validation pictures choose.
func (s *study) seed(ctx context.Context, j job, seed uint64) (*found, error) {
	t := s.Run(ctx, recipe.Job{Name: j.name, Config: j.config(seed)})
	if t == nil {
		return nil, s.Err()
	}
	g := t.Network().Graph()
	g.Outputs[0].Read = detect.Boxes{Anchors: j.anchors}
	f := &found{
		key: fmt.Sprintf("%s_s%d", strings.ReplaceAll(j.name, "-", "_"), seed), dir: filepath.Join(s.Env.Out, fmt.Sprintf("%s-s%d", j.name, seed)), weights: t.WeightsSHA256(), n: t.Sets.Test.Len(), arms: map[string]detector.Result{},
		of: detector.Study{
			Study: convert.Study{Graph: g, Train: t.Sets.Train, Test: t.Sets.Test, Normalize: t.Sets.Normalization, Steps: j.steps, Samples: min(j.calibrated, t.Sets.Train.Len()), Seed: seed, Pool: s.Env.Pool, Progress: s.progress(train.SplitTest)},
			Task:  detect.NewDetect(),
		},
	}
	arms, err := s.choose(ctx, j, f, t.Sets.Valid)
	if err != nil {
		return nil, err
	}
	if f.ordinary, err = f.of.Ordinary(ctx); err != nil {
		return nil, err
	}
	s.Metrics[f.key+"_ann_map"], s.Metrics[f.key+"_seconds_per_epoch"] = f.ordinary.MAP, t.EpochSeconds()
	for _, a := range arms {
		r, err := s.kept(ctx, f, f.of, a, a.file, func(ctx context.Context, of detector.Study, c convert.Conversion) (detector.Result, error) {
			return of.Measure(ctx, c, f.ordinary)
		})
		if err != nil {
			return nil, err
		}
		f.arms[a.name], f.named = r, append(f.named, recipe.NamedDetector{Name: a.name, Result: r})
		for _, p := range r.Points {
			key := fmt.Sprintf("%s_%s_t%d_", f.key, a.file, p.Steps)
			less := f.ordinary.Less(p)
			s.Metrics[key+"map"], s.Metrics[key+"loss_low"], s.Metrics[key+"loss_high"], s.Metrics[key+"spikes_per_image"] = p.MAP, less.Low, less.High, p.Spikes
		}
	}
	return f, nil
}

// progress tells of the pictures of a split that were followed.
func (s *study) progress(split string) func(done, total int) {
	return func(done, total int) { s.Env.Observer.Evaluating(split, done, total) }
}

// chosenAt is the steps after which percentiles are compared, and leastDrawn the least score of a
// box that is drawn, lest a network that has learnt little covers its pictures.
const (
	chosenAt   = 32
	leastDrawn = 0.1
)

// choose finds on validation pictures the percentiles of scales, one for each method, of equal
// ones that of the lesser error, and the score from which boxes are drawn.
func (s *study) choose(ctx context.Context, j job, f *found, valid sample.Source) ([]arm, error) {
	of := f.of
	of.Test, of.Steps, of.Progress = valid, []int{chosenAt}, s.progress(train.SplitValid)
	o, err := of.Ordinary(ctx)
	if err != nil {
		return nil, err
	}
	cut, _ := detect.Cut(o.Pictures, j.classes)
	f.cut = max(cut, leastDrawn)
	s.Metrics[f.key+"_drawn_from"] = f.cut
	arms, best := slices.Clone(j.arms), map[string]detector.Point{}
	chosen := map[string]float64{}
	for _, a := range j.arms {
		if _, done := best[a.method]; done {
			continue
		}
		for _, p := range j.percentiles {
			a.options.Percentile = p
			r, err := s.kept(ctx, f, of, a, fmt.Sprintf("valid-%s-%v", a.file, p), bare)
			if err != nil {
				return nil, err
			}
			now, was := r.Points[0], best[a.method]
			if was.Steps == 0 || now.MAP > was.MAP || now.MAP == was.MAP && now.Error < was.Error {
				best[a.method], chosen[a.method] = now, p
				s.Metrics[fmt.Sprintf("%s_%s_percentile", f.key, a.file)] = p
			}
		}
	}
	for i, a := range arms {
		arms[i].options.Percentile = chosen[a.method]
	}
	return arms, nil
}

// bare follows a conversion, and does not look into it.
func bare(ctx context.Context, of detector.Study, c convert.Conversion) (detector.Result, error) {
	points, err := of.Points(ctx, c)
	return detector.Result{Points: points}, err
}

// record is what the file of an arm holds.
type record struct {
	Settings string
	Result   detector.Result
}

// kept converts by an arm and measures, or takes the figures that an interrupted run has kept.
func (s *study) kept(ctx context.Context, f *found, of detector.Study, a arm, name string, measure func(context.Context, detector.Study, convert.Conversion) (detector.Result, error)) (r detector.Result, err error) {
	path := run.FiguresFile(f.dir, name)
	settings := fmt.Sprintln(f.weights, a.name, a.method, a.options.Percentile, of.Steps, of.Samples, of.Test.Len(), of.Seed)
	if s.Env.Resume {
		var old record
		if content, err := os.ReadFile(path); err == nil && gob.NewDecoder(bytes.NewReader(content)).Decode(&old) == nil && old.Settings == settings {
			return old.Result, nil // else it was written in part, or of another experiment
		}
	}
	m, err := convert.MethodOf(a.method)
	if err != nil {
		return r, err
	}
	begun := s.Env.Now()
	c, err := of.Convert(ctx, m, a.options)
	if err == nil {
		r, err = measure(ctx, of, c)
	}
	if err != nil {
		return r, fmt.Errorf("%s, %s: %w", f.key, a.name, err)
	}
	last := r.Points[len(r.Points)-1]
	s.Env.Observer.Note(fmt.Sprintf("%s, %s (%s): mAP %.1f %% after %d steps, %d pictures   %s", f.key, a.name, name, last.MAP, last.Steps, of.Test.Len(), report.Seconds(s.Env.Now().Sub(begun).Seconds())))
	r.Ordinary.Pictures = r.Ordinary.Pictures[:min(len(r.Ordinary.Pictures), s.size.pictures)]
	for i, p := range r.Points { // pictures that are drawn are enough
		r.Points[i].Pictures = p.Pictures[:min(len(p.Pictures), s.size.pictures)]
	}
	r.Conversion.Ordinary, r.Graph, r.Report = network.Graph{}, network.Graph{}, nil
	return r, atomicfile.Write(path, func(w io.Writer) error { return gob.NewEncoder(w).Encode(record{settings, r}) })
}
