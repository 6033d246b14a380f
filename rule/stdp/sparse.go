package stdp

import "synfire/internal/rng"

// maxSparse is the most synapses of a sparse connection.
const maxSparse = 1 << 30

// sparse are the neurons that each input reaches, ascending.
type sparse struct {
	start []int32
	to    []int32
}

// drawn draws for each of n neurons so many of the inputs, each at most once.
func drawn(key rng.Key, inputs, n, indegree int) sparse {
	src := key.Source()
	order := make([]int32, inputs)
	for i := range order {
		order[i] = int32(i)
	}
	chosen := make([]int32, n*indegree)
	s := sparse{start: make([]int32, inputs+1), to: make([]int32, n*indegree)}
	for j := range n {
		for k := range indegree { // the beginning of a shuffle of what is a permutation already
			at := k + src.IntN(inputs-k)
			order[k], order[at] = order[at], order[k]
			s.start[order[k]+1]++
		}
		copy(chosen[j*indegree:], order[:indegree])
	}
	for i := range inputs {
		s.start[i+1] += s.start[i]
	}
	at := append([]int32(nil), s.start...)
	for k, i := range chosen {
		s.to[at[i]] = int32(k / indegree)
		at[i]++
	}
	return s
}

// of are the neurons that an input reaches.
func (s sparse) of(i int32) []int32 { return s.to[s.start[i]:s.start[i+1]] }
