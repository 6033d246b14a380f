package compare

import "synfire/internal/rng"

// WhitenedPresent is tested where no entry is missing.
var WhitenedPresent = whitenedPresent

// Keeping is an RDM that keeps its ranks.
var Keeping = RDM.keeping

// Parts of the inference that are tested against closed forms.
var (
	CeilingOfCopies = noiseCeiling
	Resampled       = resampled
	FoldCount       = foldCount
	Draw            = Bootstrap.draw
	Variance        = (*Inference).variance
)

// What Draw draws.
const (
	DrawBoth     = drawBoth
	DrawSubjects = drawSubjects
	DrawStimuli  = drawStimuli
)

// Samples of an inference: [what was drawn][repetition][resample][model, or last
// the lower ceiling].
func Samples(i *Inference) [resamplings][][][]float64 { return i.samples }

// CrossFolds are the subjects and stimuli of each fold: trained on, tested on.
func CrossFolds(subjects, stimuli []int, seed uint64) (folds [][4][]int) {
	for _, f := range crossFolds(HoldBoth, subjects, stimuli, rng.New(seed, "test").Source()) {
		folds = append(folds, [4][]int{f.trainSubjects, f.testSubjects, f.trainStimuli, f.testStimuli})
	}
	return folds
}

// ScoreFolds is the mean score of each model over given folds (as CrossFolds has them), and the
// lower noise ceiling behind; and the upper one.
func ScoreFolds(b Bootstrap, models []Model, data []RDM, folds [][4][]int) (means []float64, upper float64, err error) {
	var list []fold
	for _, f := range folds {
		list = append(list, fold{trainSubjects: f[0], trainStimuli: f[1], testSubjects: f[2], testStimuli: f[3]})
	}
	s, err := b.scoreFolds(models, data, list)
	return s.means, s.upper, err
}
