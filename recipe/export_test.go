package recipe

// What figures show, for tests of it before it is drawn.
var (
	MostActive = mostActive
	Trace      = (*Trained).trace
)
