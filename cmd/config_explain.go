package cmd

import (
	"fmt"
	"strings"

	"github.com/prantikov/millrace/config"
)

// printExplanations draws for each setting which place says what: the last one with a value counts.
func (p *Program) printExplanations(output string, all []config.Explanation) error {
	return p.print(output, all, func() error {
		for _, one := range all {
			if _, err := fmt.Fprintf(p.out, "%s = %s\n    %s\n", one.Path, oneLine(one.Value), strings.Join(drawSteps(one), " → ")); err != nil {
				return err
			}
			if names := otherNames(one); names != "" {
				if _, err := fmt.Fprintf(p.out, "    %s\n", names); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// oneLine keeps a value of several lines from looking like several settings.
func oneLine(value string) string { return strings.Join(strings.Fields(value), " ") }

// drawSteps has an entry for each kind of place, also for one that says nothing: the hierarchy is the same for every setting.
func drawSteps(one config.Explanation) []string {
	var drawn []string
	for _, source := range []config.Source{config.SourceDefault, config.SourceFile, config.SourceProfile, config.SourceEnvironment, config.SourceFlag} {
		var values []string
		for _, step := range one.Steps {
			if step.Source == source {
				values = append(values, drawStep(step))
			}
		}
		if len(values) == 0 {
			values = []string{"-"}
		}
		drawn = append(drawn, string(source)+" "+strings.Join(values, ", "))
	}
	return drawn
}

func drawStep(step config.Step) string {
	text := oneLine(step.Value)
	if text == "" {
		text = `""`
	}
	if step.Source == config.SourceDefault {
		return text
	}
	text += " (" + step.Origin
	if step.Unsafe {
		text += "; not safe, so it does not count"
	}
	return text + ")"
}

func otherNames(one config.Explanation) string {
	var names []string
	for _, name := range []struct{ where, name string }{{"Kafka", one.Kafka}, {"Spring", one.Spring}, {"variable", one.Variable}, {"flag", one.Flag}} {
		if name.name != "" {
			names = append(names, name.where+" "+name.name)
		}
	}
	return strings.Join(names, " · ")
}
