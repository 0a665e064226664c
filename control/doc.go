// Package control owns how a running process is told what to do from outside: its socket in the data directory, what goes over it, the
// pauses that end by themselves, and the status that it answers with.
// It never shows anything of a record but its age, and never decides what becomes of one.
package control
