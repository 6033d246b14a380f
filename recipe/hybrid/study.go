package hybrid

import (
	"context"
	"fmt"
	"math"
	"strings"

	"synfire/convert"
	"synfire/encode"
	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/neuron"
	"synfire/optim"
	"synfire/recipe"
	"synfire/sample"
	"synfire/surrogate"
	"synfire/train"
)

// factors are those of the thresholds that the best is chosen from, for each T.
var factors = []float64{1, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3}

// spiking is the neurons, whose thresholds are an array, with the linear surrogate of the
// authors' program. The threshold is that of a network from scratch.
var spiking = layer.Spiking{
	Neuron: neuron.STDB{Beta: 1, Threshold: 0.5}, Surrogate: surrogate.Triangle{Height: 0.3, Width: 1},
	Varied: layer.Varied{"threshold": layer.PerChannel},
}

// The rates of Adam: of ordinary networks and those from scratch, and of hybrids.
const (
	rate = 1e-3
	fine = 3e-4
)

// study is the jobs of a run, and the points that they gave.
type study struct {
	*recipe.ConversionStudy
	size   size
	points []point
	left   map[string]bool // claims without a figure of some seed
}

// point is an accuracy in percent of the test images, and what it takes.
type point struct {
	arm              string
	seed             uint64
	steps            int
	factor           float64 // of the thresholds; 0: none was chosen
	accuracy, spikes float64 // spikes an image
}

// The arms, as people read them.
const (
	ordinary  = "ordinary"
	converted = "converted"
	one       = "hybrid, one epoch"
	hybrid    = "hybrid"
	scratch   = "from scratch"
)

// add keeps a point.
func (s *study) add(p point) {
	s.points = append(s.points, p)
	key := fmt.Sprintf("%s_t%d_s%d_", strings.NewReplacer(" ", "_", ",", "").Replace(p.arm), p.steps, p.seed)
	s.Metrics[key+"test_accuracy"] = p.accuracy
	if p.arm != ordinary {
		s.Metrics[key+"spikes_per_image"] = p.spikes
	}
	if p.factor > 0 {
		s.Metrics[key+"factor"] = p.factor
	}
}

// at is the accuracy of an arm; NaN where it has none for so many steps.
func (s *study) at(arm string, seed uint64, steps int) float64 {
	for _, p := range s.points {
		if p.arm == arm && p.seed == seed && p.steps == steps {
			return p.accuracy
		}
	}
	return math.NaN()
}

// reaches is the first of the steps in which an arm is at most a point below the ordinary
// network; infinite where none is.
func (s *study) reaches(arm string, seed uint64) float64 {
	first := math.Inf(1)
	for _, p := range s.points {
		if p.arm == arm && p.seed == seed && s.at(ordinary, seed, 1)-p.accuracy <= 1 {
			first = min(first, float64(p.steps))
		}
	}
	return first
}

// config is a training run for some steps. The loss is the cross-entropy of the scores' sums
// over time.
func (s *study) config(seed uint64, nodes []network.Node, steps, epochs int, rate float64) model.Config {
	c := recipe.Ordinary(seed, s.size.data, nodes, epochs, s.size.batch, optim.Adam{LR: rate, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, optim.Cosine{})
	c.Steps, c.Valid = steps, heldOut
	return c
}

// heldOut is the share of the training images that choose.
const heldOut = 0.1

// neurons are a network's nodes with neurons in the place of its units.
func neurons(nodes []network.Node) (list []network.Node) {
	for _, nd := range nodes {
		if _, ok := nd.Layer.(layer.ReLU); ok {
			nd.Layer = spiking
		}
		list = append(list, nd)
	}
	return list
}

// reached keeps what a run ended with.
func (s *study) reached(arm string, factor float64, t *recipe.Trained) {
	s.add(point{arm, t.Config.Seed, t.Config.Steps, factor, t.Result.Test.Value("accuracy"), spikes(t.Result.Test)})
	s.Metrics[fmt.Sprintf("%s_s%d_seconds_per_epoch", strings.ReplaceAll(t.Name, "-", "_"), t.Config.Seed)] = t.EpochSeconds()
}

// spikes is how many an image takes.
func spikes(ev *train.Evaluation) float64 {
	n := 0
	for _, r := range ev.Metrics.Rates {
		n += r.Spikes
	}
	return float64(n) / float64(max(1, ev.Metrics.N))
}

// seed is the networks of one seed.
func (s *study) seed(ctx context.Context, seed uint64) error {
	z := s.size
	ann := s.Run(ctx, recipe.Job{Name: "ann", Config: s.config(seed, z.nodes, 1, z.epochs, rate)})
	if ann == nil {
		return s.Err()
	}
	s.reached(ordinary, 0, ann)
	chosen, late, err := s.converted(ctx, ann)
	if err != nil {
		return fmt.Errorf("seed %d: %w", seed, err)
	}
	if late > 0 {
		s.onward(ctx, fmt.Sprintf("one-t%d", late), one, ann, late, 1, chosen[late])
	}
	for _, steps := range z.hybrids {
		s.onward(ctx, fmt.Sprintf("hybrid-t%d", steps), hybrid, ann, steps, z.onward, chosen[steps])
	}
	if z.scratch {
		if t := s.Run(ctx, recipe.Job{Name: "scratch", Config: s.config(seed, neurons(z.nodes), z.claimed, z.epochs+z.onward, rate)}); t != nil {
			s.reached(scratch, 0, t)
		}
	}
	s.judge(ann, late)
	return s.Err()
}

// onward trains a converted network on.
func (s *study) onward(ctx context.Context, name, arm string, ann *recipe.Trained, steps, epochs int, factor float64) {
	z := s.size
	how := model.Conversion{Factor: factor, Samples: z.calibrated, Steps: z.settle}
	if t := s.Onward(ctx, recipe.Job{Name: name, Config: s.config(ann.Config.Seed, neurons(z.nodes), steps, epochs, fine)}, ann, how); t != nil {
		s.reached(arm, factor, t)
	}
}

// converted follows the ordinary network made spiking over the steps: its thresholds are those
// of the factor that is best on held-out images, for each T (of equals the larger, which fires
// less). It returns the factors, and the largest T at which that loses so much there that the
// claim gain is of it; 0 where none does.
func (s *study) converted(ctx context.Context, ann *recipe.Trained) (chosen map[int]float64, late int, err error) {
	chosen = map[int]float64{}
	some, err := sample.First(ann.Sets.Valid, min(s.size.held, ann.Sets.Valid.Len()))
	if err != nil {
		return nil, 0, err
	}
	top, err := s.held(ctx, ann, some)
	if err != nil {
		return nil, 0, err
	}
	whole, _, err := ann.Balanced(ctx, ann.Network().Graph(), spiking, encode.Constant{}, model.Conversion{Factor: 1, Samples: s.size.calibrated, Steps: s.size.settle})
	if err != nil {
		return nil, 0, err
	}
	best := map[int]float64{}
	for _, f := range factors {
		held, err := s.curve(ctx, ann, lowered(whole, f), some, s.size.steps)
		if err != nil {
			return nil, 0, err
		}
		for _, p := range held {
			if v, ok := best[p.Steps]; !ok || p.Accuracy > v {
				best[p.Steps], chosen[p.Steps] = p.Accuracy, f
			}
		}
	}
	for _, f := range factors {
		var steps []int
		for _, k := range s.size.steps {
			if chosen[k] == f {
				steps = append(steps, k)
			}
		}
		if len(steps) == 0 {
			continue
		}
		tested, err := s.curve(ctx, ann, lowered(whole, f), ann.Sets.Test, steps)
		if err != nil {
			return nil, 0, err
		}
		for _, p := range tested {
			s.add(point{converted, ann.Config.Seed, p.Steps, f, p.Accuracy, p.Spikes})
		}
	}
	for _, k := range s.size.steps {
		if top-best[k] >= gap {
			late = k
		}
	}
	return chosen, late, nil
}

// lowered is a balanced network with its thresholds times a factor, as convert.Balance makes
// it with that factor.
func lowered(g network.Graph, factor float64) network.Graph {
	g = network.Edit(g).Graph() // nodes of its own
	for i, nd := range g.Nodes {
		l, ok := nd.Layer.(layer.Spiking)
		if !ok {
			continue
		}
		n := l.Neuron.(neuron.STDB)
		n.Threshold *= factor
		l.Neuron = n
		g.Nodes[i].Layer, g.Nodes[i].Arrays = l, nil // the array starts at the neuron's threshold
	}
	return g
}

// held is the ordinary network's accuracy on held-out images.
func (s *study) held(ctx context.Context, ann *recipe.Trained, of sample.Source) (float64, error) {
	ev, err := train.Evaluate(ctx, ann.Learner, of, train.EvaluateOptions{Tasks: ann.Config.Task, Normalize: ann.Sets.Normalization})
	if err != nil {
		return 0, err
	}
	return ev.Value("accuracy"), nil
}

// curve is the accuracy over the steps, of some samples.
func (s *study) curve(ctx context.Context, ann *recipe.Trained, g network.Graph, of sample.Source, steps []int) ([]convert.Point, error) {
	return convert.Curve(ctx, g, convert.CurveOptions{
		Source: of, Normalize: ann.Sets.Normalization, Encoder: encode.Constant{}, Steps: steps, Batch: 100, Seed: ann.Config.Seed, Pool: s.Env.Pool,
	})
}

// judge adds the figures of a seed to the claims. A claim without a figure of one of its
// seeds is left, and stays so.
func (s *study) judge(ann *recipe.Trained, late int) {
	z, seed := s.size, ann.Config.Seed
	if s.Err() != nil || z.photographs && !s.Reached(ann, floor, gainClaim, cifarClaim, tenfoldName) {
		return
	}
	top, good := s.at(ordinary, seed, 1), s.at(hybrid, seed, z.claimed)
	switch {
	case late == 0:
		s.leave(gainClaim, fmt.Sprintf("seed %d: the converted network loses less than %d points of held-out images in each number of steps", seed, gap))
	default:
		lost := s.at(converted, seed, late)
		s.figure(gainClaim, 100*(s.at(one, seed, late)-lost)/(top-lost))
	}
	s.figure(tenfoldName, s.reaches(converted, seed)/s.reaches(hybrid, seed))
	if z.photographs {
		s.figure(cifarClaim, top-good)
		return
	}
	s.figure(mnistClaim, top-good)
	s.figure(orderClaim, good-max(s.at(converted, seed, z.claimed), s.at(scratch, seed, z.claimed)))
}

// figure adds a figure of all test images to a claim that is not left.
func (s *study) figure(id string, v float64) {
	switch {
	case s.left[id]:
	case math.IsNaN(v) || math.IsInf(v, 0):
		s.leave(id, fmt.Sprintf("the figure of a seed is %v: what it is made of was not reached", v))
	default:
		s.Add(id, v, s.Test().Len())
	}
}

// leave says why a claim has no figure.
func (s *study) leave(id, why string) {
	if !s.left[id] {
		s.left[id] = true
		s.Leave(id, why)
	}
}
