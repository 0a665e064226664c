// Command millrace is the event router with its built-in consumers.
package main

import (
	"os"

	"github.com/prantikov/millrace/cmd"
)

func main() { os.Exit(cmd.Main(os.Args[1:], cmd.Builtin())) }
