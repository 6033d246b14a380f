// Package all is the explicit list of recipes.
package all

import (
	"synfire/recipe"
	"synfire/recipe/bpstdp"
	"synfire/recipe/braincompare"
	"synfire/recipe/brunel"
	"synfire/recipe/codes"
	"synfire/recipe/diehlcook"
	"synfire/recipe/eqprop"
	"synfire/recipe/hybrid"
	"synfire/recipe/joint"
	"synfire/recipe/mostafa"
	"synfire/recipe/nessler"
	"synfire/recipe/nmniststdp"
	"synfire/recipe/ordinary"
	"synfire/recipe/precise"
	"synfire/recipe/qcfs"
	"synfire/recipe/quickstart"
	"synfire/recipe/ratetemporal"
	"synfire/recipe/recorded"
	"synfire/recipe/rmp"
	"synfire/recipe/s4nn"
	"synfire/recipe/spikegrad"
	"synfire/recipe/spikenorm"
	"synfire/recipe/spikeprop"
	"synfire/recipe/spikingdbn"
	"synfire/recipe/spikingresnet"
	"synfire/recipe/spikingyolo"
	"synfire/recipe/spokendigits"
	"synfire/recipe/stbp"
	"synfire/recipe/stdb"
	"synfire/recipe/stdpcnn"
	"synfire/recipe/superspike"
	"synfire/recipe/tempotron"
	"synfire/recipe/triplet"
	"synfire/recipe/vggfast"
)

// Recipes lists every recipe.
func Recipes() []recipe.Recipe {
	list := []recipe.Recipe{
		quickstart.Recipe(),
		ratetemporal.Recipe(),
		braincompare.Recipe(),
		s4nn.Recipe(),
		superspike.Recipe(),
		spikegrad.Recipe(),
		stbp.Recipe(),
		spikenorm.Recipe(),
		spikingresnet.Recipe(),
		stdb.Recipe(),
		hybrid.Recipe(),
		rmp.Recipe(),
		joint.Recipe(),
		spikingyolo.Recipe(),
		vggfast.Recipe(),
		ordinary.Recipe(),
		qcfs.Recipe(),
		diehlcook.Recipe(),
		diehlcook.Querlioz(),
		triplet.Recipe(),
		nessler.Recipe(),
		codes.Recipe(),
		brunel.Recipe(),
		stdpcnn.Recipe(),
		nmniststdp.Recipe(),
		spikeprop.Recipe(),
		tempotron.Recipe(),
		precise.Recipe(),
		spikingdbn.Recipe(),
		spokendigits.Recipe(),
		mostafa.Recipe(),
		bpstdp.Recipe(),
	}
	list = append(list, recorded.Recipes()...)
	return append(list, eqprop.Recipes()...)
}
