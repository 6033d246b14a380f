package machine

import (
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
)

// Source is the commit that a program was built from.
type Source struct {
	Commit string
	Dirty  bool // files were changed since
}

// BuiltFrom is the program's source: its stamp, or else what git says of the working
// directory if that is this module's. Ask before the work begins: hours later the
// directory may be at another commit.
func BuiltFrom() (built Source) {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				built.Commit = s.Value
			case "vcs.modified":
				built.Dirty = s.Value == "true"
			}
		}
	}
	if built.Commit != "" {
		return built
	}
	if mod, err := os.ReadFile("go.mod"); err != nil || !strings.HasPrefix(string(mod), "module synfire\n") {
		return Source{Commit: "unknown"}
	}
	head, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		return Source{Commit: "unknown"}
	}
	status, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output()
	return Source{strings.TrimSpace(string(head)), err != nil || len(status) > 0}
}
