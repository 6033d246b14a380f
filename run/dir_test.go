package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/format/safetensors"
	"synfire/modelfile"
)

func open(t testing.TB, path string, resume bool) *Dir {
	t.Helper()
	d, err := Open(path, []byte("seed: 1\nepochs: 3\n"), resume)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// state is a checkpoint that can be told from others.
func state(step int) modelfile.File {
	return modelfile.File{
		Rule: "bptt", Arrays: map[string]safetensors.Array{"w": safetensors.F32([]float32{float32(step)}, 1)},
		Progress: json.RawMessage(fmt.Sprint(step)), Finished: true,
	}
}

func save3(t testing.TB, d *Dir, steps ...int) {
	t.Helper()
	for _, step := range steps {
		if err := d.Save(step, state(step)); err != nil {
			t.Fatal(err)
		}
	}
}

func newest(t testing.TB, d *Dir, want string, warnings int) {
	t.Helper()
	warned := 0
	f, err := d.Newest(func(error) { warned++ })
	if err != nil {
		t.Fatal(err)
	}
	if string(f.Progress) != want || warned != warnings {
		t.Errorf("newest is that of step %s with %d warnings, want %s and %d", f.Progress, warned, want, warnings)
	}
}

// A directory whose name holds what patterns mean something by keeps the last two
// checkpoints, refuses a second run, and goes on from the newest.
func TestPatternsInNames(t *testing.T) {
	for _, name := range []string{"a[1]", "b*", "c?", "[", `d\e`, "[a-z]"} {
		path := filepath.Join(t.TempDir(), name, name)
		d := open(t, path, false)
		save3(t, d, 1, 2, 3)
		d.Close()
		names, err := checkpoints(path)
		if err != nil || len(names) != 2 {
			t.Errorf("%s: %d checkpoints are kept, %v; want 2", name, len(names), err)
		}
		if _, err := Open(path, []byte("seed: 1\nepochs: 3\n"), false); err == nil || !strings.Contains(err.Error(), "--resume") {
			t.Errorf("%s: a second run: %v", name, err)
		}
		newest(t, open(t, path, true), "3", 0)
		if r, err := Read(path); err != nil || r.Status != Running {
			t.Errorf("%s: %s, %v", name, r.Status, err)
		}
	}
}

// The last two checkpoints are kept whatever the number of digits, the best and the
// result besides; files that are no checkpoints stay.
func TestSave(t *testing.T) {
	d := open(t, t.TempDir(), false)
	if f, err := d.Newest(nil); f != nil || err != nil {
		t.Errorf("of an empty directory: %v, %v", f, err)
	}
	notes := filepath.Join(d.Path, checkpointsDir, "step-notes.safetensors")
	put(t, notes, "")
	save3(t, d, 7, 999_999_999)
	for path, save := range map[string]func(modelfile.File) error{d.Best(): d.SaveBest, d.Model(): d.SaveModel} {
		if err := save(state(7)); err != nil {
			t.Fatal(err)
		}
		if f, err := modelfile.Read(path); err != nil || string(f.Progress) != "7" {
			t.Errorf("%s: %v", path, err)
		}
	}
	save3(t, d, 10_000_000_000)
	names, err := checkpoints(d.Path)
	if err != nil || len(names) != 2 || filepath.Base(names[1]) != "step-10000000000.safetensors" {
		t.Errorf("%q, %v", names, err)
	}
	newest(t, d, "10000000000", 0)
	if _, err := os.Stat(notes); err != nil {
		t.Error(err)
	}
}

// A damaged newest checkpoint, or one that is a link to nothing, is passed over for
// the one before it with a warning, and is written anew; where none is whole, the error
// says what to do.
func TestDamagedCheckpoints(t *testing.T) {
	for what, damage := range map[string]func(string) error{
		"truncated": func(path string) error { return os.Truncate(path, 100) },
		"emptied":   func(path string) error { return os.Truncate(path, 0) },
		"dangling": func(path string) error {
			return errors.Join(os.Remove(path), os.Symlink(path+".gone", path))
		},
		"directory": func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o755)) },
	} {
		d := open(t, t.TempDir(), false)
		save3(t, d, 5, 10)
		names, err := checkpoints(d.Path)
		if err != nil {
			t.Fatal(err)
		}
		if err := damage(names[1]); err != nil {
			t.Fatal(err)
		}
		newest(t, d, "5", 1)
		save3(t, d, 6, 7)
		newest(t, d, "7", 1)
		if what != "directory" {
			save3(t, d, 10)
			newest(t, d, "10", 0)
		}
		names, _ = checkpoints(d.Path)
		for _, name := range names {
			if err := os.RemoveAll(name); err != nil {
				t.Fatal(err)
			}
			put(t, name, "seed: 1\n")
		}
		if f, err := d.Newest(nil); f != nil || err == nil || !strings.Contains(err.Error(), "--out") || !strings.Contains(err.Error(), "a text") {
			t.Errorf("%s: all damaged: %v, want an error that says what to do", what, err)
		}
		d.Close()
	}
}

// A run that was killed before it removed old checkpoints removes them when it goes on.
func TestNewestRemovesOlder(t *testing.T) {
	d := open(t, t.TempDir(), false)
	save3(t, d, 5, 10)
	names, err := checkpoints(d.Path)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	put(t, strings.Replace(names[0], "5.", "1.", 1), string(content))
	newest(t, d, "10", 0)
	if left, _ := checkpoints(d.Path); !slices.Equal(left, names) {
		t.Errorf("left are %v, want %v", left, names)
	}
	d.Close()
}

// A checkpoint of an older program is not gone on from, and the error says why.
func TestNewestOfOldFormat(t *testing.T) {
	d := open(t, t.TempDir(), false)
	err := safetensors.WriteFileAtomic(filepath.Join(d.Path, checkpointsDir, "step-000000001.safetensors"), safetensors.File{
		Meta: map[string]string{"format": "synfire checkpoint 1", "learner": "bptt", "progress": "{}"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if f, err := d.Newest(nil); f != nil || err == nil || !strings.Contains(err.Error(), "older program") {
		t.Errorf("%v", err)
	}
}

// A directory is one process's at a time; a configuration that does not resume says in
// which keys it differs, and one that differs in its layout alone does.
func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	d := open(t, path, false)
	if _, err := Open(path, nil, true); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("second process: %v", err)
	}
	d.Close()
	d = open(t, path, false) // nothing was saved: it may begin anew
	save3(t, d, 1)
	d.Close()
	_, err := Open(path, []byte("seed: 1\nepochs: 4\noptimizer: {lr: 0.1}\n"), true)
	for _, want := range []string{"epochs: 3, now 4", "optimizer: not there, now {lr: 0.1}", "--out"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("other configuration: %v, want %q", err, want)
		}
	}
	if strings.Contains(fmt.Sprint(err), "seed") {
		t.Errorf("a key that is the same: %v", err)
	}
	many := []byte("seed: 1\nepochs: 3\na: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\ng: 1\n")
	if _, err := Open(path, many, true); err == nil || !strings.Contains(err.Error(), "and 2 more") {
		t.Errorf("many keys: %v", err)
	}
	if _, err := Open(path, []byte("a: ["), true); err == nil || !strings.Contains(err.Error(), "cannot be compared") {
		t.Errorf("no configuration: %v", err)
	}
	if d, err = Open(path, []byte("# the same\nepochs: 3\nseed: 1\n"), true); err != nil {
		t.Errorf("another layout: %v", err)
	} else {
		d.Close()
	}
	d = open(t, path, true)
	d.Close()

	file := filepath.Join(t.TempDir(), "file")
	put(t, file, "")
	if _, err := Open(filepath.Join(file, "run"), nil, false); err == nil || !strings.Contains(err.Error(), "--out") {
		t.Errorf("below a file: %v", err)
	}
}

// Temporary files that a killed process left are removed when the directory is taken,
// and nothing else is.
func TestLeftoversAreRemoved(t *testing.T) {
	path := t.TempDir()
	for _, name := range []string{".result.json.0.tmp", "checkpoints/.step-000000001.safetensors.12.tmp", "figures/.a.svg.0.tmp"} {
		put(t, filepath.Join(path, filepath.FromSlash(name)), "half")
	}
	kept := []string{"notes.tmp", ".mine.tmp", "other/.a.0.tmp"}
	for _, name := range kept {
		put(t, filepath.Join(path, filepath.FromSlash(name)), "")
	}
	open(t, path, false)
	var left []string
	err := filepath.WalkDir(path, func(p string, e os.DirEntry, err error) error {
		if strings.HasSuffix(p, ".tmp") {
			rel, _ := filepath.Rel(path, p)
			left = append(left, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil || len(left) != len(kept) {
		t.Errorf("left: %q, %v; want %q", left, err, kept)
	}
}

// Every line of metrics is on the disk before Append returns, and where it cannot be
// brought there, that is an error.
func TestAppendSyncs(t *testing.T) {
	d := open(t, t.TempDir(), false)
	closed, err := os.Create(filepath.Join(t.TempDir(), "closed"))
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	if err := d.sync(closed); !errors.Is(err, os.ErrClosed) {
		t.Errorf("what brings metrics to the disk finds nothing wrong with a closed file: %v", err)
	}
	var synced []string
	d.sync = func(f *os.File) error {
		b, err := os.ReadFile(f.Name())
		synced = append(synced, string(b))
		return err
	}
	var sizes []int64
	for i := range 2 {
		size, err := d.Append(Point{Kind: "step", Step: i})
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, size)
	}
	if len(synced) != 2 || int64(len(synced[0])) != sizes[0] || int64(len(synced[1])) != sizes[1] || !strings.HasSuffix(synced[1], `"step":1,"train":{}}`+"\n") {
		t.Errorf("synced %q, sizes %v", synced, sizes)
	}
	full := errors.New("full")
	d.sync = func(*os.File) error { return full }
	if _, err := d.Append(Point{}); !errors.Is(err, full) {
		t.Errorf("%v, want %v", err, full)
	}
	if _, err := d.Append(math.NaN()); err == nil {
		t.Error("a line that JSON cannot hold was written")
	}
}

// Lines younger than a checkpoint are dropped when the run goes on from it; lost ones
// are an error, and never become zeros.
func TestTruncate(t *testing.T) {
	d := open(t, t.TempDir(), false)
	if err := d.Truncate(0); err != nil {
		t.Errorf("without metrics: %v", err)
	}
	if err := d.Truncate(1); err == nil {
		t.Error("lost metrics")
	}
	var size int64
	for i := range 3 {
		n, err := d.Append(Epoch{Kind: "epoch", Epoch: i + 1})
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			size = n
		}
	}
	if err := d.Truncate(size); err != nil {
		t.Fatal(err)
	}
	_, epochs, err := d.History()
	if err != nil || len(epochs) != 2 || epochs[1].Epoch != 2 {
		t.Errorf("%v, %v", epochs, err)
	}
	if n, err := d.Append(Epoch{Kind: "epoch", Epoch: 9}); err != nil || n <= size {
		t.Errorf("%d, %v", n, err)
	}
	if err := d.Truncate(1 << 20); err == nil || !strings.Contains(err.Error(), "lines were lost") {
		t.Errorf("%v", err)
	}
	if _, epochs, err = d.History(); err != nil || len(epochs) != 3 || epochs[2].Epoch != 9 {
		t.Errorf("%v, %v", epochs, err)
	}
}

// What was appended is read, a figure that is not finite as NaN, and lines of before
// there were named figures like others.
func TestHistory(t *testing.T) {
	d := open(t, t.TempDir(), false)
	if points, epochs, err := d.History(); points != nil || epochs != nil || err != nil {
		t.Errorf("of no metrics: %v, %v, %v", points, epochs, err)
	}
	point := Point{Kind: "step", Epoch: 1, Step: 7, Train: Figures{"loss": 0.5}}
	epoch := Epoch{
		Kind: "epoch", Epoch: 1, Step: 9, Train: Figures{"loss": 0.25}, Valid: Figures{"accuracy": 90, "f1": 1},
		Rates: map[string]float64{"a": 0.5}, Seconds: 2,
	}
	odd := Epoch{Kind: "epoch", Epoch: 2, Valid: Figures{"loss": math.Inf(1)}}
	for _, line := range []any{point, epoch, odd} {
		if _, err := d.Append(line); err != nil {
			t.Fatal(err)
		}
	}
	points, epochs, err := d.History()
	if err != nil || len(points) != 1 || len(epochs) != 2 {
		t.Fatalf("%v, %v, %v", points, epochs, err)
	}
	if !reflect.DeepEqual(points[0], point) || !reflect.DeepEqual(epochs[0], epoch) {
		t.Errorf("%+v, %+v", points[0], epochs[0])
	}
	if !math.IsNaN(epochs[1].Valid["loss"]) || epochs[1].Test != nil {
		t.Errorf("%+v", epochs[1])
	}
	raw, err := os.ReadFile(filepath.Join(d.Path, metricsFile))
	if err != nil || !strings.Contains(string(raw), `"valid":{"loss":null}`) || !strings.Contains(string(raw), `{"kind":"epoch","epoch":1,"step":9,"train":{"loss":0.25},"valid":{"accuracy":90,"f1":1},"rates":{"a":0.5},"seconds":2}`) {
		t.Errorf("%s, %v", raw, err)
	}
}

// Metrics as older programs wrote them stay readable for ever.
func TestHistoryOfOlderPrograms(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, metricsFile), `{"kind":"step","epoch":1,"step":7,"train_loss":2.1,"train_accuracy":30.5}
{"kind":"epoch","epoch":1,"step":13,"train_loss":1.9,"train_accuracy":40,"test_loss":1.5,"test_accuracy":55.5,"rates":{"spiking1":0.1},"seconds":0.5}
`)
	points, epochs, err := History(dir)
	want := Epoch{
		Kind: "epoch", Epoch: 1, Step: 13, Train: Figures{"loss": 1.9, "accuracy": 40}, Test: Figures{"loss": 1.5, "accuracy": 55.5},
		Rates: map[string]float64{"spiking1": 0.1}, Seconds: 0.5,
	}
	if err != nil || len(points) != 1 || len(epochs) != 1 || !reflect.DeepEqual(epochs[0], want) ||
		!reflect.DeepEqual(points[0], Point{Kind: "step", Epoch: 1, Step: 7, Train: Figures{"loss": 2.1, "accuracy": 30.5}}) {
		t.Errorf("%+v, %+v, %v", points, epochs, err)
	}
}

// The metrics of a run of the last program that wrote them so.
func TestHistoryOfFormat1(t *testing.T) {
	dir := t.TempDir()
	b, err := os.ReadFile(filepath.Join("testdata", "format1.metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, metricsFile), string(b))
	points, epochs, err := History(dir)
	if err != nil || len(points) != 5 || len(epochs) != 2 {
		t.Fatalf("%d points, %d epochs, %v", len(points), len(epochs), err)
	}
	if e := epochs[1]; e.Step != 40 || e.Test["accuracy"] != 64.8 || e.Train["loss"] == 0 || e.Rates["spiking1"] == 0 {
		t.Errorf("%+v", e)
	}
}

// A line that was not written whole at the end is left out; anywhere else, and of
// another kind, it is an error with its place.
func TestHistoryErrors(t *testing.T) {
	dir := t.TempDir()
	whole := `{"kind":"epoch","epoch":1}` + "\n"
	for content, want := range map[string]string{
		whole + `{"kind":"epo`:                       "",
		whole + strings.TrimSpace(whole):             "",
		`{"kind":"epo` + "\n" + whole:                "metrics.jsonl:1",
		whole + "\n":                                 "metrics.jsonl:2",
		whole + `{"kind":"detour"}` + "\n":           `kind "detour"`,
		whole + `{}`:                                 `kind ""`,
		whole + strings.Repeat(" ", maxLine+1) + "{": "metrics.jsonl:2: a line of more than",
		`{"kind":"epoch","train":[]}` + "\n":         "metrics.jsonl:1",
	} {
		put(t, filepath.Join(dir, metricsFile), content)
		_, epochs, err := History(dir)
		if want == "" && (err != nil || len(epochs) == 0) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.60q: %d epochs, %v, want %q", content, len(epochs), err, want)
		}
	}
}

// No metrics make History panic, and what it takes it reads again the same.
func FuzzHistory(f *testing.F) {
	f.Add(`{"kind":"step","epoch":1,"step":7,"train":{"loss":null}}` + "\n")
	f.Add(`{"kind":"epoch","epoch":1,"train_loss":1.9,"test_accuracy":55.5,"rates":{"a":0.1},"seconds":0.5}` + "\n")
	f.Add("{")
	f.Fuzz(func(t *testing.T, s string) {
		points, epochs, err := history(strings.NewReader(s))
		if err != nil {
			return
		}
		var b strings.Builder
		for _, p := range points {
			line, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(append(line, '\n'))
		}
		again, _, err := history(strings.NewReader(b.String()))
		if err != nil || len(again) != len(points) || len(epochs)+len(points) > strings.Count(s, "\n")+1 {
			t.Errorf("%d points became %d, %v", len(points), len(again), err)
		}
	})
}

// No files make Read panic.
func FuzzReadRun(f *testing.F) {
	f.Add("seed: 1\n", result, `{"recipe":"r","seed":1,"started":"2026-11-25T10:00:00Z"}`)
	f.Fuzz(func(t *testing.T, config, result, record string) {
		dir := t.TempDir()
		for name, content := range map[string]string{configFile: config, resultFile: result, recordFile: record} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Read(dir)
		if err == nil && (r.Status != Done || string(r.Config) != config) {
			t.Errorf("%+v", r)
		}
	})
}

// A save after a damaged checkpoint was passed over keeps the two before it: later ones
// do not count.
func TestSaveBelowADamagedCheckpoint(t *testing.T) {
	d := open(t, t.TempDir(), false)
	save3(t, d, 5, 10)
	damaged := filepath.Join(d.Path, checkpointsDir, "step-000000010.safetensors")
	if err := os.Truncate(damaged, 10); err != nil {
		t.Fatal(err)
	}
	newest(t, d, "5", 1)
	save3(t, d, 7) // the run goes on from 5
	names, err := checkpoints(d.Path)
	var got []string
	for _, name := range names {
		got = append(got, filepath.Base(name))
	}
	if want := []string{"step-000000005.safetensors", "step-000000007.safetensors", "step-000000010.safetensors"}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	newest(t, d, "7", 1)
	save3(t, d, 9)
	save3(t, d, 10)
	newest(t, d, "10", 0)
	if names, err = checkpoints(d.Path); err != nil || len(names) != 2 {
		t.Errorf("%q, %v", names, err)
	}
}

// The advice to resume was given where the configurations differ, and then refused.
func TestAdviceToResumeAnotherConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	d := open(t, path, false)
	save3(t, d, 1)
	d.Close()
	_, err := Open(path, []byte("seed: 1\nepochs: 7\n"), false)
	if err == nil || !strings.Contains(err.Error(), "epochs") || !strings.Contains(err.Error(), "7") || strings.Contains(err.Error(), "continue it with --resume") {
		t.Errorf("%v", err)
	}
}
