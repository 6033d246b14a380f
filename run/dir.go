package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"synfire/format/yaml"
	"synfire/internal/atomicfile"
	"synfire/modelfile"
)

// The files of a directory.
const (
	recordFile     = "run.json"
	configFile     = "config.yaml"
	metricsFile    = "metrics.jsonl"
	resultFile     = "result.json"
	modelFile      = "model.safetensors"
	lockName       = "lock"
	checkpointsDir = "checkpoints"
	figuresDir     = "figures"
	bestFile       = "best.safetensors"
	stepPrefix     = "step-"
	extension      = ".safetensors"
)

// keepCheckpoints are kept besides the best.
const keepCheckpoints = 2

// Dir is the directory of a run that this process writes, and no other one.
type Dir struct {
	Path string

	lock *os.File
	sync func(*os.File) error // brings metrics to the disk; tests replace it
}

// Open makes or takes the directory of a run of a configuration. One that is in use
// by another process or cannot be written to is an error. So is one with checkpoints,
// unless the run is resumed; then its configuration must be the same, and the error
// says in which keys it is not.
func Open(path string, config []byte, resume bool) (*Dir, error) {
	if err := os.MkdirAll(filepath.Join(path, checkpointsDir), 0o755); err != nil {
		return nil, fmt.Errorf("open run directory %s: %w; choose another with --out", path, err)
	}
	lock, err := lockFile(filepath.Join(path, lockName))
	if err != nil {
		return nil, fmt.Errorf("open run directory %s: %w", path, err)
	}
	d := &Dir{Path: path, lock: lock, sync: (*os.File).Sync}
	if err := d.check(config, resume); err != nil {
		return nil, errors.Join(fmt.Errorf("open run directory %s: %w", path, err), d.Close())
	}
	return d, nil
}

// check prepares the directory for a run of the configuration.
func (d *Dir) check(config []byte, resume bool) error {
	for _, dir := range []string{"", checkpointsDir, figuresDir} {
		if err := atomicfile.Clean(filepath.Join(d.Path, dir)); err != nil {
			return fmt.Errorf("%w; choose another with --out", err)
		}
	}
	names, err := checkpoints(d.Path)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return d.WriteFile(configFile, config)
	}
	old, err := os.ReadFile(filepath.Join(d.Path, configFile))
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return err
	}
	var differ error
	if !missing {
		differ = sameConfig(old, config)
	}
	switch {
	case resume && missing:
		return d.WriteFile(configFile, config)
	case resume:
		return differ
	case differ != nil: // --resume would be refused
		return fmt.Errorf("it holds checkpoints of an earlier run, and %w", differ)
	}
	return errors.New("it holds checkpoints of an earlier run; continue it with --resume, or choose another with --out")
}

// sameConfig returns an error that says in which keys two configurations differ.
func sameConfig(old, now []byte) error {
	if bytes.Equal(old, now) {
		return nil
	}
	all, err := yaml.Diff(old, now)
	if err != nil {
		return fmt.Errorf("its %s cannot be compared with the configuration given: %w; choose another directory with --out", configFile, err)
	}
	const most = 5
	var keys []string
	for _, d := range all[:min(len(all), most)] {
		keys = append(keys, d.String())
	}
	if more := len(all) - most; more > 0 {
		keys = append(keys, fmt.Sprintf("and %d more", more))
	}
	if len(keys) == 0 {
		return nil
	}
	return fmt.Errorf("its configuration (%s) differs from the one given: %s; resume with the same configuration, or choose another directory with --out", configFile, strings.Join(keys, "; "))
}

// Close lets other processes use the directory.
func (d *Dir) Close() error { return unlockFile(d.lock) }

// PictureFile is the picture of what a run is learning.
const PictureFile = "weights.png"

// WriteFile writes a file of the directory in one step. The name has slashes.
func (d *Dir) WriteFile(name string, content []byte) error {
	path := filepath.Join(d.Path, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Best is the path of the best checkpoint.
func (d *Dir) Best() string { return filepath.Join(d.Path, checkpointsDir, bestFile) }

// Model is the path of the model that the run came to.
func (d *Dir) Model() string { return filepath.Join(d.Path, modelFile) }

// SaveBest writes the best checkpoint.
func (d *Dir) SaveBest(f modelfile.File) error { return save(d.Best(), f) }

// SaveModel writes the model that the run came to.
func (d *Dir) SaveModel(f modelfile.File) error { return save(d.Model(), f) }

// Save writes the checkpoint after a number of steps, and removes all before it but
// one.
func (d *Dir) Save(step int, f modelfile.File) error {
	name := filepath.Join(d.Path, checkpointsDir, fmt.Sprintf("%s%09d%s", stepPrefix, step, extension))
	if err := save(name, f); err != nil {
		return err
	}
	names, err := checkpoints(d.Path)
	if err != nil {
		return fmt.Errorf("remove old checkpoints: %w", err)
	}
	// Later ones are what a damaged checkpoint left: they are passed over and written anew.
	return prune(names[:slices.Index(names, name)+1])
}

// prune removes all checkpoints but the last.
func prune(names []string) error {
	for _, old := range names[:max(0, len(names)-keepCheckpoints)] {
		if err := os.Remove(old); err != nil {
			return fmt.Errorf("remove an old checkpoint: %w", err)
		}
	}
	return nil
}

// save writes a file. A symbolic link to nothing gives way to it.
func save(path string, f modelfile.File) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("save: %w", err)
		}
	}
	return modelfile.Write(path, f)
}

// Newest is the newest checkpoint that is whole; warn, which may be nil, is told of
// those that it passes over. Older ones that a killed run had not yet removed are removed.
// Where there is none, it is nil; where none is whole, that is an error.
func (d *Dir) Newest(warn func(error)) (*modelfile.File, error) {
	names, err := checkpoints(d.Path)
	if err != nil {
		return nil, err
	}
	var failed []error
	for i, name := range slices.Backward(names) {
		f, err := modelfile.Read(name)
		if err == nil && f.Format == 1 {
			return nil, fmt.Errorf("resume %s: an older program began it, which knew no validation samples; end it with that one (its checkpoints can be evaluated, and be started from with init), or start anew in another directory with --out", d.Path)
		}
		if err == nil {
			return f, prune(names[:i+1])
		}
		if failed = append(failed, err); warn != nil {
			warn(err)
		}
	}
	if len(failed) > 0 {
		return nil, fmt.Errorf("resume %s: no checkpoint can be used: %w; start anew in another directory with --out", d.Path, errors.Join(failed...))
	}
	return nil, nil
}

// checkpoints are the paths of a directory's checkpoints, the oldest first. They are
// not found by a pattern: the directory's own name may hold what patterns mean
// something by.
func checkpoints(path string) ([]string, error) {
	dir := filepath.Join(path, checkpointsDir)
	entries, err := os.ReadDir(dir) // sorted
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the checkpoints: %w", err)
	}
	var names []string
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), stepPrefix)
		number, hasExt := strings.CutSuffix(name, extension)
		if _, err := strconv.ParseUint(number, 10, 63); ok && hasExt && err == nil {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return len(a) - len(b) }) // numbers of more than nine digits
	return names, nil
}
