package catalog

import (
	"fmt"
	"maps"
	"slices"

	"synfire/modelfile"
	"synfire/train"
)

// RuleName is the kind of a rule, empty where the catalogue does not have it.
func (c Catalog) RuleName(r train.Rule) string { return KindOf(c.Rules, r) }

// Initialise lets a learner start from the arrays of a model file that have the names
// and shapes of its own. It returns what did not fit, for people. A file of which
// nothing fits is an error.
func Initialise(l train.Learner, path string) (left []string, err error) {
	f, err := modelfile.Read(path)
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
