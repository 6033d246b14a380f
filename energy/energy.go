// Package energy accounts for the energy of a network in three ways that do not agree, side by
// side, so that none is taken for the energy of a machine.
//
//	Papers      what conversion papers print: operations times their energy, memory left out
//	NeuroBench  operations and sparsities by the definitions of that harness, no energy
//	Memory      operations and the accesses to memory that they need, beside an ordinary network
//
// Counts are true ones: a spike costs what it reaches, at borders and strides too (Plan, Counter).
// Measure runs samples through any network and counts.
//
// Papers is, with 4.6 pJ for a multiply-accumulate and 0.9 pJ for an addition (Horowitz, ISSCC 2014),
//
//	E_ordinary = 4.6 pJ·MAC,   E_spiking = 0.9 pJ·(additions of spikes) + 4.6 pJ·(MAC of the input that is held)
//
// Memory adds what is read and written. For a weight that d of the inputs of an ordinary network
// reach (those that are not 0) and s of the spikes in each of T steps,
//
//	ordinary   d·(e_w + e_mac + b·e_bit)
//	spiking    s·T·(e_w + e_ac + 2·e_v)
//
// where e_w reads a weight, b·e_bit an activation of b bits, and e_v reads or writes a membrane: 0
// where a neuron is completed before the next one (output stationary), a membrane's bits where each
// spike is scattered to all that it reaches. They are alike at the rate
//
//	s* = d·(e_w + e_mac + b·e_bit) / (T·(e_w + e_ac + 2·e_v))
//
// above which spikes lose. What this leaves out, and Memory has: zeros are read as well to be told
// from others, membranes are updated and looked at in each step, and the output-stationary neuron
// asks each of its inputs in each step for a bit. The first layer of an image is the same in both.
//
// Leakage, clocks, the sending of events, and all that a chip does besides are in none of them.
package energy
