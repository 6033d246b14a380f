package trains

import (
	"context"

	"synfire/data"
	"synfire/sample"
)

// oxford is the archive of the pattern. No public source has these bytes.
var oxford = data.File{
	Name:   "oxford/superspike-targets.zip",
	SHA256: "95945fa17f9d5288d6b2fe32a04d868fc5ebeb80b66ad974e48b5677a5f5d7f0",
	Size:   95719,
}

// Oxford describes the pattern of SuperSpike: one sample of 200 Poisson trains, and 200
// target trains that draw a picture of Oxford within 1.89 s, unit 199 its top row (Zenke and
// Ganguli, 2018).
func Oxford() data.Dataset {
	return data.Dataset{
		Name: "oxford", Title: "Oxford pattern of SuperSpike", License: "GPL-3 (fzenke/pub2018superspike)",
		Splits: []data.Split{{Name: "train", Len: 1}},
		Files:  []data.File{oxford},
		Load: func(ctx context.Context, o data.Options) (train, test sample.Source, err error) {
			paths, err := data.Fetch(ctx, o, oxford)
			if err != nil {
				return nil, nil, err
			}
			return Files{Path: paths[0], Units: 200, TargetUnits: 200, Duration: 1.89}.Open(ctx, o)
		},
	}
}
