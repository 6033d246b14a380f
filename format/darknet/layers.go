package darknet

// Shape is the size of what flows between layers.
type Shape struct{ Width, Height, Channels int }

func (s Shape) size() int { return s.Width * s.Height * s.Channels }

// Layer is a section with what it means.
type Layer struct {
	Section   Section
	In, Out   Shape
	Kernel    int   // of a convolution or pooling, its side in pixels
	Stride    int   // of a convolution or pooling, and the factor of upsampling
	Padding   int   // of a convolution on each side, of a pooling in all
	Groups    int   // of a convolution
	Normalize bool  // batch_normalize
	From      []int // of a route or shortcut, the layers that it takes, by number from 0
	// Bias, Scales and Weights are the lengths of its arrays in a file of weights; mean and
	// variance are as long as Scales.
	Bias, Scales, Weights int
}

// Numbers is how many numbers a file of weights holds for the layer.
func (l Layer) Numbers() int { return l.Bias + 3*l.Scales + l.Weights }

// Layers are the layers behind [net], with their shapes. A section that is not known is an
// error.
func (c *Config) Layers() ([]Layer, error) {
	net := c.Sections[0]
	var in Shape
	for key, v := range map[string]*int{"width": &in.Width, "height": &in.Height, "channels": &in.Channels} {
		n, err := net.Int(key, 0)
		if err != nil {
			return nil, err
		}
		*v = n
	}
	if err := checkShape(net, in); err != nil {
		return nil, err
	}
	var all []Layer
	total := 0
	for _, s := range c.Sections[1:] {
		l := Layer{Section: s, In: in, Out: in}
		if err := l.read(all); err != nil {
			return nil, err
		}
		if err := checkShape(s, l.Out); err != nil {
			return nil, err
		}
		if total += l.Numbers(); l.Numbers() < 0 || total > maxNumbers {
			return nil, s.fail("the network has more than %d numbers", maxNumbers)
		}
		all, in = append(all, l), l.Out
	}
	return all, nil
}

func checkShape(s Section, out Shape) error {
	if min(out.Width, out.Height, out.Channels) < 1 || max(out.Width, out.Height, out.Channels) > maxExtent || out.Width*out.Height > maxNumbers/out.Channels {
		return s.fail("its output is %d×%d×%d (width, height, channels), want each at least 1 and no more than %d numbers", out.Width, out.Height, out.Channels, maxNumbers)
	}
	return nil
}

// read works out a layer behind others.
func (l *Layer) read(before []Layer) error {
	switch l.Section.Name {
	case "convolutional", "conv":
		return l.convolution()
	case "connected", "conn":
		return l.connected()
	case "maxpool", "max":
		return l.pooling()
	case "avgpool", "avg":
		l.Out = Shape{1, 1, l.In.Channels}
		return nil
	case "upsample":
		return l.upsample()
	case "route":
		return l.route(before)
	case "shortcut":
		return l.shortcut(before)
	case "reorg":
		return l.reorg()
	case "region", "yolo", "detection", "softmax", "soft", "dropout", "cost":
		return nil
	}
	return l.Section.fail("a layer of this kind is not known; known are convolutional, connected, maxpool, avgpool, upsample, route, shortcut, reorg, dropout, softmax, cost, detection, region and yolo")
}

// numbers reads whole numbers of at least least each.
func (l *Layer) numbers(least int, keys ...number) error {
	for _, k := range keys {
		v, err := l.Section.Int(k.key, k.otherwise)
		if err != nil {
			return err
		}
		if v < least {
			return l.Section.fail("%s is %d, want at least %d", k.key, v, least)
		}
		*k.to = v
	}
	return nil
}

type number struct {
	key       string
	otherwise int
	to        *int
}

func (l *Layer) convolution() error {
	filters, pad, normalize := 0, 0, 0
	if err := l.numbers(1, number{"filters", 1, &filters}, number{"size", 1, &l.Kernel}, number{"stride", 1, &l.Stride}, number{"groups", 1, &l.Groups}); err != nil {
		return err
	}
	if err := l.numbers(0, number{"padding", 0, &l.Padding}, number{"pad", 0, &pad}, number{"batch_normalize", 0, &normalize}); err != nil {
		return err
	}
	if pad != 0 {
		l.Padding = l.Kernel / 2
	}
	if l.In.Channels%l.Groups != 0 || filters%l.Groups != 0 {
		return l.Section.fail("%d groups of %d channels and %d filters, want a divisor of both", l.Groups, l.In.Channels, filters)
	}
	if l.In.Width+2*l.Padding < l.Kernel || l.In.Height+2*l.Padding < l.Kernel {
		return l.Section.fail("a kernel of %d for an input of %d×%d with padding %d", l.Kernel, l.In.Width, l.In.Height, l.Padding)
	}
	side := func(n int) int { return (n+2*l.Padding-l.Kernel)/l.Stride + 1 }
	l.Out = Shape{side(l.In.Width), side(l.In.Height), filters}
	l.Normalize = normalize != 0
	l.Bias = filters
	if l.Normalize {
		l.Scales = filters
	}
	per := l.In.Channels / l.Groups
	if per > maxNumbers/l.Kernel/l.Kernel/filters {
		return l.Section.fail("%d filters of %d×%d×%d are more than %d numbers", filters, l.Kernel, l.Kernel, per, maxNumbers)
	}
	l.Weights = filters * per * l.Kernel * l.Kernel
	return nil
}

func (l *Layer) connected() error {
	normalize := 0
	if err := l.numbers(1, number{"output", 1, &l.Bias}); err != nil {
		return err
	}
	if err := l.numbers(0, number{"batch_normalize", 0, &normalize}); err != nil {
		return err
	}
	if l.Normalize = normalize != 0; l.Normalize {
		l.Scales = l.Bias
	}
	if l.In.size() > maxNumbers/l.Bias {
		return l.Section.fail("%d outputs of %d inputs are more than %d numbers", l.Bias, l.In.size(), maxNumbers)
	}
	l.Weights = l.Bias * l.In.size()
	l.Out = Shape{1, 1, l.Bias}
	return nil
}

// pooling pads right and below unless told otherwise: 2/2 gives half the size, rounded up,
// and 2/1 the same.
func (l *Layer) pooling() error {
	if err := l.numbers(1, number{"stride", 1, &l.Stride}); err != nil {
		return err
	}
	if err := l.numbers(1, number{"size", l.Stride, &l.Kernel}); err != nil {
		return err
	}
	if err := l.numbers(0, number{"padding", l.Kernel - 1, &l.Padding}); err != nil {
		return err
	}
	side := func(n int) int { return (n+l.Padding-l.Kernel)/l.Stride + 1 }
	l.Out = Shape{side(l.In.Width), side(l.In.Height), l.In.Channels}
	return nil
}

func (l *Layer) upsample() error {
	if err := l.numbers(1, number{"stride", 2, &l.Stride}); err != nil {
		return err
	}
	l.Out = Shape{l.In.Width * l.Stride, l.In.Height * l.Stride, l.In.Channels}
	return nil
}

// reorg turns blocks of stride×stride pixels into channels.
func (l *Layer) reorg() error {
	if err := l.numbers(1, number{"stride", 1, &l.Stride}); err != nil {
		return err
	}
	if l.Section.Text("reverse", "0") != "0" || l.In.Width%l.Stride != 0 || l.In.Height%l.Stride != 0 {
		return l.Section.fail("stride %d of an input of %d×%d, or reverse; want a divisor, and no reverse", l.Stride, l.In.Width, l.In.Height)
	}
	l.Out = Shape{l.In.Width / l.Stride, l.In.Height / l.Stride, l.In.Channels * l.Stride * l.Stride}
	return nil
}

// sources reads the numbers of layers, negative ones counted back from this.
func (l *Layer) sources(key string, before []Layer) error {
	list, err := l.Section.ints(key)
	if err != nil {
		return err
	}
	for _, i := range list {
		if i < 0 {
			i += len(before)
		}
		if i < 0 || i >= len(before) {
			return l.Section.fail("%s names layer %d, want one of the %d before it", key, i, len(before))
		}
		l.From = append(l.From, i)
	}
	if len(l.From) == 0 {
		return l.Section.fail("%s names no layer", key)
	}
	return nil
}

// route lays the channels of layers one behind another.
func (l *Layer) route(before []Layer) error {
	if err := l.sources("layers", before); err != nil {
		return err
	}
	l.In, l.Out = before[l.From[0]].Out, before[l.From[0]].Out
	for _, i := range l.From[1:] {
		o := before[i].Out
		if o.Width != l.Out.Width || o.Height != l.Out.Height {
			return l.Section.fail("layer %d is %d×%d, and layer %d %d×%d; want the same", l.From[0], l.Out.Width, l.Out.Height, i, o.Width, o.Height)
		}
		l.Out.Channels += o.Channels
	}
	return nil
}

// shortcut adds another layer to the one before; where they differ in size, Darknet adds what
// they have in common.
func (l *Layer) shortcut(before []Layer) error {
	if err := l.sources("from", before); err != nil {
		return err
	}
	if len(l.From) != 1 {
		return l.Section.fail("from names %d layers, want one", len(l.From))
	}
	return nil
}
