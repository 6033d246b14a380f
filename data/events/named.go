package events

import (
	"context"

	"synfire/data"
	"synfire/sample"
)

// archive is the zip file of the first recordings of N-MNIST. No public source has these
// bytes.
var archive = data.File{
	Name:   "nmnist-1100/nmnist-1100.zip",
	SHA256: "a0412f19ae1334be22c7afb9a0624530cc347894a6f1c7db21a396ff4e16fd48",
	Size:   18274647,
}

// Dataset describes nmnist-1100: the first 1,000 training and the first 100 test
// recordings of N-MNIST. They last 297 to 337 ms: data.Length says what becomes of that.
// The whole set is read by the kind of source, NMNIST.
func Dataset() data.Dataset {
	return data.Dataset{
		Name: "nmnist-1100", Title: "N-MNIST, the first 1,100 recordings", License: "CC BY-SA 4.0, reported (Garrick Orchard and others)",
		Classes: []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
		Splits:  []data.Split{{Name: "train", Len: 1000}, {Name: "test", Len: 100}},
		Files:   []data.File{archive}, Load: load,
	}
}

func load(ctx context.Context, o data.Options) (train, test sample.Source, err error) {
	z, err := data.FetchZip(ctx, o, archive)
	if err != nil {
		return nil, nil, err
	}
	return NMNIST{Path: "nmnist-1100"}.open(ctx, z)
}
