// Package fashion is Fashion-MNIST: 60,000 training and 10,000 test images of 28×28
// grey pixels, articles of clothing in ten classes (Xiao, Rasul and Vollgraf,
// "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms",
// 2017). It has the format of MNIST and is harder.
package fashion

import (
	"context"

	"synfire/data"
)

var classes = []string{
	"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
	"Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
}

// Sources of the four files, tried in this order. The first is where Debian's package
// dataset-fashion-mnist puts them.
var sources = []data.Source{
	data.Installed("/usr/share/datasets/fashion-mnist"),
	data.Mirror("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
	data.Mirror("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"),
}

// files are in the order training images, training labels, test images, test labels.
// Debian compresses the same bytes anew.
var files = []data.File{
	{
		Name:      "fashion-mnist/train-images-idx3-ubyte.gz",
		SHA256:    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
		Size:      26421880,
		Also:      []data.Sum{{SHA256: "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7", Size: 26421856}},
		RawSHA256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
		RawSize:   47040016,
		Sources:   sources,
	},
	{
		Name:      "fashion-mnist/train-labels-idx1-ubyte.gz",
		SHA256:    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
		Size:      29515,
		Also:      []data.Sum{{SHA256: "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056", Size: 29491}},
		RawSHA256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
		RawSize:   60008,
		Sources:   sources,
	},
	{
		Name:      "fashion-mnist/t10k-images-idx3-ubyte.gz",
		SHA256:    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
		Size:      4422102,
		Also:      []data.Sum{{SHA256: "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa", Size: 4422079}},
		RawSHA256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
		RawSize:   7840016,
		Sources:   sources,
	},
	{
		Name:      "fashion-mnist/t10k-labels-idx1-ubyte.gz",
		SHA256:    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
		Size:      5148,
		Also:      []data.Sum{{SHA256: "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05", Size: 5125}},
		RawSHA256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
		RawSize:   10008,
		Sources:   sources,
	},
}

// Dataset describes Fashion-MNIST.
func Dataset() data.Dataset {
	return data.Dataset{
		Name: "fashion-mnist", Title: "Fashion-MNIST articles of clothing", License: "MIT (Zalando SE)", Classes: classes,
		Splits: []data.Split{{Name: "train", Len: 60000}, {Name: "test", Len: 10000}},
		Files:  files,
		Load:   data.InMemory(Load),
	}
}

// Load obtains Fashion-MNIST where it is not yet on this machine, and reads it. Each
// image is 28×28×1.
func Load(ctx context.Context, o data.Options) (train, test *data.Set, err error) {
	return data.LoadIDX(ctx, o, "fashion-mnist", classes, files)
}
