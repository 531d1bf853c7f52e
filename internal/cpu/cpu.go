// Package cpu says which instructions the processor has, for the assembly of
// the other packages. What every processor of an architecture has is not listed.
package cpu
