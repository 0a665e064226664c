package cmd

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/prantikov/millrace/config"
)

// configCommand shows and checks the configuration. Neither connects to anything.
func configCommand(p *Program) *cobra.Command {
	return group("config", "Show and check the configuration", configShowCommand(p), configValidateCommand(p))
}

// configShowCommand shows every value, also of a configuration that is wrong: that is when it is needed most.
func configShowCommand(p *Program) *cobra.Command {
	var output string
	var explain bool
	command := &cobra.Command{
		Use:   "show",
		Short: "Show every setting, its value, and where the value came from",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			s, wrong := p.read(c)
			if s == nil || s.loaded == nil {
				return wrong
			}
			show := func() error { return p.printSettings(output, config.Rows(s.loaded)) }
			if explain {
				show = func() error { return p.printExplanations(output, config.Explain(s.loaded)) }
			}
			if err := show(); err != nil {
				return err
			}
			warnings, inFiles := s.checkFiles()
			p.printWarnings(s, warnings)
			found := mistakes(errors.Join(wrong, inFiles))
			for _, mistake := range found {
				fmt.Fprintln(p.errout, mistake.sentence)
			}
			return countMistakes(found)
		},
	}
	command.Flags().BoolVar(&explain, "explain", false, "draw default → file → profile → environment → flag for each setting, with its names in Kafka and Spring")
	addOutputFlag(command, &output)
	return command
}

// printWarnings writes what was left out or replaced on purpose, what is unwise, and the further warnings: commands that work log them.
func (p *Program) printWarnings(s *session, further []string) {
	for _, warning := range slices.Concat(s.loaded.Warnings, further) {
		fmt.Fprintln(p.errout, "warning: "+warning)
	}
}

func (p *Program) printSettings(output string, rows []config.Row) error {
	return p.print(output, rows, func() error {
		table := [][]string{{"SETTING", "VALUE", "ORIGIN"}}
		for _, row := range rows {
			table = append(table, []string{row.Path, oneLine(row.Value), row.Origin})
		}
		return p.table(table)
	})
}

// configValidateCommand says what is wrong with the configuration, all at once.
func configValidateCommand(p *Program) *cobra.Command {
	var output string
	command := &cobra.Command{
		Use:   "validate",
		Short: "Check the configuration: print ok, or every mistake on a line of its own",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			s, wrong := p.read(c)
			warnings, inFiles := s.checkFiles()
			if s != nil && s.loaded != nil {
				p.printWarnings(s, warnings)
			}
			found := mistakes(errors.Join(wrong, inFiles))
			err := p.print(output, found, func() error {
				if len(found) == 0 {
					_, err := fmt.Fprintln(p.out, "ok")
					return err
				}
				for _, mistake := range found {
					if _, err := fmt.Fprintln(p.out, mistake.sentence); err != nil {
						return err
					}
				}
				return nil
			})
			return errors.Join(err, countMistakes(found))
		},
	}
	addOutputFlag(command, &output)
	return command
}

// mistakeRow is one mistake. What is not about one setting has a reason alone.
type mistakeRow struct {
	Path   string `json:"path"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
	Reason string `json:"reason"`
	Advice string `json:"advice"`

	sentence string
}

// mistakes takes apart what was joined into one error; it is empty, not nil, for none.
func mistakes(err error) []mistakeRow {
	found := []mistakeRow{}
	if err == nil {
		return found
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			found = append(found, mistakes(one)...)
		}
		return found
	}
	var mistake *config.Mistake
	if !errors.As(err, &mistake) {
		return append(found, mistakeRow{Reason: err.Error(), sentence: err.Error()})
	}
	// What a plugin's mistakes are wrapped in says no more than their paths do.
	if inside := errors.Unwrap(err); inside != nil {
		return mistakes(inside)
	}
	return append(found, mistakeRow{mistake.Path, mistake.Value, mistake.Origin, mistake.Reason, mistake.Advice, mistake.Error()})
}

func countMistakes(found []mistakeRow) error {
	switch len(found) {
	case 0:
		return nil
	case 1:
		return errors.New("the configuration has 1 mistake")
	default:
		return fmt.Errorf("the configuration has %d mistakes", len(found))
	}
}
