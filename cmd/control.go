package cmd

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/prantikov/millrace/control"
)

// reach runs a function with the process that runs in the data directory. What it refuses because it makes no sense was not understood.
func (p *Program) reach(c *cobra.Command, use func(*control.Client) error) error {
	s, err := p.open(c)
	if err != nil {
		return err
	}
	return misused(use(control.NewClient(s.settings.DataDir)))
}

// misused makes a usage error of a refusal that is one.
func misused(err error) error {
	var refusal *control.Refusal
	if errors.As(err, &refusal) && refusal.Misused() {
		return &usageError{err}
	}
	return err
}

// addTargetFlags gives a command --topic and --partition, which restrict what it does to a consumer.
func addTargetFlags(flags *pflag.FlagSet, target *control.Target) {
	flags.StringVar(&target.Topic, "topic", "", "only this `topic` of the consumer's")
	flags.Int32Var(&target.Partition, "partition", -1, "only this `number`'s partition of --topic")
}

// checkTarget checks the flags of a target.
func checkTarget(flags *pflag.FlagSet, target control.Target) error {
	switch {
	case flags.Changed("partition") && target.Partition < 0:
		return usage("--partition takes a number from 0, not %d", target.Partition)
	case flags.Changed("partition") && target.Topic == "":
		return usage("--partition needs its topic: name it with --topic")
	case flags.Changed("topic") && target.Topic == "":
		return usage("--topic names no topic")
	}
	return nil
}
