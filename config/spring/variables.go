package spring

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Variables is the source of the variables that set properties. Names are what a variable can set; one that sets none of them and begins
// with SPRING_ is there under the name that Spring would give it.
func Variables(variables map[string]string, names []string) Source {
	known := map[string]string{}
	for _, name := range names {
		known[squashed(name)] = name
	}
	var source Source
	for _, variable := range slices.Sorted(maps.Keys(variables)) {
		base, entry := numbered(variable)
		name, found := known[squashed(base)]
		if !found {
			name, found = known[squashed(variable)]
			entry = ""
		}
		if !found {
			if name, found = strings.CutPrefix(strings.ToLower(variable), "spring_"); !found {
				continue
			}
			name, entry = "spring."+strings.ReplaceAll(name, "_", "."), ""
		}
		source.add(name+entry, variables[variable], Property{Variable: variable})
	}
	return source
}

// numbered takes the number of an entry off a variable: SERVERS_1_ and SERVERS_1 are the second of SERVERS.
func numbered(variable string) (base, entry string) {
	trimmed := strings.TrimSuffix(variable, "_")
	cut := strings.LastIndexByte(trimmed, '_')
	if cut <= 0 || cut == len(trimmed)-1 || strings.Trim(trimmed[cut+1:], "0123456789") != "" {
		return variable, ""
	}
	return trimmed[:cut], "[" + trimmed[cut+1:] + "]"
}

// JSONVariable is the variable that has properties as JSON. They count more than those of other variables.
const JSONVariable = "SPRING_APPLICATION_JSON"

// JSON reads what is in [JSONVariable].
func JSON(text string) (Source, error) {
	sources, err := parseYAML("", []byte(text))
	if err != nil {
		return Source{}, fmt.Errorf("%s: it is not a JSON object", JSONVariable)
	}
	var whole Source
	for _, source := range sources {
		for _, property := range source.Properties {
			property.Variable, property.Line = JSONVariable, 0
			whole.Properties = append(whole.Properties, property)
		}
	}
	return whole, nil
}
