package cmd

import (
	"fmt"
	"path"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// ownModule is the path of our module.
const ownModule = "github.com/prantikov/millrace"

// build is what a binary says of how it was built.
type build struct {
	// Version is that of our module: a tag, or one that Go makes up from the commit; unknown when Go did not note it.
	Version string `json:"version"`
	// Commit and Date are the commit that our own binary was built from, and when it was made (RFC 3339, UTC); empty for somebody's own
	// binary, and where Go did not see the repository.
	Commit string `json:"commit,omitempty"`
	Date   string `json:"date,omitempty"`
	Go     string `json:"go"`
	// program is the binary in a sentence.
	program string
}

// currentBuild is that of this binary.
func currentBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return buildOf(info)
}

// buildOf reads what Go has noted in the binary. Nothing is stamped into it by us, so that the same commit makes the same binary.
func buildOf(info *debug.BuildInfo) build {
	b := build{Version: "unknown", Go: info.GoVersion}
	for _, module := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if module.Path == ownModule && module.Version != "" {
			b.Version = module.Version
			break
		}
	}
	b.program = "millrace " + b.Version
	if info.Main.Path != ownModule {
		if info.Main.Path != "" {
			b.program = path.Base(info.Main.Path) + " " + info.Main.Version + " with " + b.program
		}
		return b
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Commit = setting.Value
		case "vcs.time":
			b.Date = setting.Value
		}
	}
	return b
}

// String is the line that people read.
func (b build) String() string {
	parts := []string{"millrace", b.Version}
	if b.Commit != "" {
		parts = append(parts, fmt.Sprintf("(commit %.12s of %s)", b.Commit, b.Date))
	}
	if b.Go != "" {
		parts = append(parts, b.Go)
	}
	return strings.Join(parts, " ")
}

// Version is the version of the module that the binary was built from, with its revision where it is known.
func Version() string { return currentBuild().Version }

// versionCommand prints the version.
func versionCommand(p *Program) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use:   "version",
		Short: "Print the version, the commit and its date",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			b := currentBuild()
			return p.print(output, b, func() error {
				_, err := fmt.Fprintln(p.out, b)
				return err
			})
		},
	}
	addOutputFlag(command, &output)
	return command
}
