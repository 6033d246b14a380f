package bench

// table lists all cases in order.
func table(s Selection) []Case {
	var cases []Case
	add := func(w *work, phases ...string) {
		for _, p := range phases {
			c := Case{Workload: w.name, Phase: p, Shape: w.shape, Threads: s.Threads, work: w}
			c.run = map[string]func(Case, Options) ([]Row, error){Train: trainNetwork, Infer: inferNetwork, Latency: latency}[p]
			cases = append(cases, c)
		}
	}
	add(w1(s.Small), Train, Infer, Latency)
	return cases
}
