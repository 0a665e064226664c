package config

import "slices"

// Explanation is one setting with every place that has a value for it.
type Explanation struct {
	Row
	// Kafka and Spring are what the setting is called there; empty when there is no counterpart.
	Kafka  string `json:"kafka,omitempty"`
	Spring string `json:"spring,omitempty"`
	// Variable and Flag set it; Flag is empty for none of its own.
	Variable string `json:"variable"`
	Flag     string `json:"flag,omitempty"`
	// Steps are the places in the order in which they count, the default first.
	Steps []Step `json:"steps"`
}

// Step is what one place says.
type Step struct {
	Source Source `json:"source"`
	// Value is the value as a file of ours would have it; *** for a secret.
	Value  string `json:"value"`
	Origin string `json:"origin"`
	// Counts says that this is the value of the setting.
	Counts bool `json:"counts"`
	// Unsafe says that it does not count because it could lose, repeat or stall.
	Unsafe bool `json:"unsafe,omitempty"`
}

// Explain returns every setting in the order of the documentation, with all places that have a value for it, then the plugins'.
func Explain(loaded *Loaded) []Explanation {
	var all []Explanation
	for _, row := range Rows(loaded) {
		one, known := loaded.known.paths[row.Path]
		if !known {
			all = append(all, Explanation{Row: row, Steps: []Step{{Value: row.Value, Origin: row.Origin, Counts: true}}})
			continue
		}
		explanation := Explanation{Row: row, Kafka: one.Kafka, Spring: one.Spring, Variable: environmentName(one.parts), Steps: loaded.steps(one)}
		if one.Flag != "" {
			explanation.Flag = "--" + one.Flag
		}
		all = append(all, explanation)
	}
	return all
}

// steps are the default, what is inherited, then what is set for the setting itself: in the order in which resolve takes the last.
func (l *Loaded) steps(one instance) []Step {
	steps := []Step{{Source: SourceDefault, Value: l.shown(one, one.fallback()), Origin: Origin{Source: SourceDefault}.String()}}
	if one.Derived != "" && one.Default == "" {
		steps[0].Value = one.Derived
	}
	if one.inherits != "" {
		steps = append(steps, l.stepsOf(one, one.inherits)...)
	}
	steps = append(steps, l.stepsOf(one, one.key())...)
	for i := range slices.Backward(steps) {
		if !steps[i].Unsafe {
			steps[i].Counts = true
			break
		}
	}
	return steps
}

func (l *Loaded) stepsOf(one instance, key string) []Step {
	var steps []Step
	for _, layer := range l.layers {
		if !layer.values.Exists(key) {
			continue
		}
		origin := layer.origin(key)
		if key != one.key() {
			origin.Inherited = l.known.keys[key].path()
		}
		steps = append(steps, Step{Source: layer.source, Value: l.shown(one, layer.get(key)), Origin: origin.String(),
			Unsafe: layer.properties != nil && l.replaced[key]})
	}
	return steps
}

// shown is a value of any place as it is printed.
func (l *Loaded) shown(one instance, raw any) string {
	if one.Secret() {
		if raw == "" {
			return ""
		}
		return hidden
	}
	value, wrong := one.Kind.read(raw)
	if wrong != nil {
		return "(" + wrong.reason + ")"
	}
	return one.Kind.format(value)
}
