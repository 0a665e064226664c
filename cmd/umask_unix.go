//go:build unix

package cmd

import "syscall"

// keepPrivate gives every file that the program makes, its own or a library's, to its owner alone.
func keepPrivate() { syscall.Umask(0o077) }
