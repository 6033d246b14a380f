package uci

import (
	"strings"
	"testing"

	"synfire/data"
	"synfire/sample"
	"synfire/tensor"
)

// The sets as their files have them: counts of classes and the sums of the columns, of awk.
func TestWholeSets(t *testing.T) {
	for _, c := range []struct {
		set    data.Dataset
		counts []int
		sums   []float64
	}{
		{Iris(), []int{50, 50, 50}, []float64{876.5, 458.1, 563.8, 179.8}},
		{Wisconsin(), []int{444, 239}, []float64{3034, 2152, 2196, 1933, 2209, 2421, 2353, 1960, 1095}},
	} {
		o := data.DefaultOptions()
		if err := c.set.Verify(o); err != nil {
			t.Log(c.set.Name, "is not on this machine:", err)
			continue
		}
		src, test, err := c.set.Load(t.Context(), o)
		if err != nil || test != nil {
			t.Fatal(err, test)
		}
		counts, sums := make([]int, len(c.counts)), make([]float64, len(c.sums))
		for i := range src.Len() {
			var x sample.Sample
			x.X = make([]tensor.Float, src.Spec().Size())
			if err := src.Read(t.Context(), i, &x); err != nil {
				t.Fatal(err)
			}
			counts[x.Targets[0].Class]++
			for k, v := range x.X {
				sums[k] += float64(v)
			}
		}
		for k, n := range c.counts {
			if counts[k] != n {
				t.Errorf("%s: %v of the classes, want %v", c.set.Name, counts, c.counts)
			}
		}
		for k, v := range c.sums {
			if d := sums[k] - v; d > 0.01 || d < -0.01 {
				t.Errorf("%s: column %d sums to %v, want %v", c.set.Name, k, sums[k], v)
			}
		}
	}
}

// Lines that lack a score are left out, and bad ones are told.
func TestReading(t *testing.T) {
	s, err := ReadWisconsin(strings.NewReader("7,1,2,3,4,5,6,7,8,9,2\n8,1,2,3,4,5,?,7,8,9,2\n9,9,8,7,6,5,4,3,2,1,4\n"))
	if err != nil || s.Len() != 2 || s.Labels[1] != 1 || s.Values[9] != 9 {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range []string{"", "x\n", "7,1,2,3,4,5,6,7,8,9,3\n", "7,1,2,3,4,5,6,7,8,NaN,2\n", "7,1,2,3,4,5,6,7,8,9,2,2\n"} {
		if _, err := ReadWisconsin(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("names\n5.1,3.5,1.4,0.2,Iris-setosa\n")
	f.Add("1000025,5,1,1,1,2,1,3,1,1,2\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, read := range []func() (*data.Set, error){
			func() (*data.Set, error) { return ReadIris(strings.NewReader(text)) },
			func() (*data.Set, error) { return ReadWisconsin(strings.NewReader(text)) },
		} {
			if s, err := read(); err == nil && s.Validate() != nil {
				t.Error("an invalid set is read without an error")
			}
		}
	})
}
