// Command synfire trains, measures and reproduces spiking neural networks.
package main

import (
	"synfire/catalog"
	"synfire/command"
	"synfire/recipe/all"
)

func main() { command.Main(catalog.Default(), all.Recipes()) }
