package spring

import (
	"slices"
	"strings"
)

// Missing is a placeholder that cannot be filled.
type Missing struct {
	// Name is the name in the placeholder.
	Name string
	// Within is the property in whose value the placeholder stands, with its place, when it is another than the one that was asked for.
	Within string
	// Reason is what is wrong when it is not that there is no value.
	Reason string
}

// Error says what is wrong without any value.
func (m *Missing) Error() string {
	text := "${" + m.Name[:min(len(m.Name), 100)] + "}"
	if m.Within != "" {
		text += " in " + m.Within
	}
	if m.Reason != "" {
		return text + " " + m.Reason
	}
	return text + " has no value"
}

const (
	maxPlaceholderDepth = 32
	// maxExpanded bounds a value after its placeholders: more than any certificate chain, less than what placeholders of placeholders make.
	maxExpanded = 1 << 20
)

// Resolve fills the placeholders of a value: ${NAME} and ${NAME:default}, nested too, from variables and from properties. A placeholder
// without a value is a [*Missing]. \${ is a dollar and a bracket.
func (e *Environment) Resolve(text string) (string, error) {
	filling := &filling{environment: e}
	filled, err := filling.fill(text, nil, "")
	if err != nil {
		return "", err
	}
	return filled, nil
}

type filling struct {
	environment    *Environment
	written, depth int
}

// fill is called again for what a placeholder brings; names are those on the way there.
func (f *filling) fill(text string, names []string, within string) (string, error) {
	var out strings.Builder
	for text != "" {
		start := strings.Index(text, "${")
		if start < 0 {
			start = len(text)
		}
		if start > 0 && start < len(text) && text[start-1] == '\\' {
			f.write(&out, text[:start-1]+"${")
			text = text[start+2:]
			continue
		}
		f.write(&out, text[:start])
		if text = text[start:]; text == "" {
			break
		}
		end := closing(text)
		if end < 0 {
			f.write(&out, text)
			break
		}
		value, err := f.placeholder(text[2:end], names, within)
		if err != nil {
			return "", err
		}
		f.write(&out, value)
		if f.written > maxExpanded {
			return "", &Missing{Name: text[2:end], Within: within, Reason: "grows beyond 1 MiB"}
		}
		text = text[end+1:]
	}
	return out.String(), nil
}

func (f *filling) write(out *strings.Builder, text string) {
	f.written += len(text)
	out.WriteString(text)
}

// closing finds the bracket that ends the placeholder with which a text begins; brackets within belong together.
func closing(text string) int {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

func (f *filling) placeholder(content string, names []string, within string) (string, error) {
	if f.depth++; f.depth > maxPlaceholderDepth {
		return "", &Missing{Name: content, Within: within, Reason: "is nested too deep"}
	}
	defer func() { f.depth-- }()
	left, fallback, hasDefault := cutDefault(content)
	name, err := f.fill(left, names, within)
	if err != nil {
		return "", err
	}
	name = strings.TrimSpace(name)
	if slices.Contains(names, name) {
		return "", &Missing{Name: name, Within: within, Reason: "needs its own value"}
	}
	if property, found := f.environment.lookup(name); found {
		return f.fill(property.Text(), append(names[:len(names):len(names)], name), property.Name+", "+property.At())
	}
	if hasDefault {
		return f.fill(fallback, names, within)
	}
	return "", &Missing{Name: name, Within: within}
}

// cutDefault splits name:default at the first colon that is not within another placeholder.
func cutDefault(content string) (name, fallback string, found bool) {
	depth := 0
	for i := range len(content) {
		switch {
		case content[i] == '{':
			depth++
		case content[i] == '}':
			depth--
		case content[i] == ':' && depth == 0:
			return content[:i], content[i+1:], true
		}
	}
	return content, "", false
}

// lookup finds what a placeholder names: a variable under one of its names, else the property of the source that counts most.
func (e *Environment) lookup(name string) (Property, bool) {
	for _, variable := range variableNames(name) {
		if value, found := e.variables[variable]; found {
			e.used[Uniform(name)] = true
			return Property{Name: name, Variable: variable, Values: []string{value}}, true
		}
	}
	key := Uniform(name)
	for _, source := range slices.Backward(e.Sources) {
		if property, found := source.Find(key); found {
			e.used[key] = true
			return property, true
		}
	}
	if name == "user.home" {
		for _, variable := range []string{"HOME", "USERPROFILE"} {
			if home := e.variables[variable]; home != "" {
				return Property{Name: name, Variable: variable, Values: []string{home}}, true
			}
		}
	}
	return Property{}, false
}

// variableNames are the variables that set a property, the surest first: KAFKA_HOSTNAME before KAFKA_HOST_NAME for kafka.host-name.
func variableNames(name string) []string {
	dotless := strings.NewReplacer(".", "_", "[", "_", "]", "")
	hyphenless := dotless.Replace(strings.ReplaceAll(name, "-", ""))
	underscored := strings.ReplaceAll(dotless.Replace(name), "-", "_")
	return []string{name, strings.ToUpper(hyphenless), strings.ToUpper(underscored), hyphenless, underscored}
}

// Used says that a placeholder took its value from a property with this uniform name.
func (e *Environment) Used(key string) bool { return e.used[key] }
