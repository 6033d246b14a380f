package inspect_test

import (
	"fmt"
	"os"
	"path/filepath"

	"synfire/catalog"
	"synfire/inspect"
)

func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "spikes.csv")
	if err := os.WriteFile(path, []byte("unit,time\na,0.5\na,1.25\nb,0.75\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	f, err := inspect.Open(catalog.Default(), path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Format, f.Summary["trains"], f.Summary["spikes"])
	// Output:
	// spike trains 2 3
}
