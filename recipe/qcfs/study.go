package qcfs

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"synfire/catalog"
	"synfire/convert"
	"synfire/convert/ttfs"
	"synfire/data"
	"synfire/encode"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/model"
	"synfire/modelfile"
	"synfire/network"
	"synfire/recipe"
	"synfire/report"
	"synfire/sample"
	"synfire/signal"
)

// study is the jobs of a run and what was found, seed after seed.
type study struct {
	*recipe.Study
	size     size
	ordinary map[string][]float64       // accuracy of a network
	found    map[string]map[int][]point // by arm and T
	stairs   map[string][]stairs        // by network and code
	first    map[float64][]ttfs.Point   // by dt
	orders   map[string]report.Measurement
	sections []report.Section
}

func newStudy(ctx context.Context, e *recipe.Env, z size) (*study, error) {
	jobs, err := recipe.Load(ctx, e, model.Data{Name: z.data})
	if err != nil {
		return nil, err
	}
	return &study{
		Study: jobs, size: z, ordinary: map[string][]float64{}, found: map[string]map[int][]point{},
		stairs: map[string][]stairs{}, first: map[float64][]ttfs.Point{}, orders: map[string]report.Measurement{},
	}, nil
}

// job runs a training run and keeps its accuracy.
func (s *study) job(ctx context.Context, name string, c model.Config) *recipe.Trained {
	t := s.Run(ctx, recipe.Job{Name: name, Config: c})
	if t == nil {
		return nil
	}
	v := t.Result.Test.Value("accuracy")
	s.ordinary[name] = append(s.ordinary[name], v)
	key := fmt.Sprintf("%s_s%d_", strings.ReplaceAll(name, "-", "_"), c.Seed)
	s.Metrics[key+"test_accuracy"], s.Metrics[key+"seconds_per_epoch"] = v, t.EpochSeconds()
	return t
}

// quantised trains a network with staircases in the place of another's units on, from its
// weights and from scales by its activations.
func (s *study) quantised(ctx context.Context, name string, c model.Config, from *recipe.Trained, levels, count int) *recipe.Trained {
	path := filepath.Join(s.Env.Out, fmt.Sprintf("%s-start-s%d.safetensors", name, c.Seed))
	if err := s.quantise(ctx, path, from, levels, count); err != nil {
		s.Fail(fmt.Errorf("%s, seed %d: %w", name, c.Seed, err))
		return nil
	}
	c.Init = path
	t := s.staircase(ctx, name, c)
	if t != nil && len(t.Left) > 0 {
		s.Fail(fmt.Errorf("%s, seed %d: of the network that it starts from %s", name, c.Seed, strings.Join(t.Left, "; ")))
		return nil
	}
	return t
}

// staircase trains a network of staircases and keeps their scales.
func (s *study) staircase(ctx context.Context, name string, c model.Config) *recipe.Trained {
	t := s.job(ctx, name, c)
	if t == nil {
		return nil
	}
	for _, p := range t.Network().Params() {
		if len(p.Value.Data) == 1 {
			s.Metrics[fmt.Sprintf("%s_s%d_%s", strings.ReplaceAll(name, "-", "_"), c.Seed, strings.ReplaceAll(p.Name, ".", "_"))] = float64(p.Value.Data[0])
		}
	}
	return t
}

// modelOf is where a job's model is.
func modelOf(out string, t *recipe.Trained) string {
	return filepath.Join(out, fmt.Sprintf("%s-s%d", t.Name, t.Config.Seed), "model.safetensors")
}

// quantise writes the model that a training of staircases starts from.
func (s *study) quantise(ctx context.Context, path string, from *recipe.Trained, levels, count int) error {
	g, _, err := (convert.Quantize{Levels: levels}).Apply(ctx, from.Network().Graph(), samples(ctx, from, count, 1))
	if err != nil {
		return err
	}
	m, err := s.Env.Catalog.Open(modelOf(s.Env.Out, from), catalog.OpenOptions{})
	if err != nil {
		return err
	}
	f, err := s.Env.Catalog.WithGraph(m, g)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return modelfile.Write(path, f)
}

// follow adds an arm's points of a seed.
func (s *study) follow(ctx context.Context, a arm, t *recipe.Trained, count int, steps []int) error {
	curve, err := s.curve(ctx, a, t, s.Test(), count, steps)
	if err != nil {
		return err
	}
	if s.found[a.key] == nil {
		s.found[a.key] = map[int][]point{}
	}
	for n, p := range curve {
		s.found[a.key][n] = append(s.found[a.key][n], p)
		key := fmt.Sprintf("%s_t%d_s%d_", strings.ReplaceAll(a.key, "-", "_"), n, t.Config.Seed)
		s.Metrics[key+"test_accuracy"], s.Metrics[key+"spikes_per_image"] = p.accuracy, p.spikes
	}
	return nil
}

// mean is an arm's figures at T, over the seeds.
func (s *study) mean(key string, steps int) (m point, ok bool) {
	all := s.found[key][steps]
	for _, p := range all {
		m.accuracy += p.accuracy / float64(len(all))
		m.spikes += p.spikes / float64(len(all))
	}
	return m, len(all) > 0
}

func mean(all []float64) (m float64) {
	for _, v := range all {
		m += v / float64(len(all))
	}
	return m
}

// digits are the perceptrons of all seeds.
func (s *study) digits(ctx context.Context) error {
	z := s.size
	for i := range z.seeds {
		seed := s.Env.Seed + uint64(i)
		how, d := training{z.epochs, z.batch, adam}, model.Data{Name: z.data, Train: z.images}
		nets := map[string]*recipe.Trained{relu: s.job(ctx, relu, config(seed, d, perceptron(z.hidden, layer.ReLU{}, layer.ReLU{}), how))}
		for _, levels := range []int{4, 8} {
			if nets[relu] == nil {
				return s.Err()
			}
			name, unit := fmt.Sprintf("qcfs%d", levels), stair(levels, scaleStart)
			nets[name] = s.staircase(ctx, name, config(seed, d, perceptron(z.hidden, unit, unit), how))
			if nets[name] == nil {
				return s.Err()
			}
		}
		for _, a := range arms() {
			if err := s.follow(ctx, a, nets[a.of], z.calibrated, z.steps); err != nil {
				return err
			}
		}
		for _, levels := range []int{4, 8} {
			if err := s.compareStairs(ctx, nets[fmt.Sprintf("qcfs%d", levels)], levels); err != nil {
				return err
			}
		}
		if err := s.firstSpikes(ctx, nets[relu]); err != nil {
			return err
		}
	}
	return nil
}

// firstSpikes maps a network onto neurons that fire once.
func (s *study) firstSpikes(ctx context.Context, t *recipe.Trained) error {
	g := t.Network().Graph()
	n, err := ttfs.New(ctx, g, samples(ctx, t, s.size.calibrated, 1), ttfs.Options{})
	if err != nil {
		return err
	}
	points, err := n.Evaluate(ctx, g, ttfs.Evaluation{Source: s.Test(), Normalize: t.Sets.Normalization, DT: s.size.coarse, Batch: 100})
	for _, p := range points {
		s.first[p.DT] = append(s.first[p.DT], p)
		key := fmt.Sprintf("ttfs_dt%v_s%d_", p.DT, t.Config.Seed)
		s.Metrics[key+"test_accuracy"], s.Metrics[key+"spikes_per_image"], s.Metrics[key+"difference"], s.Metrics[key+"steps"] = p.Accuracy, p.Spikes, p.Difference, float64(p.Steps)
	}
	return err
}

// stairs is how a network of staircases and its spiking twin agree at T = L.
type stairs struct {
	n, otherLabels, otherScores int     // images; those with another answer, or scores off by more than 1e-5 of the largest
	off                         float64 // share of the last layer's neurons with another number of spikes than the level
	spikes                      float64 // an image
}

// compareStairs holds each code at T = L against the staircases.
func (s *study) compareStairs(ctx context.Context, t *recipe.Trained, levels int) error {
	for _, a := range arms() {
		if a.of != four || a.fire.Start == 0 || a.bias || a.fire.Residual > 0 {
			continue
		}
		found, err := s.stairsOf(ctx, a, t, levels)
		if err != nil {
			return err
		}
		key := fmt.Sprintf("%s %v", t.Name, a.fire.Code)
		s.stairs[key] = append(s.stairs[key], found)
		metric := fmt.Sprintf("%s_%v_s%d_", t.Name, a.fire.Code, t.Config.Seed)
		metric = strings.ReplaceAll(metric, "-", "_")
		s.Metrics[metric+"other_labels"], s.Metrics[metric+"other_scores"] = float64(found.otherLabels), float64(found.otherScores)
		s.Metrics[metric+"neurons_off"], s.Metrics[metric+"spikes_at_l"] = found.off, found.spikes
	}
	return nil
}

func (s *study) stairsOf(ctx context.Context, a arm, t *recipe.Trained, levels int) (out stairs, err error) {
	c, err := a.turn(ctx, t, 1, levels)
	if err != nil {
		return out, err
	}
	cur, err := data.NewCursor(s.Test(), data.CursorOptions{Batch: 50, Normalize: t.Sets.Normalization})
	if err != nil {
		return out, err
	}
	p, err := newPair(c)
	if err != nil {
		return out, err
	}
	var b sample.Batch
	neurons := 0
	for {
		more, err := cur.Next(ctx, &b)
		if err != nil || !more {
			out.off /= float64(max(1, neurons))
			out.spikes /= float64(max(1, out.n))
			return out, err
		}
		var in signal.Signal
		encode.Constant{}.Encode(&in, &b, make([]rng.Key, b.Len()), encode.Window{T1: levels, Steps: levels})
		n, err := p.compare(&in, &out)
		if err != nil {
			return out, err
		}
		neurons += n
	}
}

// pair is a network of staircases and its spiking twin.
type pair struct {
	ordinary, spiking *network.Compiled
	units             string // the last layer of staircases
	scale             float64
	levels            int
}

func newPair(c turned) (pair, error) {
	p := pair{}
	for _, nd := range c.Ordinary.Nodes {
		if l, ok := nd.Layer.(ordinary.QCFS); ok {
			p.units, p.levels, p.scale = nd.Name, l.Levels, c.Scales[nd.Name][0]
		}
	}
	a, err := c.Ordinary.Build(0)
	if err != nil {
		return p, err
	}
	b, err := c.Graph.Build(0)
	if err != nil {
		return p, err
	}
	p.ordinary, p.spiking = a.Compile(nil, false), b.Compile(nil, false)
	return p, nil
}

// compare adds a batch, and tells how many neurons of the last layer were looked at.
func (p pair) compare(in *signal.Signal, out *stairs) (neurons int, err error) {
	one := *in
	one.T = 1
	var levels, scores []float64
	err = p.ordinary.Activity(&one, func(nd network.Info, s *signal.Signal) error {
		scores = summed(s)
		if nd.Name == p.units {
			levels = scores
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	var counts, given []float64
	err = p.spiking.Activity(in, func(nd network.Info, s *signal.Signal) error {
		given = summed(s)
		if layer.Fires(nd.Layer) {
			counts = given
			out.spikes += magnitude(s)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for i, a := range levels {
		if math.Abs(counts[i]-a/p.scale*float64(p.levels)) > 0.5 {
			out.off++
		}
	}
	k, steps := len(scores)/in.B, float64(in.T)
	for b := range in.B {
		want, got := scores[b*k:][:k], given[b*k:][:k]
		most, apart := 0.0, 0.0
		for i, w := range want {
			most, apart = max(most, math.Abs(w)), max(apart, math.Abs(got[i]/steps-w))
		}
		if apart > 1e-5*max(1, most) {
			out.otherScores++
		}
		if largest(want) != largest(got) {
			out.otherLabels++
		}
	}
	out.n += in.B
	return len(levels), nil
}

// summed is a signal over its steps; of a constant one that of one step.
func summed(s *signal.Signal) []float64 {
	var d signal.Signal
	if s.Kind == signal.Spikes {
		s.Densify(&d)
		s = &d
	}
	sums := make([]float64, s.B*s.Units())
	for i, v := range s.Data {
		sums[i%len(sums)] += float64(v)
	}
	return sums
}

// magnitude is the spikes of a signal, those taken back counted as well.
func magnitude(s *signal.Signal) (all float64) {
	if s.Kind == signal.Spikes {
		return float64(s.Raster.Count(0, s.Rows()))
	}
	for _, v := range s.Data {
		all += math.Abs(float64(v))
	}
	return all
}

func largest(v []float64) (at int) {
	for i := range v {
		if v[i] > v[at] {
			at = i
		}
	}
	return at
}
