package command

import (
	"fmt"
	"io"
	"slices"

	"synfire/internal/suggest"
)

// writer writes content, for files that are written in one step.
func writer(content []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}
}

// choose is the place of a name among those that there are. Its error names the
// one that was probably meant, and all of them.
func choose(verb, what, name string, known []string) (int, error) {
	if i := slices.Index(known, name); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("%s: no %s %q: %s", verb, what, name, suggest.Names(what+"s", name, known))
}

// names is the name of each item.
func names[T any](items []T, name func(T) string) (list []string) {
	for _, item := range items {
		list = append(list, name(item))
	}
	return list
}
