package main

import (
	"synfire/command"
	"synfire/recipe/all"
)

func main() { command.Main(kinds(), all.Recipes()) }
