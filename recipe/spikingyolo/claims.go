package spikingyolo

import (
	"synfire/recipe"
	"synfire/report"
)

// The claims' ids.
const (
	annClaim     = "scenes-ann"
	snnClaim     = "scenes-snn"
	roundClaim   = "scenes-round"
	channelClaim = "channel-over-layer"
	behindClaim  = "channel-behind-layer"
	signedClaim  = "signed-over-suppressed"
	errorClaim   = "signed-error"
	readClaim    = "membrane-over-count"
	laterClaim   = "membrane-behind-count"
	fasterClaim  = "converges-faster"

	cellsClaim      = "bccd-ann"
	cells128Claim   = "bccd-snn"
	cells256Claim   = "bccd-snn-256"
	cellsRoundClaim = "bccd-round"
	cells32Claim    = "bccd-round-32"
	chipClaim       = "energy-280"
	countedClaim    = "energy-280-counted"
	flopsClaim      = "energy-100"
	allFlopsClaim   = "energy-100-counted"

	tinyClaim     = "tiny-yolo"
	tinySNNClaim  = "tiny-yolo-snn"
	tinyLongClaim = "tiny-yolo-3500"

	facesLayerClaim      = "faces-layer"
	facesSuppressedClaim = "faces-suppressed"
	facesCountClaim      = "faces-count"
	facesHalfClaim       = "faces-half"
	facesClaim           = "faces-error"
	facesRoundClaim      = "faces-round"
	facesGradedClaim     = "faces-graded"
)

const (
	repeated   = 3   // seeds
	testScenes = 500 // of the test
	testCells  = 72
	longCells  = 24 // that the longest run is of, the first ones
	photos     = 6  // of face-api
)

func claims() []report.Claim {
	const (
		paper  = "Kim et al. 2020, on PASCAL VOC"
		none   = "no paper"
		points = "points"
		before = "Stated before any run."
		moved  = " Until 2026-11-29, before any run of either, full was of the digit scenes of short, with the same bound. "
	)
	short, full, both := report.Seeds{Short: repeated}, report.Seeds{Full: repeated}, report.Seeds{Short: repeated, Full: repeated}
	n := report.Samples{Short: testScenes, Full: testCells}
	one := func(id, name, unit, source string, d report.Direction, bound float64, seeds report.Seeds, note string) report.Claim {
		c := recipe.Bounded(id, name, unit, source, d, bound, seeds, n)
		c.Note = before
		switch {
		case seeds.Short > 0 && seeds.Full > 0:
			c.Note += moved + "Full is of the test pictures of blood cells."
		case seeds.Short > 0:
			c.Note += moved + "Full no longer has it: it is of blood cells."
		}
		if note != "" {
			c.Note += " " + note
		}
		return c
	}
	const (
		paired = "Differences are medians of a bootstrap that draws the same pictures for both, where until 2026-11-29, before any run of short or full, they were plain."
		chips  = "56 GFLOP a second and watt of the GPU and 400 G additions of the chip are as recalled of the paper, unchecked; that additions are those of one step is how its figures seem to come about. They do not agree with each other: 280 times the energy would be 39 floating-point operations an addition, and a hundred of those 714 times the energy."
		never  = " Where it is never within a point, all steps that are run: an upper bound; until 2026-11-30, before any run of short or full, that left the claim untested."
		sizes  = "A network of 15.8 M weights on 416×416 pixels."
	)
	list := []report.Claim{
		one(annClaim, "digit scenes: mAP of the ordinary detector at an IoU of 0.5", "%", none, report.AtLeast, 90, short, ""),
		one(snnClaim, "digit scenes: mAP of the ordinary detector less that of the spiking one at T = 128: a scale each channel, imbalanced threshold, membrane", points, paper+": 53.0 less 51.8 after 3,500 steps", report.AtMost, 2, short, paired),
		one(roundClaim, "digit scenes: mAP of the ordinary detector less that of neurons that round at T = 32", points, none, report.AtMost, 2, short, paired),
		one(channelClaim, "mAP with a scale each channel less that with one a layer, the least from T = 8 to 16", points, paper+": ahead at every T", report.AtLeast, 3, both, paired),
		one(behindClaim, "most that a scale each channel is behind one a layer, from T = 8 to 256", points, paper, report.AtMost, 0.5, both, paired),
		one(signedClaim, "mAP of signed neurons less that of the same with negative spikes suppressed, the least from T = 64 on", points, paper, report.AtLeast, 1, both, paired),
		one(errorClaim, "error of the output of signed neurons over that with negative spikes suppressed, the largest from T = 64 on", "", none, report.AtMost, 0.6, both, ""),
		one(readClaim, "mAP read off the membrane less that off spikes at T = 8", points, paper+": membrane ahead", report.AtLeast, 3, both, paired),
		one(laterClaim, "most that the membrane is behind spikes after T = 8", points, paper, report.AtMost, 1, both, paired),
		one(fasterClaim, "steps to the ordinary detector's mAP less a point: with one scale a layer over with one each channel", "×", paper+": 2.3; COCO: 4", report.AtLeast, 2, both,
			"Where one scale a layer does not get there in the steps that are run, these stand in its place: a lower bound. Where one each channel alone does not, they stand in its place, an upper bound; until 2026-11-30, before any run of short or full, that left the claim untested."),
		one(cellsClaim, "blood cells at 256×256: mAP of the ordinary detector at an IoU of 0.5", "%", none, report.AtLeast, 80, full, "Epoch and percentile are chosen on the 87 validation pictures."),
		one(cells128Claim, "blood cells: mAP of the ordinary detector less that of the spiking one at T = 128", points, paper+": 53.0 less 51.8 after 3,500 steps", report.AtMost, 1.5, full, paired),
		one(cells256Claim, "blood cells: mAP of the ordinary detector less that of the spiking one at T = 256", points, paper+": 53.0 less 51.8 after 3,500 steps", report.AtMost, 1, full, paired),
		one(cellsRoundClaim, "blood cells: mAP of the ordinary detector less that of neurons that round at T = 16", points, none, report.AtMost, 2.5, full, paired),
		one(cells32Claim, "blood cells: mAP of the ordinary detector less that of neurons that round at T = 32", points, none, report.AtMost, 1, full, paired),
		one(chipClaim, "energy of the ordinary detector on a GPU over that of the spiking one on a chip, whose additions are those of one step", "×", "Kim et al. 2020, abstract: 280", report.AtLeast, 280, full, chips),
		one(countedClaim, "energy of the ordinary detector over that of the spiking one, all steps until it is within a point, by operations at 45 nm", "×", "Kim et al. 2020, abstract: 280", report.AtLeast, 280, full, "As counted: 4.6 pJ a multiply-accumulate, 0.9 pJ an addition."+never),
		one(flopsClaim, "floating-point operations of the ordinary detector over additions of the spiking one in one step", "×", "the reading list: a hundredth of the FLOPs", report.AtLeast, 100, full, "Additions as in "+chipClaim+", with whose figure a hundred does not agree."),
		one(allFlopsClaim, "floating-point operations of the ordinary detector over additions of the spiking one in all steps until it is within a point, with the first layer's products", "×", "the reading list: a hundredth of the FLOPs", report.AtLeast, 100, full, "As counted."+never),
		one(tinyClaim, "blood cells, Tiny-YOLOv2: mAP of the ordinary detector at an IoU of 0.5", "%", none, report.AtLeast, 75, full, sizes),
		one(tinySNNClaim, "blood cells, Tiny-YOLOv2: mAP of the ordinary detector less that of the spiking one at T = 512", points, paper+": 53.0 less 51.8 after 3,500 steps", report.AtMost, 2, full, sizes),
		one(tinyLongClaim, "blood cells, Tiny-YOLOv2: mAP of the ordinary detector less that of the spiking one at T = 3,500, on the first 24 pictures", points, paper+": 53.0 less 51.8 after 3,500 steps", report.AtMost, 2, full, sizes),
	}
	list[len(list)-1].N.Full = longCells
	return append(list, ofFaces()...)
}

// ofFaces are the claims on the tiny face detector of face-api, on the photos that come with it.
func ofFaces() (list []report.Claim) {
	const what = "tiny face detector: error of the output against the ordinary network's, relative, "
	for _, c := range []struct {
		id, name, source string
		bound            float64
	}{
		{facesLayerClaim, "a scale each channel over one a layer, the largest of all T", "measured before on two crops of photos: 0.53 to 0.69", 1},
		{facesSuppressedClaim, "signed neurons over negative spikes suppressed, the largest of all T", "measured before on two crops of photos: 0.12 to 0.67", 1},
		{facesCountClaim, "read off the membrane over off spikes, the largest up to T = 64", "measured before on two crops of photos: 0.85 to 0.93", 1},
		{facesHalfClaim, "neurons that round to the nearest over those that round down, the largest of all T", "measured before on two crops of photos: 0.50 to 0.91", 1},
		{facesClaim, "a scale each channel, imbalanced threshold, at T = 64", "measured before on two crops of photos: 0.158", 0.18},
		{facesRoundClaim, "neurons that round at T = 32", "measured before on two crops of photos: 0.137", 0.16},
		{facesGradedClaim, "neurons that fire any number of spikes at T = 64", "measured before on two crops of photos: 0.021", 0.03},
	} {
		one := recipe.Bounded(c.id, what+c.name, "", c.source, report.AtMost, c.bound, report.Seeds{Short: 1, Full: 1}, report.Samples{Short: photos, Full: photos})
		one.Note = "Stated before any run, with the bounds of the two crops; here photos are whole."
		list = append(list, one)
	}
	return list
}
