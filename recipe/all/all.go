// Package all is the explicit list of recipes.
package all

import (
	"synfire/recipe"
	"synfire/recipe/eqprop"
	"synfire/recipe/quickstart"
)

// Recipes lists every recipe.
func Recipes() []recipe.Recipe {
	list := []recipe.Recipe{
		quickstart.Recipe(),
	}
	return append(list, eqprop.Recipes()...)
}
