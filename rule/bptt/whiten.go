package bptt

import (
	"context"
	"fmt"
	"math"
	"slices"

	"synfire/data"
	"synfire/encode"
	"synfire/layer"
	"synfire/network"
	"synfire/sample"
	"synfire/tensor"
	"synfire/train"
)

// Whiten sets the weights of the first convolution from the training images, before
// anything is learnt, and leaves them so; its bias learns. With the eigenvectors v_k and
// eigenvalues λ_k, the largest first, of the second moment M = mean(p·pᵀ) of the images'
// patches p, of the kernel's size, its n kernels are
//
//	v_k/√(λ_k + ε) and −v_k/√(λ_k + ε),  k = 1 … n/2
//
// so that patches come out with the same moment in all directions (Page, "How to train your
// ResNet", 2018; the pairs for rectified units as Jordan, "94% on CIFAR-10 in 3.29 seconds
// on a single GPU", 2024).
type Whiten struct {
	Node    string  `yaml:"node,omitempty"`    // a convolution of the input; empty: the first node
	Samples int     `yaml:"samples,omitempty"` // training images that the moment is of, from the start; 0: 5,000
	Epsilon float64 `yaml:"epsilon,omitempty"` // ε, in the square of the inputs' unit; 0: 5e-4
}

// Validate returns an error for figures that make no sense.
func (w Whiten) Validate() error {
	if w.Samples < 0 || !(w.Epsilon >= 0) || math.IsInf(w.Epsilon, 0) {
		return fmt.Errorf("whiten: %d samples, epsilon %v, want neither negative; leave them out for 5,000 and 5e-4", w.Samples, w.Epsilon)
	}
	return nil
}

// whitened is the convolution that w is about, of a network.
func (w Whiten) whitened(net *network.Network) (network.Info, layer.Conv2D, error) {
	for i, nd := range net.Nodes() {
		if nd.Name != w.Node && (w.Node != "" || i > 0) {
			continue
		}
		c, ok := nd.Layer.(layer.Conv2D)
		switch first := i == 0 && len(nd.Inputs) == 0 || slices.Equal(nd.Inputs, []string{network.Input}); {
		case !ok || !first:
			return nd, c, fmt.Errorf("whiten: node %q is no conv2d of the network's input; name one that is, or put one first", nd.Name)
		case c.Groups > 1 || len(c.Dilation) > 0 && slices.Max(c.Dilation) > 1:
			return nd, c, fmt.Errorf("whiten: node %q has groups or dilation, want a plain convolution", nd.Name)
		}
		patch := nd.Params[0].Value.Shape[:3].Size()
		if c.Out%2 != 0 || c.Out > 2*patch {
			return nd, c, fmt.Errorf("whiten: node %q has %d kernels, want an even number of at most %d, twice the %d values of a patch", nd.Name, c.Out, 2*patch, patch)
		}
		return nd, c, nil
	}
	return network.Info{}, layer.Conv2D{}, fmt.Errorf("whiten: the network has no node %q; name a convolution of its input", w.Node)
}

// checkWhiten returns an error where whitening cannot be.
func (c Options) checkWhiten() error {
	if c.Whiten == nil {
		return nil
	}
	if _, ok := c.Encoder.(encode.Constant); !ok {
		return fmt.Errorf("whiten: the encoder makes spikes or series of the samples, whose patches are others; want encoder: constant")
	}
	_, _, err := c.Whiten.whitened(c.Net)
	return err
}

// Start implements train.Starter: it whitens the first convolution, where the rule says so.
func (l *Learner) Start(ctx context.Context, c *data.Cursor) error {
	if l.c.Whiten == nil {
		return nil
	}
	l.show(false)
	nd, _, err := l.c.Whiten.whitened(l.net)
	if err != nil {
		return err
	}
	w := nd.Params[0].Value
	moment, err := l.c.Whiten.moment(ctx, c, nd.In[0], w.Shape[0], w.Shape[1])
	if err != nil {
		return fmt.Errorf("whiten: %w", err)
	}
	l.c.Whiten.kernels(w, moment)
	l.Refresh()
	return nil
}

// moment is the second moment of the patches of kh×kw pixels of a cursor's images.
func (w Whiten) moment(ctx context.Context, c *data.Cursor, image tensor.Shape, kh, kw int) ([][]float64, error) {
	most := w.Samples
	if most == 0 {
		most = 5000
	}
	n := kh * kw * image[2]
	sum := make([][]float64, n)
	for i := range sum {
		sum[i] = make([]float64, n)
	}
	patch, count, seen := make([]float64, n), 0, 0
	var b sample.Batch
	for seen < most {
		more, err := c.Next(ctx, &b)
		if err != nil || !more {
			return scaled(sum, count), err
		}
		for s := range min(b.Len(), most-seen) {
			x := b.X[s*image.Size():][:image.Size()]
			for y := range image[0] - kh + 1 {
				for q := range image[1] - kw + 1 {
					for i := range kh {
						for k, v := range x[((y+i)*image[1]+q)*image[2]:][:kw*image[2]] {
							patch[i*kw*image[2]+k] = float64(v)
						}
					}
					addOuter(sum, patch)
					count++
				}
			}
		}
		seen += b.Len()
	}
	return scaled(sum, count), nil
}

// addOuter adds p·pᵀ, of which the upper half is enough.
func addOuter(sum [][]float64, p []float64) {
	for i, v := range p {
		row := sum[i][i:]
		for j, u := range p[i:] {
			row[j] += float64(v * u)
		}
	}
}

// scaled is a whole matrix of its upper half, divided by a count.
func scaled(m [][]float64, count int) [][]float64 {
	for i := range m {
		for j := i; j < len(m); j++ {
			m[i][j] /= float64(max(1, count))
			m[j][i] = m[i][j]
		}
	}
	return m
}

// kernels writes the weights [kh, kw, cin, out], of a second moment.
func (w Whiten) kernels(weight tensor.Tensor, moment [][]float64) {
	epsilon := w.Epsilon
	if epsilon == 0 {
		epsilon = 5e-4
	}
	values, vectors := eigen(moment)
	out := weight.Shape[3]
	for k := range out / 2 {
		scale := 1 / math.Sqrt(max(0, values[k])+epsilon)
		for i, v := range vectors[k] {
			weight.Data[i*out+k] = tensor.Float(v * scale)
			weight.Data[i*out+out/2+k] = tensor.Float(-v * scale)
		}
	}
}

// eigen are the eigenvalues of a symmetric matrix, the largest first, and their vectors of
// length 1, whose largest element is positive. It turns planes until all is on the
// diagonal (Jacobi), and destroys m.
func eigen(m [][]float64) (values []float64, vectors [][]float64) {
	n := len(m)
	v := make([][]float64, n) // rows are the vectors
	for i := range v {
		v[i] = make([]float64, n)
		v[i][i] = 1
	}
	for range 100 {
		var off, trace float64
		for i := range n {
			trace += math.Abs(m[i][i])
			for j := range i {
				off += math.Abs(m[i][j])
			}
		}
		if off <= 1e-15*trace {
			break
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				turn(m, v, p, q)
			}
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case m[a][a] > m[b][b]:
			return -1
		case m[a][a] < m[b][b]:
			return 1
		}
		return 0
	})
	for _, i := range order {
		values, vectors = append(values, m[i][i]), append(vectors, upright(v[i]))
	}
	return values, vectors
}

// turn makes m[p][q] zero by a rotation of the plane of p and q.
func turn(m, v [][]float64, p, q int) {
	if m[p][q] == 0 {
		return
	}
	tau := (m[q][q] - m[p][p]) / (2 * m[p][q])
	t := 1 / (math.Abs(tau) + math.Hypot(1, tau))
	if tau < 0 {
		t = -t
	}
	c := 1 / math.Hypot(1, t)
	s := t * c
	for k := range m {
		m[k][p], m[k][q] = c*m[k][p]-s*m[k][q], s*m[k][p]+c*m[k][q]
	}
	for k := range m {
		m[p][k], m[q][k] = c*m[p][k]-s*m[q][k], s*m[p][k]+c*m[q][k]
		v[p][k], v[q][k] = c*v[p][k]-s*v[q][k], s*v[p][k]+c*v[q][k]
	}
}

// upright turns a vector so that its largest element is positive, the first of equals.
func upright(v []float64) []float64 {
	at := 0
	for i, x := range v {
		if math.Abs(x) > math.Abs(v[at])*(1+1e-9) {
			at = i
		}
	}
	if v[at] < 0 {
		for i := range v {
			v[i] = -v[i]
		}
	}
	return v
}

var _ train.Starter = (*Learner)(nil)
