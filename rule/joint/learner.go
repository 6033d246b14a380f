package joint

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"synfire/format/safetensors"
	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/modelfile"
	"synfire/network"
	"synfire/optim"
	"synfire/sample"
	"synfire/signal"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// Learner trains both branches. It implements train.Learner.
type Learner struct {
	*pair
	bufs  [][][]tensor.Float
	step  int
	total int

	rho    []float64 // of each parameter; 0: not known yet
	cosine []float64 // likewise smoothed, between the gradients of the branches

	atRates []signal.Signal // errors by which rates follow activations
	swapped bool            // the ordinary branch goes second, which changes nothing
}

// New checks the options and makes the learner, with initial weights.
func New(r Rule, s train.Setting) (*Learner, error) {
	p, err := newPair(r, s, true)
	if err != nil {
		return nil, err
	}
	l := &Learner{
		pair: p, bufs: optim.NewBuffers(r.Optimizer, p.params), rho: make([]float64, len(p.params)), cosine: make([]float64, len(p.params)),
		atRates: make([]signal.Signal, len(p.theta)),
	}
	if s.Batch > 0 {
		l.total = s.Epochs * ((s.Samples + s.Batch - 1) / s.Batch)
	}
	return l, nil
}

// phase is what a step learns from.
type phase struct {
	at, mu   float64
	ann, snn bool // which branches learn; the ordinary one teaches while it does
}

// share of the run that steps are.
func (l *Learner) share(steps int) float64 { return float64(steps) / float64(max(1, l.total)) }

func (l *Learner) phase() phase {
	at := l.share(l.step)
	p := phase{at: at, mu: l.rule.mu(at)}
	p.ann, p.snn = p.mu < 1, p.mu > 0
	return p
}

// Step learns from a batch. Its loss is J, its figures of the tasks are those of the spiking
// branch, or while the ordinary one learns alone of that.
func (l *Learner) Step(ctx context.Context, b *sample.Batch) (train.Metrics, error) {
	target, err := b.Target("")
	if err != nil {
		return train.Metrics{}, fmt.Errorf("joint: %w", err)
	}
	ph := l.phase()
	if err := l.measure(ctx, b, ph); err != nil {
		return train.Metrics{}, err
	}
	masks := l.keysOf(b, rng.Dropout, b.Epoch)
	l.snn.pass.SetTraining(masks)
	l.ann.pass.SetTraining(masks)
	if err := l.encode(b, l.keysOf(b, rng.Encode, b.Epoch)); err != nil {
		return train.Metrics{}, err
	}
	if err := l.forward(ph); err != nil {
		return train.Metrics{}, err
	}
	value, err := l.objective(ph, target)
	if err != nil {
		return train.Metrics{}, err
	}
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return train.Metrics{}, fmt.Errorf("joint: the loss is %v in step %d; lower the learning rate or set clip", value, l.step)
	}
	m, err := l.metrics(b, ph, value)
	if err != nil {
		return train.Metrics{}, err
	}
	if err := l.backward(ph); err != nil {
		return train.Metrics{}, err
	}
	return m, l.update(l.combine(ph))
}

// inOrder runs what there is to do for the ordinary and the spiking branch.
func (l *Learner) inOrder(ann, snn func() error) error {
	if l.swapped {
		ann, snn = snn, ann
	}
	if err := ann(); err != nil {
		return err
	}
	return snn()
}

func (l *Learner) forward(ph phase) error {
	return l.inOrder(func() error {
		if !ph.ann {
			return nil
		}
		if err := l.ann.forward(true); err != nil {
			return err
		}
		return l.logits[1].read(l.ann.scores(), 1)
	}, func() error {
		if !ph.snn {
			return nil
		}
		if err := l.snn.forward(true); err != nil {
			return err
		}
		return l.read()
	})
}

// objective is J with the errors at the outputs of both branches. The weights μ are left to
// combine.
func (l *Learner) objective(ph phase, y *sample.Column) (value float64, err error) {
	if ph.ann {
		v, err := l.logits[1].crossEntropy(y)
		if err != nil {
			return 0, err
		}
		value += (1 - ph.mu) * v
		l.ann.errors[len(l.theta)] = l.logits[1].back(l.ann.scores().Kind)
	}
	if !ph.snn {
		return value, nil
	}
	v, err := l.logits[0].crossEntropy(y)
	if err != nil {
		return 0, err
	}
	if ph.ann && l.rule.Distill > 0 {
		v += l.rule.Distill * distil(&l.logits[0], l.logits[1].scores, l.rule.Temperature, l.rule.Distill)
	}
	clear(l.snn.errors)
	if ph.ann && l.rule.Match > 0 {
		v += l.rule.Match * l.matchRates()
	}
	l.snn.errors[len(l.theta)] = l.logits[0].back(l.snn.scores().Kind)
	return value + ph.mu*v, nil
}

func (l *Learner) backward(ph phase) error {
	return l.inOrder(func() error {
		if !ph.ann {
			return nil
		}
		return l.ann.backward()
	}, func() error {
		if !ph.snn {
			return nil
		}
		return l.snn.backward()
	})
}

// smoothing is how much of ρ and of the cosines is kept from step to step, and most the
// greatest ρ.
const (
	smoothing = 0.99
	most      = 10
)

// combine is the gradient of the step, in the memory of one branch's.
func (l *Learner) combine(ph phase) network.Grads {
	switch {
	case !ph.snn:
		return l.ann.grads
	case !ph.ann:
		for i, g := range l.snn.grads {
			scale(g, l.factor(i))
		}
		return l.snn.grads
	}
	for i, g := range l.ann.grads {
		h := l.snn.grads[i]
		dot, gg, hh := dots(g, h)
		l.follow(i, dot, math.Sqrt(gg), math.Sqrt(hh))
		if dot < 0 && ph.at >= l.rule.Project && l.rule.Project < 1 {
			kernel.AddScaled(g, h, tensor.Float(-dot/hh))
		}
		scale(g, 1-ph.mu)
		kernel.AddScaled(g, h, tensor.Float(ph.mu*l.factor(i)))
	}
	return l.ann.grads
}

// follow takes the norms and the product of a parameter's gradients into ρ and the cosine.
func (l *Learner) follow(i int, dot, ann, snn float64) {
	rho := min(most, ann/(snn+1e-12))
	cosine := dot / (ann*snn + 1e-30)
	if l.rho[i] == 0 {
		l.rho[i], l.cosine[i] = rho, cosine
		return
	}
	l.rho[i] += (1 - smoothing) * (rho - l.rho[i])
	l.cosine[i] += (1 - smoothing) * (cosine - l.cosine[i])
}

// factor is ρ of a parameter, 1 before it is known.
func (l *Learner) factor(i int) float64 {
	if !l.rule.Equalize || l.rho[i] == 0 {
		return 1
	}
	return l.rho[i]
}

// scale multiplies, and leaves a factor of 1 out.
func scale(g []tensor.Float, by float64) {
	if by != 1 {
		kernel.Scale(g, tensor.Float(by))
	}
}

// update takes one step of the optimiser.
func (l *Learner) update(grads network.Grads) error {
	for i, g := range grads {
		if _, ok := tensor.Finite(g); !ok {
			return fmt.Errorf("joint: the gradient of %s is not finite in step %d; lower the learning rate or set clip", l.params[i].Name, l.step)
		}
	}
	if l.rule.Clip > 0 {
		optim.Clip(grads, l.rule.Clip)
	}
	eta := l.rule.Optimizer.Rate() * l.rule.Schedule.Scale(l.step, l.total)
	l.step++
	optim.Apply(l.setting.Pool, l.rule.Optimizer, l.params, grads, l.bufs, l.step, eta, nil)
	l.refresh()
	return nil
}

// metrics are those of a batch before learning from it.
func (l *Learner) metrics(b *sample.Batch, ph phase, value float64) (train.Metrics, error) {
	m := train.Metrics{N: b.Len(), Sums: []train.Sum{train.LossSum(value * float64(b.Len()))}}
	branch := 1
	if ph.snn {
		branch, m.Rates = 0, l.firing()
	}
	for i, p := range l.params {
		m.Sums = append(m.Sums, train.Sum{Name: "cosine/" + strings.TrimSuffix(p.Name, ".weight"), Better: task.Higher, Total: l.cosine[i] * float64(b.Len())})
	}
	out := []task.Output{{Name: Output, Shape: l.logits[branch].out.Shape, Scores: l.logits[branch].scores}}
	running, err := train.Running(l.setting.Tasks, out, b)
	m.Sums = append(m.Sums, running...)
	return m, err
}

// The arrays of a state that are not the model's.
const (
	stepArray   = "joint.step"
	rhoArray    = "joint.rho"
	cosineArray = "joint.cosine"
)

func bufferName(p tensor.Param, k int) string { return fmt.Sprintf("optim.%d.%s", k, p.Name) }

// State is the model, the optimiser's buffers and steps, and what is smoothed.
func (l *Learner) State() map[string]train.Array {
	s := l.Model()
	s[stepArray] = safetensors.U64([]uint64{uint64(l.step)}, 1)
	s[rhoArray] = safetensors.F64(slices.Clone(l.rho), len(l.rho))
	s[cosineArray] = safetensors.F64(slices.Clone(l.cosine), len(l.cosine))
	for i, p := range l.params {
		for k, b := range l.bufs[i] {
			s[bufferName(p, k)] = modelfile.Pack(tensor.Tensor{Shape: p.Value.Shape, Data: b})
		}
	}
	return s
}

// SetState takes up what State returned. On an error nothing has changed.
func (l *Learner) SetState(s map[string]train.Array) error {
	step, err := s[stepArray].U64s()
	rho, err2 := s[rhoArray].F64s()
	cosine, err3 := s[cosineArray].F64s()
	if errors.Join(err, err2, err3) != nil || len(step) != 1 || len(rho) != len(l.rho) || len(cosine) != len(l.cosine) {
		return fmt.Errorf("joint: the checkpoint does not have a step and the ratios of %d gradients: is it one of rule joint, of the same layers?", len(l.rho))
	}
	model := maps.Clone(s)
	for _, name := range []string{stepArray, rhoArray, cosineArray} {
		delete(model, name)
	}
	bufs := make([][][]tensor.Float, len(l.params))
	for i, p := range l.params {
		for k := range l.bufs[i] {
			v, err := modelfile.Unpack(s, bufferName(p, k), p.Value.Shape)
			if err != nil {
				return fmt.Errorf("joint: %w", err)
			}
			bufs[i] = append(bufs[i], v)
			delete(model, bufferName(p, k))
		}
	}
	if err := l.setModel(model); err != nil {
		return err
	}
	for i := range bufs {
		for k, v := range bufs[i] {
			copy(l.bufs[i][k], v)
		}
	}
	l.step, l.rho, l.cosine = int(step[0]), slices.Clone(rho), slices.Clone(cosine)
	return nil
}
