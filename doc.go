// Package synfire is a library and a command for spiking neural networks.
//
// The packages of the module spell a sentence,
//
//	data → encode → network(layer, neuron, surrogate) → loss → train → report,
//
// and ARCHITECTURE.md walks a batch through them. The command is cmd/synfire;
// train and network have the examples to start from. This package itself holds
// nothing.
package synfire

//go:generate go run ./tools/schema
//go:generate go run ./tools/docs
