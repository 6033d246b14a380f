// Package run is a stand-in.
package run

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"synfire/modelfile"
)

type Dir struct{ Path string }
type Figures map[string]float64
type Point struct {
	Kind  string  `json:"kind"`
	Epoch int     `json:"epoch"`
	Step  int     `json:"step"`
	Train Figures `json:"train"`
}
type Epoch struct {
	Kind    string             `json:"kind"`
	Epoch   int                `json:"epoch"`
	Step    int                `json:"step"`
	Train   Figures            `json:"train"`
	Valid   Figures            `json:"valid,omitempty"`
	Test    Figures            `json:"test,omitempty"`
	Rates   map[string]float64 `json:"rates"`
	Seconds float64            `json:"seconds"`
}

func Open(path string, config []byte, resume bool) (*Dir, error) {
	if err := os.MkdirAll(filepath.Join(path, "checkpoints"), 0o755); err != nil {
		return nil, err
	}
	d := &Dir{path}
	if n := d.steps(); len(n) > 0 && !resume {
		return nil, fmt.Errorf("open run directory %s: it holds checkpoints of an earlier run; continue it with --resume, or choose another with --out", path)
	}
	return d, os.WriteFile(filepath.Join(path, "config.yaml"), config, 0o644)
}
func (d *Dir) Close() error { return nil }
func (d *Dir) steps() (out []string) {
	es, _ := os.ReadDir(filepath.Join(d.Path, "checkpoints"))
	for _, e := range es {
		if strings.HasPrefix(e.Name(), "step-") && strings.HasSuffix(e.Name(), ".safetensors") {
			out = append(out, filepath.Join(d.Path, "checkpoints", e.Name()))
		}
	}
	sort.Strings(out)
	return out
}
func (d *Dir) Save(step int, f modelfile.File) error {
	if err := modelfile.Write(filepath.Join(d.Path, "checkpoints", fmt.Sprintf("step-%09d.safetensors", step)), f); err != nil {
		return err
	}
	n := d.steps()
	for _, old := range n[:max(0, len(n)-2)] {
		os.Remove(old)
	}
	return nil
}
func (d *Dir) SaveBest(f modelfile.File) error  { return modelfile.Write(d.Best(), f) }
func (d *Dir) SaveModel(f modelfile.File) error { return modelfile.Write(filepath.Join(d.Path, "model.safetensors"), f) }
func (d *Dir) Best() string                     { return filepath.Join(d.Path, "checkpoints", "best.safetensors") }
func (d *Dir) Newest(warn func(error)) (*modelfile.File, error) {
	n := d.steps()
	var failed error
	for i := len(n) - 1; i >= 0; i-- {
		f, err := modelfile.Read(n[i])
		if err == nil {
			return f, nil
		}
		failed = err
		warn(err)
	}
	return nil, failed
}
func (d *Dir) Append(line any) (int64, error) {
	b, err := json.Marshal(line)
	if err != nil {
		return 0, err
	}
	f, err := os.OpenFile(filepath.Join(d.Path, "metrics.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if _, err := f.Write(append(b, '\n')); err != nil {
		return 0, err
	}
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}
func (d *Dir) Truncate(n int64) error {
	err := os.Truncate(filepath.Join(d.Path, "metrics.jsonl"), n)
	if os.IsNotExist(err) && n == 0 {
		return nil
	}
	return err
}
func (d *Dir) History() ([]Point, []Epoch, error) { return History(d.Path) }
func History(path string) (ps []Point, es []Epoch, err error) {
	raw, err := os.ReadFile(filepath.Join(path, "metrics.jsonl"))
	if err != nil {
		return nil, nil, err
	}
	for _, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		var p Point
		var e Epoch
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			return nil, nil, err
		}
		if p.Kind == "step" {
			ps = append(ps, p)
			continue
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return nil, nil, err
		}
		es = append(es, e)
	}
	return ps, es, nil
}
