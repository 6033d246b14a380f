package mnist

import (
	"context"
	"embed"
	"fmt"
	"strconv"
	"strings"

	"synfire/data"
)

//go:generate go run gen_sample.go

//go:embed sample
var sample embed.FS

// SampleName is the name of the embedded sample as a data set.
const SampleName = "mnist-sample"

// SampleDataset describes the embedded sample.
func SampleDataset() data.Dataset {
	return data.Dataset{
		Name: SampleName, Title: "MNIST handwritten digits, embedded sample", License: license, Classes: classes,
		Splits:   []data.Split{{Name: "train", Len: 1000}, {Name: "test", Len: 500}},
		Embedded: sampleBytes(),
		Load: data.InMemory(func(context.Context, data.Options) (train, test *data.Set, err error) {
			return loadSample()
		}),
	}
}

// Sample is 1,000 training and 500 test images of MNIST that are part of the
// program: the first 100 and 50 of each class, in the order of the files. Places
// tells the place of each in the whole set.
func Sample() (train, test *data.Set) {
	train, test, err := loadSample()
	if err != nil {
		panic(fmt.Errorf("mnist: the program's embedded sample is damaged: %w", err))
	}
	return train, test
}

func loadSample() (train, test *data.Set, err error) {
	if train, err = readSample("train", "train"); err != nil {
		return nil, nil, err
	}
	test, err = readSample("test", "t10k")
	return train, test, err
}

func readSample(split, prefix string) (*data.Set, error) {
	s, err := data.ReadIDX(sample.ReadFile, SampleName, split, classes,
		"sample/"+prefix+"-images-idx3-ubyte.gz", "sample/"+prefix+"-labels-idx1-ubyte.gz")
	if err != nil {
		return nil, err
	}
	text, err := sample.ReadFile("sample/" + prefix + "-index.txt")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		i, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			return nil, err
		}
		s.Places = append(s.Places, i)
	}
	return s, s.Validate()
}

func sampleBytes() (n int64) {
	entries, _ := sample.ReadDir("sample") // embedded: cannot fail
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			n += info.Size()
		}
	}
	return n
}
