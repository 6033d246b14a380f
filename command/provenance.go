package command

import (
	"fmt"

	"synfire/internal/kernel"
	"synfire/internal/machine"
	"synfire/report"
)

const version = "0.1.0-dev"

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(a *app) error {
	_, err := fmt.Fprintln(a.out, a.version())
	return err
}

// version names the program, the library and the commit that it was built from.
func (p Program) version() string {
	text := "synfire " + version
	if p.Name != "synfire" {
		text = p.Name + ", made with " + text
	}
	if b := machine.BuiltFrom(); b.Commit != "unknown" {
		text += fmt.Sprintf(", commit %.12s", b.Commit)
		if b.Dirty {
			text += " and changes"
		}
	}
	return text
}

// provenance fills in what this program and machine are.
func (a *app) provenance(r report.Run, built machine.Source) report.Run {
	r.Synfire, r.CPU, r.Kernel, r.PeakRSSBytes = version, machine.CPU(), kernel.Current().String(), machine.PeakRSS()
	r.Commit, r.Dirty = built.Commit, built.Dirty
	return r
}
