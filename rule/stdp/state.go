package stdp

import (
	"fmt"
	"slices"

	"synfire/format/safetensors"
	"synfire/modelfile"
	"synfire/tensor"
	"synfire/train"
)

// State is all that the network's future depends on besides what it is told: weights,
// potentials, thresholds, traces, spikes on their way, random numbers drawn. Monitors are no
// part of it.
func (n *Network) State() map[string]train.Array {
	s := map[string]train.Array{}
	n.fields(func(name string, at any) {
		switch v := at.(type) {
		case []tensor.Float:
			s[name] = modelfile.Pack(tensor.Tensor{Shape: tensor.Shape{len(v)}, Data: slices.Clone(v)})
		default:
			list := whole(at)
			s[name] = safetensors.I64(list, len(list))
		}
	})
	return s
}

// SetState takes up what State of a network of the same make returned. On an error nothing
// has changed.
func (n *Network) SetState(s map[string]train.Array) error {
	var err error
	var takes []func()
	names := map[string]bool{}
	n.fields(func(name string, at any) {
		names[name] = true
		if err != nil {
			return
		}
		var take func()
		if take, err = taking(s, name, at); err == nil {
			takes = append(takes, take)
		}
	})
	if err == nil && len(s) != len(names) {
		err = fmt.Errorf("stdp: the state holds %d arrays, this network %d: was it made another way?", len(s), len(names))
	}
	if err != nil {
		return err
	}
	for _, take := range takes {
		take()
	}
	n.restored()
	return nil
}

// fields visits all variables. Floats are slices of their length; whole numbers are slices,
// pointers to a number, or listed.
func (n *Network) fields(visit func(name string, at any)) {
	visit("now", &n.now)
	for _, p := range n.populations {
		at := "population." + p.name + "."
		p.cells.fields(func(name string, v any) { visit(at+name, v) })
		visit(at+"spikes", (*history)(p))
	}
	for _, c := range n.connections {
		c.fields("connection."+c.name+".", visit)
	}
}

func (c *Connection) fields(at string, visit func(name string, at any)) {
	deep := func(name string, v any) {
		tr, ok := v.(*trace)
		if !ok {
			visit(at+name, v)
			return
		}
		visit(at+name, tr.value)
		visit(at+name+".step", tr.last)
	}
	if c.weights != nil {
		deep("weights", c.weights)
	}
	if c.learner != nil {
		c.learner.fields(deep)
	}
	if c.pending != nil {
		deep("eligibility", c.pending)
	}
	if c.last != nil {
		deep("use", c.u)
		deep("resource", c.x)
		deep("last", c.last)
	}
}

// restored works out what follows from the variables.
func (n *Network) restored() {
	for _, p := range n.populations {
		if c, ok := p.cells.(interface{ restored() }); ok {
			c.restored()
		}
	}
	for _, c := range n.connections {
		if c.pending != nil {
			c.pending.restored()
		}
		if c.learner != nil {
			c.learner.fields(func(_ string, v any) {
				if tr, ok := v.(*trace); ok {
					tr.restored()
				}
			})
		}
	}
}

// listed is a variable that makes a list of whole numbers of itself.
type listed interface {
	list() []int64
	// parse checks a list, and returns what takes it up.
	parse(list []int64) (func(), error)
}

// history is a population whose past spikes are visited: for each step their number, then all
// of them.
type history Population

func (h *history) list() (all []int64) {
	for _, fired := range h.history {
		all = append(all, int64(len(fired)))
	}
	for _, fired := range h.history {
		for _, j := range fired {
			all = append(all, int64(j))
		}
	}
	return all
}

// parse is the inverse of list.
func (h *history) parse(all []int64) (func(), error) {
	wrong := fmt.Errorf("these are not spikes of %d neurons in %d steps: was the state made by a network of another make?", h.size, len(h.history))
	if len(all) < len(h.history) {
		return nil, wrong
	}
	spikes := all[len(h.history):]
	var out [][]int32
	for _, count := range all[:len(h.history)] {
		if count < 0 || count > int64(len(spikes)) {
			return nil, wrong
		}
		var fired []int32
		for _, j := range spikes[:count] {
			if j < 0 || j >= int64(h.size) || len(fired) > 0 && j <= int64(fired[len(fired)-1]) {
				return nil, wrong
			}
			fired = append(fired, int32(j))
		}
		out, spikes = append(out, fired), spikes[count:]
	}
	if len(spikes) > 0 {
		return nil, wrong
	}
	return func() { h.history = out }, nil
}

// list is what is still to come: steps and neurons in turn.
func (c *player) list() (all []int64) {
	for k := c.at; k < len(c.steps); k++ {
		all = append(all, c.steps[k], int64(c.units[k]))
	}
	return all
}

func (c *player) parse(all []int64) (func(), error) {
	var steps []int64
	var units []int32
	for k := 0; k+1 < len(all); k += 2 {
		if k > 0 && all[k] < all[k-2] || all[k+1] < 0 || all[k+1] >= int64(c.p.size) {
			return nil, fmt.Errorf("these are not spikes of %d neurons in order: was the state made by a network of another make?", c.p.size)
		}
		steps, units = append(steps, all[k]), append(units, int32(all[k+1]))
	}
	return func() { c.steps, c.units, c.at = steps, units, 0 }, nil
}

// whole are whole numbers of a variable.
func whole(at any) (list []int64) {
	switch v := at.(type) {
	case *int64:
		list = []int64{*v}
	case *uint64:
		list = []int64{int64(*v)}
	case []int64:
		list = slices.Clone(v)
	case []int32:
		for _, x := range v {
			list = append(list, int64(x))
		}
	case listed:
		list = v.list()
	default:
		panic(fmt.Sprintf("stdp: a variable of type %T", at))
	}
	return list
}

// taking checks an array for a variable, and returns what takes it up.
func taking(s map[string]train.Array, name string, at any) (func(), error) {
	if v, ok := at.([]tensor.Float); ok {
		from, err := modelfile.Unpack(s, name, tensor.Shape{len(v)})
		if err != nil {
			return nil, fmt.Errorf("stdp: %w", err)
		}
		return func() { copy(v, from) }, nil
	}
	a, ok := s[name]
	list, err := a.I64s()
	if !ok || err != nil || len(a.Shape) != 1 {
		return nil, fmt.Errorf("stdp: the state has no list of whole numbers %q: was it made by a network of another make?", name)
	}
	short := make([]int32, len(list))
	for i, x := range list {
		short[i] = int32(x)
	}
	n := -1
	var take func()
	switch v := at.(type) {
	case *int64:
		n, take = 1, func() { *v = list[0] }
	case *uint64:
		n, take = 1, func() { *v = uint64(list[0]) }
	case []int64:
		n, take = len(v), func() { copy(v, list) }
	case []int32:
		n, take = len(v), func() { copy(v, short) }
	case listed:
		n = len(list)
		if take, err = v.parse(list); err != nil {
			return nil, fmt.Errorf("stdp: %q: %w", name, err)
		}
	}
	if len(list) != n {
		return nil, fmt.Errorf("stdp: %q has %d numbers, want %d: was the state made by a network of another make?", name, len(list), n)
	}
	return take, nil
}
