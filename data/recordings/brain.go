package recordings

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"synfire/data"
	"synfire/format/npz"
	"synfire/internal/limit"
	"synfire/internal/suggest"
)

// Pictures is how many pictures the brains saw.
const Pictures = 92

// PictureSide is their height and width, of three channels.
const PictureSide = 175

// Brains is dissimilarities of 92 pictures, and the pictures.
type Brains struct {
	arrays map[string]Dissimilarities
	zip    *zip.Reader
}

// Dissimilarities is one array: matrices of Pictures × Pictures along other axes.
type Dissimilarities struct {
	File    string   `json:"file"`
	Shape   []int    `json:"shape"`
	Meaning string   `json:"meaning"`
	Names   []string // of the matrices, where the index has them
	RawName any      `json:"names"`
}

// LoadBrains reads the index, from a folder of the user's or the cache.
func LoadBrains(ctx context.Context, o data.Options) (*Brains, error) {
	z, err := data.FetchZip(ctx, o, brain)
	if err != nil {
		return nil, err
	}
	return OpenBrains(z)
}

// OpenBrains reads the index of an archive.
func OpenBrains(z *zip.Reader) (*Brains, error) {
	src, err := member(z, "index.json", maxIndex)
	if err != nil {
		return nil, err
	}
	var index struct {
		Arrays map[string]Dissimilarities `json:"arrays"`
	}
	if err := json.Unmarshal(src, &index); err != nil {
		return nil, fmt.Errorf("brain-92images: index.json: %w", err)
	}
	b := &Brains{arrays: map[string]Dissimilarities{}, zip: z}
	for name, d := range index.Arrays {
		if n := len(d.Shape); n >= 2 && d.Shape[n-1] == Pictures && d.Shape[n-2] == Pictures {
			if list, ok := d.RawName.([]any); ok {
				for _, v := range list {
					if s, ok := v.(string); ok {
						d.Names = append(d.Names, s)
					}
				}
			}
			b.arrays[name] = d
		}
	}
	return b, nil
}

// member reads a file of the archive, of at most max bytes.
func member(z *zip.Reader, name string, max int64) ([]byte, error) {
	f, err := z.Open(name)
	if err != nil {
		return nil, fmt.Errorf("brain-92images: %w", err)
	}
	defer f.Close()
	src, err := io.ReadAll(limit.Reader(f, max))
	if err != nil {
		return nil, fmt.Errorf("brain-92images: %s: %w", name, err)
	}
	return src, nil
}

// maxMember is the largest file of the archive that is read, in bytes.
const maxMember = 1 << 24

// Names are those of the arrays of dissimilarities.
func (b *Brains) Names() []string {
	var names []string
	for name := range b.arrays {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Array reads the arrays of a name: its values with their shape in Shape, row by row.
func (b *Brains) Array(name string) (Dissimilarities, []float64, error) {
	d, ok := b.arrays[name]
	if !ok {
		return d, nil, fmt.Errorf("brain-92images: no dissimilarities %q: %s", name, suggest.Names("dissimilarities", name, b.Names()))
	}
	a, err := b.array(d.File, name)
	if err != nil {
		return d, nil, err
	}
	if !slices.Equal(a.Shape, d.Shape) {
		return d, nil, fmt.Errorf("brain-92images: %s has shape %v, the index says %v; import the archive again", name, a.Shape, d.Shape)
	}
	v, err := a.Float64s()
	return d, v, err
}

func (b *Brains) array(file, name string) (npz.Array, error) {
	src, err := member(b.zip, file, maxMember)
	if err != nil {
		return npz.Array{}, err
	}
	arrays, err := npz.Read(bytes.NewReader(src), int64(len(src)), maxMember)
	if err != nil {
		return npz.Array{}, fmt.Errorf("brain-92images: %s: %w", file, err)
	}
	a, ok := arrays[name]
	if !ok {
		return a, fmt.Errorf("brain-92images: %s has no array %s; import the archive again", file, name)
	}
	return a, nil
}

// Images are the pictures, bytes of height × width × RGB each.
func (b *Brains) Images() ([][]byte, error) {
	a, err := b.array("stimuli.npz", "images")
	if err != nil {
		return nil, err
	}
	const size = PictureSide * PictureSide * 3
	if len(a.Data) != Pictures*size {
		return nil, fmt.Errorf("brain-92images: the pictures have %d bytes, want %d; import the archive again", len(a.Data), Pictures*size)
	}
	out := make([][]byte, Pictures)
	for i := range out {
		out[i] = a.Data[i*size:][:size]
	}
	return out, nil
}
