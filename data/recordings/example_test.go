package recordings_test

import (
	"archive/zip"
	"bytes"
	"fmt"

	"synfire/data/recordings"
)

func Example() {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range []struct{ name, text string }{
		{"index.json", `{"recordings": [{"file": "bee.csv", "units": ["u", "v"], "window_s": [0, 2]}]}`},
		{"bee.csv", "unit,time\nu,0.25\nu,1.5\n"},
	} {
		if part, err := w.Create(f.name); err == nil {
			part.Write([]byte(f.text))
		}
	}
	w.Close()
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := recordings.Open(z)
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := a.Recording(a.Infos[0])
	fmt.Println(r.Name, r.Names(), *r.Window, err)
	// Output:
	// bee.csv [u v] [0 2] <nil>
}
