// Package all is the explicit list of recipes.
package all

import (
	"synfire/recipe"
	"synfire/recipe/braincompare"
	"synfire/recipe/eqprop"
	"synfire/recipe/quickstart"
	"synfire/recipe/ratetemporal"
	"synfire/recipe/stbp"
)

// Recipes lists every recipe.
func Recipes() []recipe.Recipe {
	list := []recipe.Recipe{
		quickstart.Recipe(),
		ratetemporal.Recipe(),
		braincompare.Recipe(),
		stbp.Recipe(),
	}
	return append(list, eqprop.Recipes()...)
}
