// Package deadletter owns the dead letter: what is written of a record that a consumer gave up, how dead letters of ours and of other programs
// are read, and what each class means.
// It never calls a handler, and never decides on what a record's own headers claim.
package deadletter
