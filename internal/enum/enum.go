// Package enum gives small integers that stand for choices their names in configurations.
package enum

import (
	"fmt"

	"synfire/internal/suggest"
)

// Name is the i-th of the names, or the number for one that is not there.
func Name[T ~uint8](i T, names []string) string {
	if int(i) < len(names) {
		return names[i]
	}
	return fmt.Sprint(uint8(i))
}

// Parse sets v to the number of a name; what says what the names are of, in errors.
func Parse[T ~uint8](v *T, text []byte, what string, names []string) error {
	for i, name := range names {
		if string(text) == name {
			*v = T(i)
			return nil
		}
	}
	return fmt.Errorf("unknown %s %q; %s", what, text, suggest.Names("names", string(text), names))
}
