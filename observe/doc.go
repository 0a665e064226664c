// Package observe owns what an operator sees of a process: its log, its metrics, its alarms, its health, and the HTTP server that shows them.
// It never decides what happens to a record, and never shows patient data.
package observe
