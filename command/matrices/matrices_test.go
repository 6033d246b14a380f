package matrices

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/format/npz"
	"synfire/view"
)

// Four items on a line at 0, 1, 5, 6, as distance --save writes their distances.
const line = "train,a-1,a-2,b-1,b-2\na-1,0,1,5,6\na-2,1,0,4,5\nb-1,5,4,0,1\nb-2,6,5,1,0\n"

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// usual is the verb with the defaults of its options.
func usual(path, verb string) Matrix {
	return Matrix{File: path, Verb: verb, Linkage: "average", Dims: 2, Neighbours: 1, Permutations: 99, Seed: 1, Threads: 1}
}

func run(t *testing.T, c Matrix) (string, error) {
	t.Helper()
	var out bytes.Buffer
	if err := c.Validate(); err != nil {
		return "", err
	}
	err := c.Run(Env{Screen: view.Screen{Out: &out, Err: &out, Width: 100}, Context: t.Context()})
	return out.String(), err
}

func decoded(t *testing.T, c Matrix, into any) {
	t.Helper()
	c.JSON = true
	text, err := run(t, c)
	if err == nil {
		err = json.Unmarshal([]byte(text), into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// By hand: pairs join at 1, and these at the mean of 5, 6, 4, 5; points on a line are mapped
// without a loss; neighbours are of one's own class.
func TestByHand(t *testing.T) {
	path := file(t, "d.csv", line)
	c := usual(path, "clusters")
	c.Clusters = 2
	var got tree
	decoded(t, c, &got)
	if len(got.Links) != 3 || got.Links[2] != (link{4, 5, 5, 4}) || strings.Join(got.Order, " ") != "a-1 a-2 b-1 b-2" || got.Clusters[1] != 1 || got.Clusters[2] != 2 || got.Cophenetic == nil {
		t.Errorf("clusters: %+v", got)
	}
	var at places
	decoded(t, usual(path, "map"), &at)
	if far := math.Abs(at.Points[0][0] - at.Points[3][0]); math.Abs(far-6) > 1e-9 || math.Abs(at.Explained-1) > 1e-9 || at.Stress > 1e-6 {
		t.Errorf("map: %+v", at)
	}
	c = usual(path, "classify")
	c.Split = "-"
	var classes told
	decoded(t, c, &classes)
	// of 24 labellings of two pairs a third keep the pairs together
	if classes.Right != 1 || classes.Chance != 0.5 || classes.Confusion[0][0] != 2 || math.Abs(classes.P-1.0/3) > 0.2 {
		t.Errorf("classify: %+v", classes)
	}
	c.Split, c.Labels = "", "x,y,x,y"
	decoded(t, c, &classes)
	if classes.Right != 0 || classes.Confusion[0][1] != 2 {
		t.Errorf("classify by other labels: %+v", classes)
	}
}

// A matrix is the same from each form, and results are written to each.
func TestForms(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "d.npz"))
	if err != nil {
		t.Fatal(err)
	}
	v := []float64{0, 1, 5, 6, 1, 0, 4, 5, 5, 4, 0, 1, 6, 5, 1, 0}
	if err := npz.Write(f, map[string]npz.Array{"matrix": npz.F64(v, 4, 4), "names": npz.Text([]string{"a-1", "a-2", "b-1", "b-2"}, 4)}); err != nil {
		t.Fatal(err)
	}
	f.Close()
	sims := file(t, "s.json", `{"metric":"sync","units":["a-1","a-2","b-1","b-2"],"matrix":[[1,0.9,0.5,0.4],[0.9,1,0.6,0.5],[0.5,0.6,1,0.9],[0.4,0.5,0.9,1]]}`)
	labels := file(t, "l.csv", "name,odour\nb-1,v\nb-2,v\na-1,u\na-2,u\n") + ":odour"
	for _, path := range []string{file(t, "d.csv", line), f.Name(), f.Name() + ":matrix", sims} {
		for _, verb := range []string{"clusters", "map", "classify"} {
			for _, ending := range []string{".csv", ".npz"} {
				c := usual(path, verb)
				if verb != "clusters" {
					c.Labels = labels
				}
				c.Out, c.Figure = filepath.Join(dir, "out"+ending), filepath.Join(dir, "out.svg")
				text, err := run(t, c)
				written, missing := os.ReadFile(c.Out)
				if err != nil || text == "" || missing != nil || len(written) == 0 {
					t.Errorf("%s %s: %v, %v, %q", path, verb, err, missing, text)
				}
				if ending == ".csv" && verb != "classify" && strings.Count(string(written), "\n") != 5 {
					t.Errorf("%s %s wrote\n%s", path, verb, written)
				}
			}
		}
	}
}

// What cannot be is one error, which names what is wrong; nothing is left out in silence.
func TestMistakes(t *testing.T) {
	good := file(t, "d.csv", line)
	undefined := file(t, "u.csv", "train,a,b,c\na,0,,2\nb,,0,1\nc,2,1,0\n")
	for name, c := range map[string]struct {
		path, verb string
		change     func(*Matrix)
		want       string
	}{
		"undefined":      {undefined, "clusters", nil, "1 of 3 distances are undefined, the first that of a and b"},
		"asymmetric":     {file(t, "a.csv", "t,a,b\na,0,1\nb,2,0\n"), "map", nil, "a and b are 1 apart one way and 2 the other"},
		"negative":       {file(t, "n.csv", "t,a,b\na,0,-1\nb,-1,0\n"), "map", nil, "no negative distance"},
		"similar":        {good, "map", func(m *Matrix) { m.Similarity = true }, "a similarity of"},
		"similar, CSV":   {file(t, "c.csv", "t,a,b\na,1,0.5\nb,0.5,1\n"), "clusters", nil, "a is 1 from itself, want 0; of similarities up to 1, as those of sync, say --similarity"},
		"same name":      {file(t, "w.csv", "t,a,a,b\na,0,1,2\na,1,0,2\nb,2,2,0\n"), "clusters", func(m *Matrix) { m.Without = []string{"a"} }, "several items are called \"a\""},
		"leads":          {file(t, "l.json", `{"metric":"order","matrix":[[0,1],[-1,0]]}`), "map", nil, "who leads"},
		"no matrix":      {file(t, "m.json", `{"metric":"isi"}`), "map", nil, "--matrix"},
		"ragged":         {file(t, "r.json", `{"matrix":[[0,1],[1]]}`), "map", nil, "row 1"},
		"no labels":      {good, "classify", nil, "--labels"},
		"few labels":     {good, "classify", func(m *Matrix) { m.Labels = "a,b" }, "2 labels of 4 items"},
		"one class":      {good, "classify", func(m *Matrix) { m.Labels = "a,a,a,a" }, "1 classes"},
		"single":         {good, "classify", func(m *Matrix) { m.Labels = "a,a,a,b" }, "class 1"},
		"split":          {good, "classify", func(m *Matrix) { m.Split = "_" }, "nothing before"},
		"unknown item":   {good, "map", func(m *Matrix) { m.Without = []string{"c"} }, `no item "c"`},
		"other's option": {good, "map", func(m *Matrix) { m.Clusters = 2 }, "it is for clusters"},
		"many clusters":  {good, "clusters", func(m *Matrix) { m.Clusters = 9 }, "9 clusters of 4"},
		"ending":         {good, "map", func(m *Matrix) { m.Out = "x.txt" }, ".csv or .npz"},
		"not a matrix":   {file(t, "t.csv", "unit,time\na,1\n"), "map", nil, "items of the head"},
		"squared":        {good, "clusters", func(m *Matrix) { m.Squared = true }, "ward"},
		"one dimension":  {good, "map", func(m *Matrix) { m.Dims, m.Figure = 1, "x.svg" }, "--dims 2"},
	} {
		m := usual(c.path, c.verb)
		if c.change != nil {
			c.change(&m)
		}
		if text, err := run(t, m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q\n%s", name, err, c.want, text)
		}
	}
	m := usual(undefined, "clusters")
	m.Without = []string{"a"}
	if text, err := run(t, m); err != nil || !strings.Contains(text, "2 items") {
		t.Errorf("%v, %s", err, text)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (func() error {
		m := usual(good, "classify")
		m.Split = "-"
		return m.Run(Env{Screen: view.Screen{Out: &bytes.Buffer{}}, Context: ctx})
	})(); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("interrupted: %v", err)
	}
}
