package fashion_test

import (
	"fmt"
	"testing"

	"synfire/data"
	"synfire/data/fashion"
)

func TestDataset(t *testing.T) {
	s := fashion.Dataset().Status(data.Options{CacheDir: t.TempDir()})
	if s.Status != data.Missing || s.Bytes != 30_878_645 || s.Splits["train"] != 60000 || len(s.Sources) != 3 {
		t.Errorf("status %+v", s)
	}
	for _, f := range fashion.Dataset().Files {
		for _, sum := range []string{f.SHA256, f.RawSHA256, f.Also[0].SHA256} {
			if len(sum) != 64 {
				t.Errorf("%s: sum %q", f.Name, sum)
			}
		}
	}
}

// The whole set, where a package of the system or the cache has it.
func TestLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 55 MB")
	}
	o := data.DefaultOptions()
	if fashion.Dataset().Verify(o) != nil {
		o.DataDir = "/usr/share/datasets"
	}
	if err := fashion.Dataset().Verify(o); err != nil {
		t.Skip("Fashion-MNIST is not on this machine:", err)
	}
	train, test, err := fashion.Load(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if train.Len() != 60000 || test.Len() != 10000 || train.Classes[train.Labels[0]] != "Ankle boot" || test.Classes[test.Labels[0]] != "Ankle boot" {
		t.Errorf("%d and %d images, the first are %v and %v", train.Len(), test.Len(), train.Labels[:3], test.Labels[:3])
	}
}

func ExampleDataset() {
	d := fashion.Dataset()
	fmt.Println(d.Name, len(d.Classes), d.Classes[9])
	// Output: fashion-mnist 10 Ankle boot
}
