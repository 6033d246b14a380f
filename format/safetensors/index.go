package safetensors

import "io"

// Place is an array that was not read: its elements are Bytes bytes of the file
// from Offset on.
type Place struct {
	DType         string
	Shape         []int
	Offset, Bytes int64
}

// Index reads the header of a file of size bytes and checks it as Decode does,
// without reading the data.
func Index(r io.ReaderAt, size int64, lim Limits) (map[string]Place, error) {
	d, err := decodeHeader(readerAt(r), size, lim)
	if err != nil {
		return nil, err
	}
	start := lengthBytes + int64(len(d.raw))
	places := make(map[string]Place, len(d.head.tensors))
	for _, t := range d.head.tensors {
		places[t.name] = Place{t.dtype, t.shape, start + int64(t.begin), int64(t.end - t.begin)}
	}
	return places, nil
}
