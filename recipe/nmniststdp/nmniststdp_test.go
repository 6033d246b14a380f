package nmniststdp

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/model"
	"synfire/recipe"
	"synfire/report"
	"synfire/rule/stdp"
	"synfire/train"
)

// The ways differ in what they are held apart by, and in nothing else.
func TestWays(t *testing.T) {
	list := ways(sizes[report.Full], model.Data{Name: "nmnist-1100"}, 3)
	learns, stands, still, scrambled := list[0].Config.Rule.(stdp.Rule), list[1].Config.Rule.(stdp.Rule), list[2].Config.Rule.(stdp.Rule), list[3]
	if learns.Plus == 0 || learns.Minus == 0 || stands.Plus != 0 || stands.Minus != 0 {
		t.Errorf("the first learns by %v and %v, the second by %v and %v", learns.Plus, learns.Minus, stands.Plus, stands.Minus)
	}
	if still.Rise != 0 || still.Plus != 0 || still.Minus != 0 {
		t.Errorf("%+v, want neurons that stand still", still)
	}
	if stands.Plus, stands.Minus = learns.Plus, learns.Minus; stands != learns {
		t.Errorf("%+v and %+v", learns, stands)
	}
	if scrambled.Of == nil || scrambled.Config.Rule != list[0].Config.Rule || list[0].Of != nil || list[4].Config.Rule != nil {
		t.Errorf("%+v", list)
	}
	for _, w := range list[:4] {
		if err := w.Config.Validate(); err != nil || w.Config.Seed != 3 {
			t.Errorf("%s: seed %d, %v", w.Name, w.Config.Seed, err)
		}
	}
}

// The recipe runs on the program's digits, and shows what the neurons learned.
func TestSmoke(t *testing.T) {
	if testing.Short() {
		t.Skip("trains networks")
	}
	e := &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: t.TempDir(), Observer: train.None{}, Now: time.Now}
	o, err := Recipe().Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{learnedClaim, drawnClaim} {
		if m := o.Measured[id]; len(m.Values) != 1 || m.N != 66 {
			t.Errorf("%s: %+v", id, m)
		}
	}
	if gain := o.Metrics["learned_s1_accuracy"] - o.Metrics["drawn_s1_accuracy"]; gain != o.Measured[drawnClaim].Values[0] {
		t.Errorf("a gain of %v, measured %v", gain, o.Measured[drawnClaim].Values)
	}
	if _, err := os.Stat(filepath.Join(e.Out, "weights.png")); err != nil {
		t.Error(err)
	}
	e.Scale = "long"
	if _, err := Recipe().Run(t.Context(), e); err == nil || !strings.Contains(err.Error(), "use smoke, short or full") {
		t.Errorf("scale long: %v", err)
	}
}
