package catalog

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"synfire/data"
	"synfire/model"
	"synfire/modelfile"
	"synfire/train"
	"synfire/zoo"
)

// RuleName is the kind of a rule, empty where the catalogue does not have it.
func (c Catalog) RuleName(r train.Rule) string { return KindOf(c.Rules, r) }

// KeepSplit makes a run that starts from a model (init) hold out samples that the model
// has not learned from either: those that its own run on the same data held out. note
// says so where the run's seed would have drawn others. Where none can be, that is an
// error; valid: 0 holds out nothing. Other data, and a file that cannot be read, which is
// said elsewhere, leave the configuration as it is.
func (c Catalog) KeepSplit(cfg model.Config) (out model.Config, note string, err error) {
	if cfg.Init == "" {
		return cfg, "", nil
	}
	f, err := modelfile.ReadHeader(cfg.Init)
	if err != nil {
		return cfg, "", nil
	}
	was, err := c.ConfigOf(f)
	if err != nil || !same(was.Data, cfg.Data) {
		return cfg, "", nil
	}
	if s := cfg.Data.Source; s != nil && len(s.Paths()) == 0 && !alikeSources(was.Data.Source, s) {
		return cfg, "", nil // it is computed: other options are other data
	}
	fail := func(format string, args ...any) (model.Config, string, error) {
		return cfg, "", fmt.Errorf("init: %s was trained on the same data, %s, which its training samples would leak into", cfg.Init, fmt.Sprintf(format, args...))
	}
	seed := was.HeldOutBy()
	switch a, b := was.Data, cfg.Data; {
	case a.Holdout > 0 && b.Holdout > 0 && a.Holdout != b.Holdout:
		return fail("with data.holdout: %v, and this run has %v: give the same for test samples", a.Holdout, b.Holdout)
	case cfg.Valid == 0:
		return cfg, "", nil
	case was.Valid == 0:
		return fail("all of whose training samples it learned from: set valid: 0, which chooses nothing by validation samples")
	case cfg.Valid > was.Valid:
		return fail("with valid: %v, and this run has %v: give at most as much for validation samples", was.Valid, cfg.Valid)
	case a.Train != b.Train || !alikeClasses(a.Classes, b.Classes) || !alikeSources(a.Source, b.Source):
		return fail("but with another data.train, classes or options of its source: give the same, or valid: 0 for no validation samples")
	case cfg.ValidSeed != nil && *cfg.ValidSeed != seed:
		return fail("with valid-seed: %d, and this run has %d: leave it out for validation samples", seed, *cfg.ValidSeed)
	case cfg.HeldOutBy() == seed:
		return cfg, "", nil
	}
	cfg.ValidSeed = &seed
	return cfg, fmt.Sprintf("init: the validation samples are among those that the run of %s held out (valid-seed: %d), which it has not learned from", cfg.Init, seed), nil
}

// alikeClasses reports whether classes have the same numbers; none given are all, in order.
func alikeClasses(was, now []string) bool { return now == nil || slices.Equal(was, now) }

// alikeSources reports whether two sources of the same path are so in all options.
func alikeSources(a, b data.Opener) bool {
	if a == nil || b == nil {
		return true
	}
	paths := map[data.Opener][]string{}
	for _, s := range []data.Opener{a, b} {
		for _, p := range s.Paths() {
			paths[s] = append(paths[s], *p)
			*p = ""
		}
	}
	equal := reflect.DeepEqual(a, b)
	for s, old := range paths {
		for i, p := range s.Paths() {
			*p = old[i]
		}
	}
	return equal
}

// Initialise lets a learner start from the arrays of a model file that have the names
// and shapes of its own. It returns what did not fit, for people. A file of which
// nothing fits is an error.
func Initialise(l train.Learner, path string) (left []string, err error) {
	f, err := zoo.Read(path)
	if err != nil {
		return nil, fmt.Errorf("init: %w", err)
	}
	return InitialiseFrom(l, f, path)
}

// InitialiseFrom is Initialise of a file that has been read, or made, and is called by a
// name.
func InitialiseFrom(l train.Learner, f *modelfile.File, called string) (left []string, err error) {
	state, own := l.State(), l.Model()
	taken := 0
	for _, name := range slices.Sorted(maps.Keys(own)) {
		a, ok := f.Arrays[name]
		switch {
		case !ok:
			left = append(left, fmt.Sprintf("the file has no array %s, which starts as it would without a file", name))
		case !slices.Equal(a.Shape, own[name].Shape) || a.DType != own[name].DType:
			left = append(left, fmt.Sprintf("array %s is %s %v in the file and %s %v here: it starts as it would without a file", name, a.DType, a.Shape, own[name].DType, own[name].Shape))
		default:
			state[name] = a
			taken++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Arrays)) {
		if _, ok := own[name]; !ok && f.Format != 1 {
			left = append(left, fmt.Sprintf("array %s of the file has no place here", name))
		}
	}
	if taken == 0 {
		return left, fmt.Errorf("init: none of the arrays of %s fits: is it a model of another rule or another network?", called)
	}
	return left, l.SetState(state)
}
