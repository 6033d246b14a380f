package qcfs

import (
	"context"
	"fmt"

	"synfire/convert"
	"synfire/layer"
	"synfire/layer/temporal"
	"synfire/model"
	"synfire/recipe"
)

// The networks and arms of pictures.
const (
	deepRelu    = "deep-relu"
	deepTwin    = "deep-relu-on"
	deepQCFS    = "deep-qcfs4"
	deepZero    = "deep-p999-0"
	deepHalf    = "deep-p999-half"
	deepFitted  = "deep-mse4"
	deepIF      = "deep-if"
	deepIFZero  = "deep-if-0"
	deepSD      = "deep-sd"
	deepGraded  = "deep-graded"
	deepLeft    = "deep-residual"
	deepLeftTwo = "deep-residual-2"
)

// counts is the accuracy that the ordinary network must have for a conversion to count.
const counted = 84

// deepArms are those of the convolutional networks.
func deepArms() []arm {
	half, learned := convert.Fire{Start: 0.5}, convert.Normalize{By: convert.Learned}
	percentile := convert.Normalize{By: convert.Percentile, P: 99.9}
	return []arm{
		{key: deepZero, text: "ReLU, 99.9 %, from 0", of: deepTwin, scales: percentile, last: 128},
		{key: deepHalf, text: "ReLU, 99.9 %, from ½", of: deepTwin, scales: percentile, fire: half, last: 64},
		{key: deepFitted, text: "ReLU, fitted to T, from ½", of: deepTwin, scales: convert.Normalize{By: convert.Fitted, Start: 0.5}, fire: half, anew: true, last: 8},
		{key: deepIF, text: "QCFS, from ½", of: deepQCFS, scales: learned, fire: half, last: 32},
		{key: deepIFZero, text: "QCFS, from 0", of: deepQCFS, scales: learned, last: 32},
		{key: deepSD, text: "QCFS, sigma-delta", of: deepQCFS, scales: learned, fire: convert.Fire{Start: 0.5, Code: temporal.SigmaDelta}, last: 16},
		{key: deepGraded, text: "QCFS, graded", of: deepQCFS, scales: learned, fire: convert.Fire{Start: 0.5, Code: temporal.Graded}, last: 8},
		{key: deepLeft, text: "QCFS, residual (4 steps more)", of: deepQCFS, scales: learned, fire: convert.Fire{Start: 0.5, Residual: pre}, last: 16},
		{key: deepLeftTwo, text: "QCFS, residual (2 steps more)", of: deepQCFS, scales: learned, fire: convert.Fire{Start: 0.5, Residual: 2}, last: 2},
	}
}

// pictures are the convolutional networks: one of rectified units is trained, and then trained on
// as it is, and with staircases in their place.
func (s *study) pictures(ctx context.Context) error {
	z := s.size.deep
	d := model.Data{Name: z.data, Normalize: z.normalize, Augment: z.augment}
	trainSet, testSet, err := s.Env.Catalog.Load(ctx, d, s.Env.Data)
	if err != nil {
		return err
	}
	s.On(trainSet, testSet)
	seed := s.Env.Seed
	net := convolutional(z.widths, layer.ReLU{})
	first := s.job(ctx, deepRelu, config(seed, d, net, training{z.epochs, z.batch, momentum(deepRate)}))
	if first == nil {
		return s.Err()
	}
	fine := training{z.fine, z.batch, momentum(fineRate)}
	again := config(seed, d, net, fine)
	again.Init = modelOf(s.Env.Out, first)
	nets := map[string]*recipe.Trained{deepTwin: s.job(ctx, deepTwin, again)}
	if nets[deepTwin] == nil {
		return s.Err()
	}
	nets[deepQCFS] = s.quantised(ctx, deepQCFS, config(seed, d, convolutional(z.widths, stair(4, scaleStart)), fine), first, 4, z.calibrated)
	if nets[deepQCFS] == nil {
		return s.Err()
	}
	for _, a := range deepArms() {
		if err := s.follow(ctx, a, nets[a.of], z.calibrated, z.steps); err != nil {
			return err
		}
	}
	for _, a := range deepArms() {
		if a.key != deepGraded {
			continue
		}
		found, err := s.stairsOf(ctx, a, nets[deepQCFS], 4)
		if err != nil {
			return err
		}
		s.stairs[deepGraded] = append(s.stairs[deepGraded], found)
	}
	s.judgePictures()
	return s.showPictures()
}

// judgePictures adds the figures of the convolutional networks to their claims.
func (s *study) judgePictures() {
	n, top := s.Test().Len(), s.ordinary[deepQCFS][0]
	s.Add(annClaim, s.ordinary[deepRelu][0], n)
	figures := map[string]float64{
		gapClaim: s.ordinary[deepTwin][0] - top,
		t4Claim:  top - s.at(deepIF, 4), t4RightClaim: top - max(s.at(deepSD, 4), s.at(deepLeftTwo, 2)), t8Claim: top - s.at(deepIF, 8), t16Claim: top - s.at(deepIF, 16),
		startClaim: s.at(deepIF, 2) - s.at(deepIFZero, 2), leftClaim: top - s.at(deepLeft, 2), gradedClaim: float64(s.stairs[deepGraded][0].otherLabels),
		sd2Claim: s.at(deepSD, 2) - s.at(deepIF, 2), sd4Claim: s.at(deepSD, 4) - s.at(deepIF, 4),
		eightClaim: float64(s.needs(deepZero, s.ordinary[deepTwin][0])) / float64(s.needs(deepIF, top)),
	}
	for claim, v := range figures {
		if a := s.ordinary[deepRelu][0]; a < counted {
			s.Leave(claim, fmt.Sprintf("the ordinary network has %.2f %%, and a conversion counts from %d %% on", a, counted))
			continue
		}
		s.Add(claim, v, n)
	}
}

// needs is the first of the steps after which an arm loses at most 1.5 points, or twice the last
// of them.
func (s *study) needs(key string, top float64) (last int) {
	for _, n := range s.size.deep.steps {
		if _, ok := s.mean(key, n); !ok {
			continue
		}
		if last = n; top-s.at(key, n) <= 1.5 {
			return n
		}
	}
	return 2 * last
}
