// Package examples owns programs as others write them, which are tests too: a Millrace of one's own, one with a table of its own, and a
// service that only sends. It never has what a program of somebody else could not have.
package examples
