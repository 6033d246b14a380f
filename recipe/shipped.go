package recipe

import (
	"context"
	"fmt"
	"strings"

	"synfire/catalog"
	"synfire/model"
	"synfire/sample"
	"synfire/train"
)

// shippedNames are the names of package zoo under which networks of Photographic ship.
var shippedNames = map[string]string{PlainVGG: "cifar10-vgg-plain", ResNet20Cutout: "cifar10-resnet-20"}

// Shipped is a network that ships with the program in the place of one that a study trains: the
// result of an earlier run of the same configuration, rounded. It is measured anew on the test
// samples. Samples are held out as when it was trained.
func (s *Study) Shipped(ctx context.Context, j Job, shipped string) *Trained {
	if s.err != nil {
		return nil
	}
	t, err := shippedModel(ctx, s.Env, j.Config, shipped, s.train, s.test)
	if err != nil {
		s.Fail(fmt.Errorf("%s, which ships: %w", shipped, err))
		return nil
	}
	t.Name = j.Name
	s.Jobs = append(s.Jobs, t)
	t.writeWeights(s.weights)
	return t
}

func shippedModel(ctx context.Context, e *Env, c model.Config, shipped string, trainSet, testSet sample.Source) (*Trained, error) {
	t, loop, err := begin(ctx, e, c, trainSet, testSet)
	if err != nil {
		return nil, err
	}
	left, err := catalog.Initialise(t.Learner, shipped)
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("it is not the network of the study: %s", strings.Join(left, "; "))
	}
	if err != nil {
		return nil, err
	}
	test, err := train.Evaluate(ctx, t.Learner, t.Sets.Test, train.EvaluateOptions{Tasks: t.Config.Task, Normalize: t.Sets.Normalization})
	t.Result = &train.Result{Epoch: loop.Epochs, Test: test}
	return t, err
}

// Photographic is the network of a name of the function of this name: the one that ships, where
// one does and the study has the seed that it was trained by, or else one that is trained. It is
// nil after an error.
func (c *Conversions) Photographic(ctx context.Context, name string) *Trained {
	m, err := Photographic(name, c.study.Env.Seed)
	if err != nil {
		c.study.Fail(err)
		return nil
	}
	shipped, ok := shippedNames[name]
	if !ok || m.Seed != shippedSeed || c.study.Env.Rehearse != nil {
		return c.Train(ctx, m)
	}
	t := c.study.Shipped(ctx, Job{Name: c.Name, Config: m}, shipped)
	if t == nil {
		return nil
	}
	c.study.Metrics[c.key(t)+"test_accuracy"] = t.Result.Test.Value("accuracy")
	return t
}

// shippedSeed is that of the networks that ship.
const shippedSeed = 1
