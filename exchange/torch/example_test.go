package torch_test

import (
	"bytes"
	"fmt"

	"synfire/exchange/torch"
	"synfire/format/safetensors"
	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/surrogate"
	"synfire/tensor"
)

// A linear layer and Norse's neurons behind it.
func ExampleLoad() {
	var file bytes.Buffer // what safetensors.torch.save_file wrote
	if err := safetensors.Encode(&file, safetensors.File{Tensors: map[string]safetensors.Array{
		"0.weight": safetensors.F32([]float32{1, 2, 3, 4, 5, 6}, 2, 3), "0.bias": safetensors.F32([]float32{0, 0}, 2),
	}}); err != nil {
		fmt.Println(err)
	}
	weights, err := torch.Open(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		fmt.Println(err)
	}
	names, err := torch.DecodeNames("names.yaml", []byte("names: {fc: '0'}\nneurons: {lif: {kind: LIFBoxCell, v_th: 0.5}}\n"))
	if err != nil {
		fmt.Println(err)
	}
	spiking := layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 1}, Surrogate: surrogate.FastSigmoid{Slope: 25}}
	g := network.Graph{Input: tensor.Shape{3}, Nodes: []network.GraphNode{
		{Node: network.Node{Name: "fc", Layer: layer.Linear{Out: 2}}}, {Node: network.Node{Name: "lif", Layer: spiking}},
	}}
	g, report, err := torch.Load(g, weights, names)
	if err != nil {
		fmt.Println(err)
	}
	lif := g.Nodes[1].Layer.(layer.Spiking).Neuron.(neuron.LIF)
	fmt.Println(g.Nodes[0].Arrays["weight"].Data)
	fmt.Println(lif.Beta, lif.Threshold, lif.Strict, lif.Reset)
	fmt.Println(report[0].Module, report[0].Kind, report[0].To, report[0].Notes)
	// Output:
	// [1 4 2 5 3 6]
	// 0.9 0.5 true zero
	// 0 Linear fc [[out, in] transposed]
}
