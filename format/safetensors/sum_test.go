package safetensors

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSumByItsDefinition(t *testing.T) {
	b := encode(t, sample(), EncodeSummed)
	f, err := Decode(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	recorded := f.Meta[SumKey]
	body := bytes.Replace(b[8:], []byte(recorded), bytes.Repeat([]byte("0"), 64), 1)
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != recorded {
		t.Errorf("recorded %s, definition gives %x", recorded, sum)
	}
	if err := Verify(b, Limits{}); err != nil {
		t.Error(err)
	}
	if again := encode(t, f, EncodeSummed); !bytes.Equal(again, b) {
		t.Error("summing a summed file changes it")
	}
}

func TestVerifyAcceptsAnotherWritersSpacing(t *testing.T) {
	header := `{ "__metadata__" : { "z" : "é" , "sha256" : "` + zeros + `" , "a":"b" } , "x":{"shape":[1],"data_offsets":[0,1],"dtype":"U8"} }`
	b := append(raw(header, 0), 42)
	sum := sha256.Sum256(b[8:])
	copy(b[8+strings.Index(header, zeros):], hex.EncodeToString(sum[:]))
	if err := Verify(b, Limits{}); err != nil {
		t.Error(err)
	}
}

func TestVerifyErrors(t *testing.T) {
	if err := Verify(encode(t, sample(), Encode), Limits{}); err != ErrNoSum {
		t.Errorf("file without a sum: %v", err)
	}
	f := sample()
	for _, value := range []string{"", "abc", zeros, strings.Repeat("\"", 64), strings.Repeat("F", 64)} {
		f.Meta[SumKey] = value
		var sumErr *SumError
		err := Verify(encode(t, f, Encode), Limits{})
		if !errors.As(err, &sumErr) || sumErr.Recorded != value || len(sumErr.Computed) != 64 {
			t.Errorf("sum %q: error %v", value, err)
		}
	}
	if err := Verify([]byte("not a file"), Limits{}); err == nil || err == ErrNoSum {
		t.Errorf("not a file: %v", err)
	}
}

func TestEveryFlippedBitIsDetected(t *testing.T) {
	f := sample()
	big := make([]byte, 5000)
	f.Tensors["big"] = U8(big, len(big))
	b := encode(t, f, EncodeSummed)
	headerEnd := 8 + int(binary.LittleEndian.Uint64(b))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		if i >= headerEnd && i < len(b)-1 && r.IntN(20) != 0 {
			continue // of the data, one byte in twenty
		}
		for bit := range 8 {
			b[i] ^= 1 << bit
			if err := Verify(b, Limits{}); err == nil {
				t.Fatalf("bit %d of byte %d flipped, and Verify is content", bit, i)
			}
			b[i] ^= 1 << bit
		}
	}
	if err := Verify(b, Limits{}); err != nil {
		t.Fatal(err)
	}
}

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := WriteFileAtomic(path, sample()); err != nil {
		t.Fatal(err)
	}
	f, err := ReadFile(path, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Tensors) != len(sample().Tensors) || len(f.Meta[SumKey]) != 64 {
		t.Errorf("read %d tensors, sum %q", len(f.Tensors), f.Meta[SumKey])
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	bad := sample()
	bad.Tensors["w"] = F32(nil, 3)
	if err := WriteFileAtomic(path, bad); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("writing a bad tensor: %v", err)
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, good) {
		t.Error("a failed write changed the file")
	}

	damaged := bytes.Clone(good)
	damaged[len(damaged)-1] ^= 1
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	var sumErr *SumError
	if _, err := ReadFile(path, Limits{}); !errors.As(err, &sumErr) || !strings.Contains(err.Error(), path) {
		t.Errorf("reading a damaged file: %v", err)
	}

	if err := os.WriteFile(path, encode(t, sample(), Encode), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path, Limits{}); err != nil {
		t.Errorf("reading a file without a sum: %v", err)
	}
	if _, err := ReadFile(filepath.Dir(path), Limits{}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("reading a directory: %v", err)
	}
	if _, err := ReadFile(path+".missing", Limits{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("reading a missing file: %v", err)
	}
}
