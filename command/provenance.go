package command

import (
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"

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
	if b := builtFrom(); b.commit != "unknown" {
		text += fmt.Sprintf(", commit %.12s", b.commit)
		if b.dirty {
			text += " and changes"
		}
	}
	return text
}

// source is the commit that a program was built from.
type source struct {
	commit string
	dirty  bool // files were changed since
}

// provenance fills in what this program and machine are.
func (a *app) provenance(r report.Run, built source) report.Run {
	r.Synfire, r.CPU, r.Kernel, r.PeakRSSBytes = version, machine.CPU(), kernel.Current().String(), machine.PeakRSS()
	r.Commit, r.Dirty = built.commit, built.dirty
	return r
}

// builtFrom is the program's source: its stamp, or else what git says of the working
// directory if that is this module's. Ask before the work begins: hours later the
// directory may be at another commit.
func builtFrom() (built source) {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				built.commit = s.Value
			case "vcs.modified":
				built.dirty = s.Value == "true"
			}
		}
	}
	if built.commit != "" {
		return built
	}
	if mod, err := os.ReadFile("go.mod"); err != nil || !strings.HasPrefix(string(mod), "module synfire\n") {
		return source{commit: "unknown"}
	}
	head, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		return source{commit: "unknown"}
	}
	status, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output()
	return source{strings.TrimSpace(string(head)), err != nil || len(status) > 0}
}
