// Package state owns what the log comes to: the state of an entity as of a time or an offset, and the tables of all entities made anew.
// It never says what an event does to an entity; the consumers' functions say it, here as live.
package state
