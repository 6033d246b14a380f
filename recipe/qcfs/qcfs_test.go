package qcfs

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/internal/par"
	"synfire/layer"
	"synfire/network"
	"synfire/recipe"
	"synfire/report"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

// The convolutional network of the full scale.
func Example() {
	net, err := network.Sequential(tensor.Shape{32, 32, 3}, 1, convolutional(sizes[report.Full].deep.widths, stair(4, 8))...)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, nd := range net.Nodes() {
		if _, ok := nd.Layer.(layer.AvgPool); ok {
			fmt.Println(nd.Name, nd.Out)
		}
	}
	fmt.Println(net.OutputShapes()[0], net.ParamCount(), "parameters")
	// Output:
	// avgpool1 16×16×32
	// avgpool2 8×8×64
	// avgpool3 4×4×128
	// 10 307952 parameters
}

// The smallest scale comes to its end, with a figure for each claim about digits.
func TestSmoke(t *testing.T) {
	if testing.Short() || snntest.DoublePrecision() {
		t.Skip("trains networks")
	}
	e := &recipe.Env{
		Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Pool: par.New(1), Observer: train.None{}, Out: filepath.Join(t.TempDir(), "run"), Now: time.Now, SaveEvery: 1 << 30,
	}
	o, err := Recipe().Run(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range Recipe().Judge(report.Smoke, o) {
		if strings.HasPrefix(r.ID, "mnist") && (r.Measured == nil || math.IsNaN(*r.Measured)) {
			t.Errorf("%s: %+v", r.ID, r)
		}
	}
	if n := o.Metrics["qcfs4_graded_s1_other_labels"]; n != 0 {
		t.Errorf("graded spikes answer %v images otherwise", n)
	}
	if d := o.Metrics["ttfs_dt0_s1_difference"]; !(d < 1e-4) {
		t.Errorf("single spikes: a score is off by %v", d)
	}
	page := o.Page(report.Run{})
	if len(page.Sections) != 4 || !strings.Contains(page.Lead, "four steps") {
		t.Errorf("%d sections: %s", len(page.Sections), page.Lead)
	}
}

// How far the arms are from the table: in accuracy where nothing varies much from T = 2 on, and
// in losses of cells of 96 % and above.
func TestTable(t *testing.T) {
	s := &study{ordinary: map[string][]float64{relu: {97.13, 97.13}, four: {96.72}, eight: {96.93}}, found: map[string]map[int][]point{}}
	for _, a := range arms() {
		s.found[a.key] = map[int][]point{}
		for k, c := range a.cells {
			s.found[a.key][1<<k] = []point{{accuracy: c.accuracy + 0.1}, {accuracy: c.accuracy - 0.1}}
		}
	}
	if apart, loss := s.table(); apart > 1e-9 || loss > 1e-9 {
		t.Errorf("the table is %v and %v from itself", apart, loss)
	}
	s.found[percentHalf][2] = []point{{accuracy: 93.09}} // of 95.09
	s.found[plain][1] = []point{{accuracy: 50}}          // loose
	s.ordinary[eight] = []float64{97.23}
	if apart, loss := s.table(); math.Abs(apart-2) > 1e-9 || math.Abs(loss-0.3) > 1e-9 {
		t.Errorf("%v and %v, want 2 and 0.3", apart, loss)
	}
}

// Steps that an arm needs are the first of those that lose little, or twice the last.
func TestNeeds(t *testing.T) {
	s := &study{size: sizes[report.Full], found: map[string]map[int][]point{"a": {2: {{accuracy: 60}}, 4: {{accuracy: 83}}, 8: {{accuracy: 83.6}}}}}
	if a, b := s.needs("a", 85), s.needs("a", 90); a != 8 || b != 16 {
		t.Errorf("%d and %d, want 8 and 16", a, b)
	}
}
