package report

import (
	"encoding/base64"
	"encoding/binary"
	"slices"

	"synfire/report/figure"
)

// rasterLayer is a layer's spikes as the page's script reads them. Data is base64
// of one of two codes, whichever is shorter: "bits" has a bit for each slot (step
// by step, unit by unit; the lowest bit of a byte first), "gaps" the number of
// empty slots before each spike, as unsigned LEB128.
type rasterLayer struct {
	Name  string `json:"name"`
	Steps int    `json:"steps"`
	Units int    `json:"units"`
	Code  string `json:"code"`
	Data  string `json:"data"`
}

// rasterBytes is the most that a raster's layers may take in a page; it keeps
// one with several rasters below 5 MB.
const rasterBytes = 1 << 20

// encodeRaster is the layers that a page can explore. Left out are layers of
// graded values, and those beyond rasterBytes: the drawing beside them shows all.
func encodeRaster(layers []figure.Layer) []rasterLayer {
	out := []rasterLayer{}
	free := rasterBytes
	for _, l := range layers {
		if slices.ContainsFunc(l.Values, func(v float64) bool { return v != 0 && v != 1 }) {
			continue
		}
		code, data := "bits", spikeBits(l.Values)
		if gaps := spikeGaps(l.Values); len(gaps) < len(data) {
			code, data = "gaps", gaps
		}
		if free -= len(data); free < 0 {
			break
		}
		out = append(out, rasterLayer{l.Name, l.Steps, l.Units, code, base64.StdEncoding.EncodeToString(data)})
	}
	return out
}

func spikeBits(values []float64) []byte {
	b := make([]byte, (len(values)+7)/8)
	for i, v := range values {
		if v != 0 {
			b[i/8] |= 1 << (i % 8)
		}
	}
	return b
}

func spikeGaps(values []float64) (b []byte) {
	next := 0
	for i, v := range values {
		if v != 0 {
			b = binary.AppendUvarint(b, uint64(i-next))
			next = i + 1
		}
	}
	return b
}
