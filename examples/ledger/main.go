// Command ledger is somebody's own Millrace with a table of its own, in which every delivery counts exactly once.
package main

import "github.com/prantikov/millrace"

func main() {
	millrace.Main(millrace.Builtin(), millrace.Plugin(register))
}
