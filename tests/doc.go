// Package tests holds what no single package can test: the house's floors, the commands as users run them, and traced
// programs that say themselves what a tracer must report of them. Tests of one package lie beside it.
package tests
