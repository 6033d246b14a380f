package detect

// Cut is the score above which boxes of all classes together have the largest
// F1 = 2·right/(truths + right + wrong) at an IoU of 0.5: where to cut for pictures, whose best
// value is the mean of the scores beside it. It is not defined where there is nothing to find or
// nothing was found.
func Cut(pictures []Picture, classes int) (score float64, defined bool) {
	var all []verdict
	truths := 0
	for _, p := range pictures {
		for class := range classes {
			n, found := p.voc(class, 0.5)
			truths, all = truths+n, append(all, found...)
		}
	}
	c, best, at := curve(truths, all), 0.0, -1
	for i, p := range c.Points {
		if f := 2 * float64(p.Right) / float64(truths+p.Right+p.Wrong); f > best {
			best, at = f, i
		}
	}
	if at < 0 {
		return 0, false
	}
	if at+1 == len(c.Points) {
		return c.Points[at].Score / 2, true
	}
	return (c.Points[at].Score + c.Points[at+1].Score) / 2, true
}
