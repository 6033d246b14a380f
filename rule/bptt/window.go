package bptt

import "fmt"

// chooseWindow settles how many steps are held at once: as many as fit into
// Memory beside the states at the windows' borders, and so that borders fall
// on those of Truncate.
func (c *Options) chooseWindow() error {
	most := c.Steps
	if c.Truncate > 0 {
		most = min(most, c.Truncate)
	}
	switch {
	case c.Truncate < 0 || c.Memory < 0 || c.Window < 0:
		return fmt.Errorf("truncate %d, memory %d, window %d: want none of them negative", c.Truncate, c.Memory, c.Window)
	case c.Memory > 0 && c.Window > 0:
		return fmt.Errorf("memory %d and window %d: give one of them, the window follows from the memory", c.Memory, c.Window)
	case c.Memory > 0 && c.Batch < 1:
		return fmt.Errorf("memory %d for batches of %d samples: give the size of a batch", c.Memory, c.Batch)
	case c.Truncate > 0 && c.Truncate < c.Steps && c.Window > 0 && c.Truncate%c.Window != 0:
		return fmt.Errorf("truncate %d and window %d: want a window that divides truncate, such as %d", c.Truncate, c.Window, c.Truncate)
	case c.Memory > 0:
		return c.fitWindow(most)
	case c.Window == 0:
		c.Window = most
	}
	return nil
}

// fitWindow takes the longest window that fits, of at most the given steps.
func (c *Options) fitWindow(most int) error {
	least := int64(0)
	for w := most; w >= 1; w-- {
		if c.truncates() && c.Truncate%w != 0 {
			continue
		}
		need := c.windowBytes(w)
		if need <= c.Memory {
			c.Window = w
			return nil
		}
		if least == 0 || need < least {
			least = need
		}
	}
	return fmt.Errorf("memory %d bytes: the best window of time needs about %d for batches of %d; give more memory or a smaller batch", c.Memory, least, c.Batch)
}

// windowBytes is the memory of a batch with windows of w steps.
func (c *Options) windowBytes(w int) int64 { return wholeBytes(c.windowNeed(w)) }

// windowNeed is windowBytes before it is rounded; it does not overflow.
func (c *Options) windowNeed(w int) float64 {
	step, state := c.Net.Memory()
	borders := (c.Steps + w - 1) / w
	return float64(c.Batch) * (float64(step)*float64(w) + float64(state)*float64(borders+1))
}

// truncates reports whether errors are dropped anywhere.
func (c *Options) truncates() bool { return c.Truncate > 0 && c.Truncate < c.Steps }
