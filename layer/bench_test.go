package layer_test

import (
	"testing"

	"synfire/internal/rng"
	"synfire/layer"
	"synfire/network"
	"synfire/signal"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/tensor"
)

// One training step, forwards and backwards, of each layer behind a normalisation, so
// that it has errors to send back. The metric is per element of its input.
func BenchmarkLayers(b *testing.B) {
	for _, c := range []struct {
		name string
		l    layer.Layer
	}{
		{"relu", layer.ReLU{}},
		{"batch-norm", layer.BatchNorm{}},
		{"dropout", layer.Dropout{Rate: 0.3}},
		{"depthwise", layer.Conv2D{Out: 64, Kernel: []int{3}, Padding: []int{1}, Groups: 64}},
		{"scales", layer.Conv2D{Out: 64, Kernel: []int{1}, Groups: 64}},
		{"groups", layer.Conv2D{Out: 64, Kernel: []int{3}, Padding: []int{1}, Groups: 4}},
		{"parametric-spiking", layer.ParametricSpiking{Beta: 0.5, Threshold: 1, Surrogate: surrogate.ArcTan{Alpha: 2}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			net, err := network.Sequential(tensor.Shape{32, 32, 64}, 1, layer.BatchNorm{}, c.l)
			if err != nil {
				b.Fatal(err)
			}
			in := snntest.Random(signal.Dense, 2, 4, net.InputShape(), 0, 1)
			keys := make([]rng.Key, in.B)
			pass := net.Compile(nil, true).NewPass(network.Options{Training: keys, Chunk: in.T})
			st, adj, grads := net.NewState(in.B), net.NewAdjoint(in.B), net.NewGrads()
			var douts []*signal.Signal
			for b.Loop() {
				st.Reset(net, in.B)
				outs, err := pass.Forward(st, in, true)
				if err != nil {
					b.Fatal(err)
				}
				if douts == nil {
					douts = snntest.Projections(outs, 0)
				}
				adj.Reset(net, in.B)
				if err := pass.Backward(adj, douts, grads); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(in.Data)), "ns/element")
		})
	}
}
