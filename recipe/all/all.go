// Package all is the explicit list of recipes.
package all

import (
	"synfire/recipe"
	"synfire/recipe/braincompare"
	"synfire/recipe/quickstart"
	"synfire/recipe/ratetemporal"
)

// Recipes lists every recipe.
func Recipes() []recipe.Recipe {
	return []recipe.Recipe{
		quickstart.Recipe(),
		ratetemporal.Recipe(),
		braincompare.Recipe(),
	}
}
