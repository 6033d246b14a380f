package command

import (
	"bufio"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"

	"synfire/internal/kernel"
	"synfire/report"
)

const version = "0.1.0-dev"

// source is the commit that a program was built from.
type source struct {
	commit string
	dirty  bool // files were changed since
}

// provenance fills in what this program and machine are.
func (a *app) provenance(r report.Run, built source) report.Run {
	r.Synfire, r.CPU, r.Kernel, r.PeakRSSBytes = version, cpuName(), kernel.Current().String(), peakRSS()
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

// cpuName is the processor's name where the system tells it.
func cpuName() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if k, v, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return runtime.GOARCH
}
