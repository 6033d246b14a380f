package safetensors

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
)

// SumKey is the metadata key of the checksum.
const SumKey = "sha256"

// ErrNoSum says that a file carries no checksum.
var ErrNoSum = errors.New(`safetensors: verify: the file has no "` + SumKey + `" in its metadata; write it with EncodeSummed or WriteFileAtomic`)

// A SumError says that a file is not what was written.
type SumError struct {
	Recorded string // the digits in the metadata
	Computed string // the digits of the content
}

func (e *SumError) Error() string {
	return fmt.Sprintf("safetensors: verify: the file records SHA-256 %.80q, its content has %s; it was damaged or edited: copy or write it again", e.Recorded, e.Computed)
}

var zeros = strings.Repeat("0", hex.EncodedLen(sha256.Size))

// EncodeSummed is Encode with the checksum in the metadata; a checksum that
// stands in f.Meta is replaced. f itself is left as it is.
func EncodeSummed(w io.Writer, f File) error {
	meta := map[string]string{}
	maps.Copy(meta, f.Meta)
	meta[SumKey] = zeros
	e, err := newEncoding(File{meta, f.Tensors})
	if err != nil {
		return err
	}
	copy(e.header[e.sumAt:], digest(append([][]byte{e.header}, e.data...)...))
	return e.write(w)
}

// Verify checks a file in memory against its checksum. It returns nil, ErrNoSum,
// a *SumError, or the error of Decode for a file that cannot be read at all.
func Verify(b []byte, lim Limits) error {
	d, err := decode(inMemory(b), int64(len(b)), lim)
	if err != nil {
		return err
	}
	return d.verify()
}

func (d *decoded) verify() error {
	recorded, ok := d.head.meta[SumKey]
	if !ok {
		return ErrNoSum
	}
	if len(recorded) != len(zeros) || string(d.raw[d.head.sumAt:][:len(zeros)]) != recorded {
		// Not 64 characters, or written with escapes: its place in the header is not that of 64 digits.
		return &SumError{recorded, digest(d.raw, d.data)}
	}
	end := d.head.sumAt + len(zeros)
	computed := digest(d.raw[:d.head.sumAt], []byte(zeros), d.raw[end:], d.data)
	if computed != recorded {
		return &SumError{recorded, computed}
	}
	return nil
}

// digest is the SHA-256 of the parts put together, in hexadecimal digits.
func digest(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))
}
