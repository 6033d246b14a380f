package hdf5_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"synfire/format/hdf5"
	"synfire/internal/machine"
)

// An array takes no more memory than what is returned of it, and a bit: contiguous, and of
// one chunk that was shuffled, deflated and summed.
func TestMemoryOfLargeArrays(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a process's peak")
	}
	if path := os.Getenv("SYNFIRE_TEST_HDF5"); path != "" {
		before := machine.PeakRSS()
		held := readLarge(t, path, os.Getenv("SYNFIRE_TEST_AS"))
		fmt.Printf("peak %d of %d\n", machine.PeakRSS()-before, held)
		return
	}
	contiguous := filepath.Join(t.TempDir(), "contiguous.h5")
	if err := hdf5.WriteFile(contiguous, open(t, "testdata/large.h5").Root); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"testdata/large.h5", contiguous} {
		for _, as := range []string{"bytes", "numbers"} {
			cmd := exec.Command(os.Args[0], "-test.run=^TestMemoryOfLargeArrays$", "-test.v")
			cmd.Env = append(os.Environ(), "SYNFIRE_TEST_HDF5="+path, "SYNFIRE_TEST_AS="+as)
			out, err := cmd.CombinedOutput()
			var peak, held int64
			_, line, _ := strings.Cut(string(out), "peak ")
			if _, scan := fmt.Sscanf(line, "%d of %d", &peak, &held); err != nil || scan != nil {
				t.Fatalf("%s, %s: %v, %v: %s", path, as, err, scan, out)
			}
			if float64(peak) > 1.2*float64(held)+4<<20 {
				t.Errorf("%s, %s: %d MB were taken for %d MB", path, as, peak>>20, held>>20)
			}
		}
	}
}

// readLarge reads an array, and tells how many bytes were returned.
func readLarge(t *testing.T, path, as string) int64 {
	a := open(t, path).Root.Child("x").Array
	if as == "bytes" {
		b, err := a.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return int64(len(b))
	}
	v, err := a.Float64s()
	if err != nil {
		t.Fatal(err)
	}
	return 8 * int64(len(v))
}

func u64(v ...uint64) (b []byte) {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint64(b, x)
	}
	return b
}

func u32(v ...uint32) (b []byte) {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, x)
	}
	return b
}

// damaged is a file of testdata in which old, which it has to have, is replaced by new.
func damaged(t *testing.T, file string, old, new []byte) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file + ".h5")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, old) || len(old) != len(new) {
		t.Fatalf("%s has no % x", file, old)
	}
	return bytes.ReplaceAll(b, old, new)
}

// readAll opens a file and reads all that it has.
func readAll(b []byte, lim hdf5.Limits) error {
	f, err := hdf5.Open(bytes.NewReader(b), int64(len(b)), lim)
	if err != nil {
		return err
	}
	return each(f.Root, func(a *hdf5.Array) error {
		var err error
		switch {
		case a.Type.Class == hdf5.String:
			_, err = a.Strings()
		case a.Type.Class == hdf5.Sequence:
			_, err = a.Sequences()
		default:
			_, err = a.Float64s()
		}
		return err
	})
}

func each(o *hdf5.Object, visit func(*hdf5.Array) error) error {
	for _, a := range o.Attributes {
		if err := visit(a.Array); err != nil {
			return err
		}
	}
	if o.Array != nil {
		if err := visit(o.Array); err != nil {
			return err
		}
	}
	for _, c := range o.Children {
		if err := each(c, visit); err != nil {
			return err
		}
	}
	return nil
}

// Each lie is one clear error, and costs little memory.
func TestLies(t *testing.T) {
	const large = 1 << 24 // elements of the one chunk of large.h5
	many := &hdf5.Object{}
	for i := range 3000 {
		many.Children = append(many.Children, &hdf5.Object{Name: fmt.Sprint(i)})
	}
	var groups bytes.Buffer
	if err := hdf5.Write(&groups, many); err != nil {
		t.Fatal(err)
	}
	layout := func(elements uint32) []byte { return u32(elements, 4) } // of a chunk, and bytes of each
	for name, c := range map[string]struct {
		file []byte
		lim  hdf5.Limits
		want string
	}{
		"bomb":                        {damaged(t, "large", layout(large), layout(large/4)), hdf5.Limits{}, "more bytes than a chunk has"},
		"chunk shorter than declared": {damaged(t, "large", layout(large), layout(large+8)), hdf5.Limits{}, "fewer than the 67108896 bytes"},
		"chunk far too short":         {damaged(t, "large", layout(large), layout(8*large)), hdf5.Limits{}, "cannot inflate"},
		"larger than permitted":       {damaged(t, "large", nil, nil), hdf5.Limits{Bytes: 1 << 20}, "at most 1048576 are permitted"},
		"absurd dimension":            {damaged(t, "large", u64(large, large), u64(1<<50, 1<<50)), hdf5.Limits{}, "more than any machine holds"},
		"negative dimension":          {damaged(t, "large", u64(large, large), u64(1<<63, 1<<63)), hdf5.Limits{}, "dimension 0"},
		"many groups":                 {groups.Bytes(), hdf5.Limits{Objects: 2000}, "more than 2000 objects"},
		"tree of another level":       {damaged(t, "groups", []byte("TREE\x00\x00"), []byte("TREE\x00\x01")), hdf5.Limits{}, `begins with "SNOD", expected "TREE"`},
		"tree of another kind":        {damaged(t, "groups", []byte("TREE\x00"), []byte("TREE\x01")), hdf5.Limits{}, "of kind 1, expected 0"},
		"no heap":                     {damaged(t, "types", []byte("GCOL"), []byte("GCOX")), hdf5.Limits{}, `begins with "GCOX", expected "GCOL"`},
	} {
		before := allocated()
		err := readAll(c.file, c.lim)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if took := allocated() - before; took > 16<<20 {
			t.Errorf("%s: took %d MB", name, took>>20)
		}
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// Chunks and data sets that stand on each other are an error.
func TestOverlaps(t *testing.T) {
	b := damaged(t, "chunks", nil, nil)
	i := bytes.Index(b, []byte("TREE\x01\x00\x09\x00"))
	if i < 0 {
		t.Fatal("chunks.h5 has no node of nine chunks")
	}
	key := 8 + 8*4 // of rank 3
	first := i + 24 + key
	copy(b[first+8+key:], b[first:first+8])
	if err := readAll(b, hdf5.Limits{}); err == nil || !strings.Contains(err.Error(), "overlap") {
		t.Errorf("chunks: %v", err)
	}
	var whole bytes.Buffer
	root := &hdf5.Object{Children: []*hdf5.Object{{Name: "a", Array: hdf5.F64(make([]float64, 9), 9)}, {Name: "b", Array: hdf5.F64(make([]float64, 9), 9)}}}
	if err := hdf5.Write(&whole, root); err != nil {
		t.Fatal(err)
	}
	b = bytes.ReplaceAll(whole.Bytes(), u64(96+72, 72), u64(96+64, 72))
	if err := readAll(b, hdf5.Limits{}); err == nil || !strings.Contains(err.Error(), "overlap") {
		t.Errorf("data sets: %v", err)
	}
}

// A sum that does not fit its chunk is an error.
func TestFletcher(t *testing.T) {
	b := damaged(t, "large", nil, nil)
	i := bytes.Index(b, []byte("TREE\x01"))
	key := 8 + 8*2
	at := binary.LittleEndian.Uint64(b[i+24+key:])
	size := binary.LittleEndian.Uint32(b[i+24:])
	b[at+uint64(size)-1] ^= 1
	if err := readAll(b, hdf5.Limits{}); err == nil || !strings.Contains(err.Error(), "Fletcher-32") {
		t.Errorf("%v", err)
	}
}

// A file that was cut off anywhere is an error.
func TestTruncated(t *testing.T) {
	b := damaged(t, "types", nil, nil)
	for n := 0; n < len(b); n += 61 {
		if err := readAll(b[:n], hdf5.Limits{}); err == nil {
			t.Errorf("%d of %d bytes were read", n, len(b))
		}
	}
}

func FuzzOpen(f *testing.F) {
	for _, name := range []string{"types", "userblock", "refused", "links", "version1", "circle", "ordered"} {
		b, err := os.ReadFile("testdata/" + name + ".h5")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	var b bytes.Buffer
	small := &hdf5.Object{Attributes: []hdf5.Attribute{{"a", hdf5.Text("text")}}, Children: []*hdf5.Object{{Name: "x", Array: hdf5.F32([]float32{1, 2}, 2)}}}
	if err := hdf5.Write(&b, small); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, in []byte) {
		lim := hdf5.Limits{Objects: 1000, Bytes: 1 << 20}
		file, err := hdf5.Open(bytes.NewReader(in), int64(len(in)), lim)
		if err != nil {
			return
		}
		var out, again bytes.Buffer
		if readAll(in, lim) != nil || hdf5.Write(&out, file.Root) != nil {
			return
		}
		file, err = hdf5.Open(bytes.NewReader(out.Bytes()), int64(out.Len()), hdf5.Limits{})
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if err := hdf5.Write(&again, file.Root); err != nil || !bytes.Equal(again.Bytes(), out.Bytes()) {
			t.Errorf("written again it differs: %v", err)
		}
	})
}
