// Package cifar is CIFAR-10: 50,000 training and 10,000 test images of 32×32 pixels in
// red, green and blue, in ten classes (Krizhevsky, "Learning multiple layers of features
// from tiny images", 2009), in two forms that give different figures and have different
// names:
//
//	cifar10        the official binary batches
//	cifar10-jpeg   the same images compressed as JPEG of quality 75, a folder for each class
//
// A record of a batch is 3,073 bytes: the label, then 1,024 bytes each of red, green and
// blue, row by row. Samples here have their channels last, as everywhere in synfire.
package cifar

import (
	"context"
	"fmt"
	"os"

	"synfire/data"
	"synfire/tensor"
)

const (
	side     = 32
	plane    = side * side
	record   = 1 + 3*plane
	perBatch = 10000
)

// classes in the order of the labels, which is that of the alphabet.
var classes = []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}

var splits = []data.Split{{Name: "train", Len: 5 * perBatch}, {Name: "test", Len: perBatch}}

var official = data.Archive{
	URL: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
	Sum: data.Sum{SHA256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd", Size: 170052171},
}

// batches are the five files of training images and the one of test images.
var batches = []data.File{
	batch("data_batch_1.bin", "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
	batch("data_batch_2.bin", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
	batch("data_batch_3.bin", "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
	batch("data_batch_4.bin", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
	batch("data_batch_5.bin", "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
	batch("test_batch.bin", "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
}

func batch(name, sum string) data.File {
	return data.File{Name: "cifar10/" + name, SHA256: sum, Size: perBatch * record, Sources: []data.Source{official}}
}

// archive is the zip file of JPEG images. No public source has it.
var archive = data.File{
	Name:   "cifar10-jpeg/cifar10-jpeg.zip",
	SHA256: "d04893ead3171e906e171cb9bc629b66a9d3f5cd36676564a009658746d75a46",
	Size:   62190935,
}

// Dataset describes the official CIFAR-10.
func Dataset() data.Dataset {
	return data.Dataset{
		Name: "cifar10", Title: "CIFAR-10", License: "none stated (Alex Krizhevsky)", Classes: classes,
		Splits: splits, Files: batches, Load: data.InMemory(Load),
	}
}

// Load obtains the official CIFAR-10 where it is not yet on this machine, and reads it.
// Each image is 32×32×3.
func Load(ctx context.Context, o data.Options) (train, test *data.Set, err error) {
	paths, err := data.Fetch(ctx, o, batches...)
	if err != nil {
		return nil, nil, err
	}
	sets := []*data.Set{newSet("train"), newSet("test")}
	for i, at := range paths {
		b, err := os.ReadFile(at)
		if err != nil {
			return nil, nil, err
		}
		if err := Append(sets[i/5], b); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", at, err)
		}
	}
	return sets[0], sets[1], nil
}

func newSet(split string) *data.Set {
	return &data.Set{Name: "cifar10", Split: split, Classes: classes, Shape: tensor.Shape{side, side, 3}}
}

// Append adds the records of a binary batch to a set of shape 32×32×3. It fails, and
// adds nothing, where the batch is not whole records or a label is outside the classes.
func Append(s *data.Set, batch []byte) error {
	if len(batch) == 0 || len(batch)%record != 0 {
		return fmt.Errorf("cifar: batch of %d bytes, expected a multiple of %d: is it the binary version?", len(batch), record)
	}
	for at := 0; at < len(batch); at += record {
		if int(batch[at]) >= len(s.Classes) {
			return fmt.Errorf("cifar: label %d of record %d, expected at most %d: is it the binary version of CIFAR-10?", batch[at], at/record, len(s.Classes)-1)
		}
	}
	n := len(batch) / record
	s.Images = append(s.Images, make([]uint8, n*3*plane)...)
	dst := s.Images[len(s.Images)-n*3*plane:]
	for ; len(batch) > 0; batch, dst = batch[record:], dst[3*plane:] {
		s.Labels = append(s.Labels, int(batch[0]))
		for c := range 3 {
			for i, v := range batch[1+c*plane : 1+(c+1)*plane] {
				dst[3*i+c] = v
			}
		}
	}
	return nil
}

// JPEGDataset describes CIFAR-10 as JPEG images of quality 75.
func JPEGDataset() data.Dataset {
	return data.Dataset{
		Name: "cifar10-jpeg", Title: "CIFAR-10 (JPEG Q75)", License: "none stated (Alex Krizhevsky)", Classes: classes,
		Splits: splits, Files: []data.File{archive}, Load: data.InMemory(LoadJPEG),
	}
}

// LoadJPEG reads CIFAR-10 from JPEG images of quality 75: from a folder of the user's,
// or the cache. Each image is 32×32×3; the samples come class by class in turn.
func LoadJPEG(ctx context.Context, o data.Options) (train, test *data.Set, err error) {
	z, err := data.FetchZip(ctx, o, archive)
	if err != nil {
		return nil, nil, err
	}
	return data.FromFolder(ctx, z, "cifar10-jpeg", data.FolderOptions{Height: side, Width: side, Channels: 3, Classes: classes})
}
