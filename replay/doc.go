// Package replay owns reading a bounded part of the log again, beside the live groups: what is read, how it reaches a consumer's functions, how
// far it is, and what came of it.
// It never joins a group, and never moves a group's offsets.
package replay
