package atomicfile_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"synfire/internal/atomicfile"
)

func ExampleWrite() {
	dir, err := os.MkdirTemp("", "atomicfile")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	path := filepath.Join(dir, "report.txt")
	err = atomicfile.Write(path, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "test accuracy 99.1 %")
		return err
	})
	content, _ := os.ReadFile(path)
	fmt.Print(string(content))
	fmt.Println(err)
	// Output:
	// test accuracy 99.1 %
	// <nil>
}
