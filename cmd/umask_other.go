//go:build !unix

package cmd

// keepPrivate does nothing: there the directory's own rights decide.
func keepPrivate() {}
