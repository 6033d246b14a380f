package cifar_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/data/cifar"
	"synfire/tensor"
)

// record is one image of the binary format, all of one colour.
func record(label, r, g, b uint8) []byte {
	return slices.Concat([]byte{label}, bytes.Repeat([]byte{r}, 1024), bytes.Repeat([]byte{g}, 1024), bytes.Repeat([]byte{b}, 1024))
}

func empty() *data.Set {
	return &data.Set{Name: "cifar10", Classes: cifar.Dataset().Classes, Shape: tensor.Shape{32, 32, 3}}
}

func TestAppend(t *testing.T) {
	first := record(3, 10, 20, 30)
	first[1+1] = 99 // red of the second pixel
	s := empty()
	for _, b := range [][]byte{slices.Concat(first, record(9, 1, 2, 3)), record(0, 7, 8, 9)} {
		if err := cifar.Append(s, b); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Labels, []int{3, 9, 0}) || !slices.Equal(s.Image(0)[:6], []uint8{10, 20, 30, 99, 20, 30}) || !slices.Equal(s.Image(2)[3069:], []uint8{7, 8, 9}) {
		t.Errorf("labels %v, first pixels %v", s.Labels, s.Image(0)[:6])
	}
}

func TestAppendErrors(t *testing.T) {
	for want, b := range map[string][]byte{
		"batch of 0 bytes":               nil,
		"multiple of 3073":               record(1, 0, 0, 0)[1:],
		"label 10 of record 1, expected": slices.Concat(record(1, 0, 0, 0), record(10, 0, 0, 0)),
	} {
		s := empty()
		if err := cifar.Append(s, b); err == nil || !strings.Contains(err.Error(), want) || s.Len() > 0 {
			t.Errorf("%d samples, error %v, want %q", s.Len(), err, want)
		}
	}
}

func FuzzAppend(f *testing.F) {
	f.Add(record(1, 2, 3, 4))
	f.Add([]byte{1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := empty()
		if err := cifar.Append(s, b); err == nil && s.Validate() != nil {
			t.Fatal(s.Validate())
		}
	})
}

// The two forms are told apart by name and title, and no file of theirs has a sum of
// the other's.
func TestDatasets(t *testing.T) {
	a, b := cifar.Dataset(), cifar.JPEGDataset()
	if a.Name == b.Name || a.Title == b.Title || !strings.Contains(b.Title, "JPEG") {
		t.Errorf("%q %q and %q %q", a.Name, a.Title, b.Name, b.Title)
	}
	if s := a.Status(data.Options{CacheDir: t.TempDir()}); s.Status != data.Missing || s.Bytes != 184_380_000 || s.Splits["train"] != 50000 || len(s.Sources) != 1 {
		t.Errorf("status %+v", s)
	}
}

// shared is the folder of data beside the repository.
func shared(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
		t.Skip("not on this machine:", name)
	}
	return dir
}

func TestLoadJPEG(t *testing.T) {
	if testing.Short() {
		t.Skip("decodes 60,000 images")
	}
	train, test, err := cifar.LoadJPEG(t.Context(), data.Options{DataDir: shared(t, "cifar10-jpeg.zip")})
	if err != nil {
		t.Fatal(err)
	}
	if train.Len() != 50000 || test.Len() != 10000 || !train.Shape.Equal(tensor.Shape{32, 32, 3}) || train.Name != "cifar10-jpeg" {
		t.Errorf("%d and %d images of %v", train.Len(), test.Len(), train.Shape)
	}
	for _, s := range []*data.Set{train, test} {
		if err := s.Validate(); err != nil {
			t.Error(err)
		}
		for i := range 100 {
			if int(s.Labels[i]) != i%10 {
				t.Fatalf("%s: label %d of sample %d; samples must come class by class in turn", s.Split, s.Labels[i], i)
			}
		}
	}
	// The means of the test images' channels in the official form are 0.4942, 0.4851, 0.4504.
	n, err := data.Statistics(t.Context(), test)
	if err != nil {
		t.Fatal(err)
	}
	for c, want := range []float64{0.4942, 0.4851, 0.4504} {
		if got := n.Mean[c]; got < want-0.002 || got > want+0.002 {
			t.Errorf("mean of channel %d is %v, want about %v", c, got, want)
		}
	}
}

func ExampleAppend() {
	s := &data.Set{Name: "cifar10", Split: "train", Classes: cifar.Dataset().Classes, Shape: tensor.Shape{32, 32, 3}}
	batch := make([]byte, 2*3073) // as read from data_batch_1.bin
	batch[0] = 6
	if err := cifar.Append(s, batch); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Len(), s.Classes[s.Labels[0]], s.Classes[s.Labels[1]])
	// Output: 2 frog airplane
}
