//go:build ignore

// Command gen_sample writes the folder sample from the whole of MNIST, which
// it obtains as any user would: the first images of each class, in the order
// of the files.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"synfire/data"
	"synfire/data/mnist"
	"synfire/format/idx"
)

func main() {
	train, test, err := mnist.Load(context.Background(), data.DefaultOptions())
	if err != nil {
		log.Fatal(err)
	}
	if err := write("train", train, 100); err != nil {
		log.Fatal(err)
	}
	if err := write("t10k", test, 50); err != nil {
		log.Fatal(err)
	}
}

func write(prefix string, s *data.Set, perClass int) error {
	sub, err := s.Subset(firstOfEach(s, perClass))
	if err != nil {
		return err
	}
	images := &idx.Array{Dims: []int{sub.Len(), s.Shape[0], s.Shape[1]}, Data: sub.Images}
	if err := writeIDX(prefix+"-images-idx3-ubyte.gz", images); err != nil {
		return err
	}
	if err := writeIDX(prefix+"-labels-idx1-ubyte.gz", &idx.Array{Dims: []int{sub.Len()}, Data: sub.Targets[0].Class}); err != nil {
		return err
	}
	var text bytes.Buffer
	for _, i := range sub.Places {
		fmt.Fprintln(&text, i)
	}
	return os.WriteFile(filepath.Join("sample", prefix+"-index.txt"), text.Bytes(), 0o644)
}

func firstOfEach(s *data.Set, n int) []int {
	var positions []int
	taken := make([]int, len(s.Classes))
	for i, l := range s.Labels {
		if taken[l] < n {
			taken[l]++
			positions = append(positions, i)
		}
	}
	return positions
}

func writeIDX(name string, a *idx.Array) error {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := idx.Write(z, a); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("sample", name), b.Bytes(), 0o644)
}
