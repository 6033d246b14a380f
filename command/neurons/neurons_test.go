package neurons

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/format/npz"
	"synfire/internal/atomicfile"
	"synfire/view"
)

// look runs the verb as it would be typed.
func look(c Neuron) (string, error) {
	var out bytes.Buffer
	if err := c.Validate(); err != nil {
		return "", err
	}
	err := c.Run(Env{Screen: view.NewScreen(&out, io.Discard), Context: context.Background(), Catalog: catalog.Default()})
	return out.String(), err
}

func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A step of a current in ms: silence before and after it, and in between the rate of theory,
// 1000/(2 + 10·ln(24/9)) Hz for 600 pA.
func TestStepOfCurrent(t *testing.T) {
	out, err := look(Neuron{Name: "current-lif", Current: "step:0,600,50,150", JSON: true})
	var tr shown
	if err != nil || json.Unmarshal([]byte(out), &tr) != nil {
		t.Fatal(err, out)
	}
	want := 2 + 10*math.Log(24.0/9)
	if len(tr.T) != 2000 || len(tr.V) != 2000 || tr.Units.Current != "pA" || tr.Spikes[0] < 50 || tr.Spikes[len(tr.Spikes)-1] > 150.1 || math.Abs(tr.Spikes[1]-tr.Spikes[0]-want) > 0.1 {
		t.Errorf("spikes at %v, want every %v between 50 and 150", tr.Spikes, want)
	}
}

// The same current as a recording in each form gives the same spikes.
func TestRecordings(t *testing.T) {
	arrays := func(name string, write func(w io.Writer) error) string {
		path := filepath.Join(t.TempDir(), name)
		if err := atomicfile.Write(path, write); err != nil {
			t.Fatal(err)
		}
		return path
	}
	times, values := []float64{0, 50, 150, 200}, []float64{0, 600, 0, 0}
	var single strings.Builder
	for k := range 250 {
		v := "0\n"
		if k >= 50 && k < 150 {
			v = "600\n"
		}
		single.WriteString(v)
	}
	step := 1.0
	want := ""
	for _, c := range []struct {
		path string
		step *float64
	}{
		{file(t, "a.csv", "time,current\r\n0,0\r\n50,600\r\n150,0\r\n200,0\r\n"), &step},
		{file(t, "a.txt", "# recorded\n0 0\n50\t600\n\n150 0\n200 0"), &step},
		{arrays("a.npz", func(w io.Writer) error {
			return npz.Write(w, map[string]npz.Array{"time": npz.F64(times, 4), "current": npz.F64(values, 4)})
		}), &step},
		{arrays("a.npy", func(w io.Writer) error {
			return npz.WriteNPY(w, npz.F64([]float64{0, 0, 50, 600, 150, 0, 200, 0}, 4, 2))
		}), &step},
		{file(t, "b.csv", single.String()), &step},
	} {
		out, err := look(Neuron{Name: "current-lif", Current: c.path, Step: c.step, JSON: true})
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		var tr shown
		if err := json.Unmarshal([]byte(out), &tr); err != nil || len(tr.T) != 250 || len(tr.Spikes) < 5 {
			t.Errorf("%s: %d steps, spikes at %v, %v", c.path, len(tr.T), tr.Spikes, err)
		}
		spikes, _ := json.Marshal(tr.Spikes)
		if want == "" {
			want = string(spikes)
		}
		if string(spikes) != want {
			t.Errorf("%s: spikes at %s, want %s", c.path, spikes, want)
		}
	}
	for name, content := range map[string]string{"a.csv": "", "b.csv": "1\n2,3\n", "c.csv": "1,2,3\n", "d.csv": "1\nx\n", "e.csv": "1,2\n0,3\n", "f.npz": "zip", "g.npy": "numpy", "h.csv": "-5,1\n-4,2\n", "i.csv": "1\nnan\n"} {
		if out, err := look(Neuron{Name: "adex", Current: file(t, name, content)}); err == nil {
			t.Errorf("%s, %q: accepted, %s", name, content, out)
		}
	}
}

func TestCurveAndPicture(t *testing.T) {
	for _, name := range []string{"a.svg", "a.png"} {
		path := filepath.Join(t.TempDir(), name)
		out, err := look(Neuron{Name: "current-lif", Curve: "300,1000,8", JSON: true, SVG: path})
		var got struct {
			Unit  string
			Curve []rate
		}
		if err != nil || json.Unmarshal([]byte(out), &got) != nil || len(got.Curve) != 8 || got.Unit != "Hz" {
			t.Fatal(err, out)
		}
		if got.Curve[0].Steady != 0 || !slices.IsSortedFunc(got.Curve, func(a, b rate) int { return int(a.Steady - b.Steady) }) {
			t.Errorf("%+v", got.Curve)
		}
		raw, err := os.ReadFile(path)
		if err != nil || name == "a.svg" != bytes.Contains(raw, []byte("<svg")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if out, err := look(Neuron{Name: "if", Curve: "0,1,5"}); err != nil || !strings.Contains(out, "spikes/step") || !strings.Contains(out, "0.25") {
		t.Errorf("%v, %s", err, out)
	}
	path := filepath.Join(t.TempDir(), "long.svg")
	long := 20000.0
	if _, err := look(Neuron{Name: "adex", Duration: &long, SVG: path}); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 500_000 {
		t.Errorf("a long trace is a picture of %v, %v", info, err)
	}
}

// A line that is thinned keeps its extremes.
func TestThin(t *testing.T) {
	x, y := make([]float64, 100_000), make([]float64, 100_000)
	for i := range x {
		x[i] = float64(i)
	}
	y[77_777], y[12_345] = 5, -3
	tx, ty := thin(x, y)
	if len(tx) > drawn || slices.Max(ty) != 5 || slices.Min(ty) != -3 || !slices.IsSorted(tx) {
		t.Errorf("%d points, %v to %v", len(tx), slices.Min(ty), slices.Max(ty))
	}
}

func TestMistakes(t *testing.T) {
	x, n, zero := 1.0, 10, 0.0
	for _, c := range []Neuron{
		{Name: "adx"}, {Name: "adex", Pattern: "RS"}, {Name: "adex", Input: &x}, {Name: "adex", Steps: &n}, {Name: "lif", Pattern: "RS"}, {Name: "lif", Step: &x},
		{Name: "adex", Set: []string{"foo=1"}}, {Name: "adex", Set: []string{"a"}}, {Name: "adex", Set: []string{"leak=0"}}, {Name: "adex", Current: "steep:1,2"},
		{Name: "adex", Current: "step:1,2"}, {Name: "adex", Current: "step:1,2,5,3"}, {Name: "adex", Current: "ramp:1,x"}, {Name: "adex", Current: "ramp:0,1,5,5"}, {Name: "adex", Current: "missing.csv"},
		{Name: "adex", Duration: &zero}, {Name: "adex", Step: &zero}, {Name: "adex", Curve: "1,2"}, {Name: "adex", Curve: "2,1,5"}, {Name: "adex", Curve: "0,1,5000"}, {Name: "lif", Steps: new(int)},
		{Name: "adex", Curve: "0,1,5", Current: "3"}, {Name: "lif", Input: &x, Current: "3"}, {Name: "adex", SVG: "a.jpg"},
	} {
		if out, err := look(c); err == nil {
			t.Errorf("%+v: accepted, %.100s", c, out)
		}
	}
	out, err := look(Neuron{Name: "adex", Pattern: "list"})
	if err != nil || !strings.Contains(out, "regular-bursting") {
		t.Errorf("%v, %s", err, out)
	}
}

// No text makes the reader of recordings fail otherwise than by an error.
func FuzzRecording(f *testing.F) {
	for _, s := range []string{"1\n2\n", "time,current\n0,1\n1,2", "# x\n1;2\n", "a\nb", "1e999", "\x00,\x1b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		times, values, err := parse(text)
		if err == nil && (len(values) == 0 || times != nil && len(times) != len(values)) {
			t.Errorf("%q: %d times, %d values", text, len(times), len(values))
		}
	})
}
