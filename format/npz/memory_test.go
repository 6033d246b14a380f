package npz_test

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"synfire/format/npz"
	"synfire/internal/machine"
)

// Decoders used to double a buffer: an archive of 1 MB with an array of 1 GiB took 5.3.
func TestMemoryOfLargeArrays(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a process's peak")
	}
	const size = 64 << 20
	if path := os.Getenv("SYNFIRE_TEST_NPZ"); path != "" {
		before := machine.PeakRSS()
		held := readLarge(t, path, os.Getenv("SYNFIRE_TEST_AS"))
		fmt.Printf("peak %d of %d\n", machine.PeakRSS()-before, held)
		return
	}
	for _, as := range []string{"bytes", "fortran", "numbers"} {
		path := filepath.Join(t.TempDir(), as+".npz")
		writeZeros(t, path, size, as == "fortran")
		cmd := exec.Command(os.Args[0], "-test.run=^TestMemoryOfLargeArrays$", "-test.v")
		cmd.Env = append(os.Environ(), "SYNFIRE_TEST_NPZ="+path, "SYNFIRE_TEST_AS="+as)
		out, err := cmd.CombinedOutput()
		var peak, held int64
		_, line, _ := strings.Cut(string(out), "peak ")
		if _, scan := fmt.Sscanf(line, "%d of %d", &peak, &held); err != nil || scan != nil {
			t.Fatalf("%s: %v, %v: %s", as, err, scan, out)
		}
		if float64(peak) > 1.2*float64(held)+8<<20 {
			t.Errorf("%s: %d MB were taken for %d MB", as, peak>>20, held>>20)
		}
	}
}

// readLarge reads one array of an archive, and tells how many bytes that are.
func readLarge(t *testing.T, path, as string) int64 {
	if as != "numbers" {
		arrays, err := npz.ReadFile(path, 0)
		if err != nil {
			t.Fatal(err)
		}
		return int64(len(arrays["x"].Data))
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, _ := f.Stat()
	entries, err := npz.Entries(f, st.Size())
	if err != nil {
		t.Fatal(err)
	}
	v, err := entries[0].Float64s()
	if err != nil {
		t.Fatal(err)
	}
	return 8 * int64(len(v))
}

// writeZeros writes an archive with an array of n bytes, all zero.
func writeZeros(t *testing.T, path string, n int, fortran bool) {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	w, err := z.Create("x.npy")
	if err != nil {
		t.Fatal(err)
	}
	order := map[bool]string{true: "True", false: "False"}[fortran]
	io.WriteString(w, npy(fmt.Sprintf("{'descr': '<f8', 'fortran_order': %s, 'shape': (%d, 16), }", order, n/128), ""))
	zeros := make([]byte, 1<<20)
	for left := n; left > 0; left -= len(zeros) {
		w.Write(zeros)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}
