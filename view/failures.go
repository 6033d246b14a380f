package view

import (
	"errors"
	"fmt"
	"io"
)

// Failures tells of things that failed, one after another: of those alike once, with their
// number. Errors are alike that read the same, or whose Alike says so.
type Failures struct {
	Out     io.Writer
	Program string // whose words they are

	key, name, text, last string // of the alike ones: what they share, the first, the last
	alike                 int
}

// Add takes up that something failed, and tells of the ones before if it is not alike.
func (f *Failures) Add(name string, err error) error {
	key := err.Error()
	if e := (interface{ Alike() string })(nil); errors.As(err, &e) {
		key = e.Alike()
	}
	if key != f.key {
		if err := f.Tell(); err != nil {
			return err
		}
		f.key, f.name, f.text = key, name, err.Error()
	}
	f.last, f.alike = name, f.alike+1
	return nil
}

// Tell prints what has not been told.
func (f *Failures) Tell() error {
	if f.alike == 0 {
		return nil
	}
	more := ""
	if f.alike > 1 {
		more = fmt.Sprintf(" (and so %d more, to %s)", f.alike-1, Clean(f.last))
	}
	_, err := fmt.Fprintf(f.Out, "%s: %s: %s%s\n", f.Program, Clean(f.name), Clean(f.text), more)
	f.key, f.alike = "", 0
	return err
}
