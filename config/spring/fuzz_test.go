package spring_test

import (
	"strings"
	"testing"

	"github.com/prantikov/millrace/config/spring"
)

// FuzzProperties checks what holds for any file: no panic, every property has a name and a line, and filling its placeholders ends.
func FuzzProperties(f *testing.F) {
	for _, seed := range []string{"", "a=${b}\nb=${a}", "a=${X:localhost:9092}", "a=\\", "a[0]=x\na[]=y", "#---\n#---\na=1", "spring.profiles.active=${a:b}", "a=\\u00", "=x",
		"spring.config.activate.on-profile=(a|b)&!c", "a=${${${b}}}", "\\:=1", "a=\\${b}", "spring.profiles.group.default=a,default", "\x00=\xff", "a=${a:{}}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		checkEnvironment(t, "a.properties", text)
	})
}

// FuzzYAML is the same for application.yml.
func FuzzYAML(f *testing.F) {
	for _, seed := range []string{"", "a: ${b}\n---\nb: ${a}", "a: [x, {b: 1}]", "? [a]\n: b", "a: &a [*a]", "spring: {profiles: {active: [a, b]}}", "[a]: 1", "\"[x]\": 1", "a:\n<<: {b: 1}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		checkEnvironment(t, "a.yml", text)
	})
}

func checkEnvironment(t *testing.T, file, text string) {
	t.Helper()
	e, err := read(t, files{file: text, "a-b.properties": text}, spring.Choice{Variables: map[string]string{"B": "${a}"}}, file)
	if err != nil {
		return
	}
	for _, source := range e.Sources {
		for _, property := range source.Properties {
			if property.Key != spring.Uniform(property.Name) || property.File == "" || len(property.Values) == 0 {
				t.Fatalf("property: got %+v, want its name, its file and a value", property)
			}
			if filled, err := e.Resolve(property.Text()); err == nil && len(filled) > 2<<20 {
				t.Fatalf("%s: got %d bytes, want a bound", property.Name, len(filled))
			}
		}
	}
}

// FuzzLogin checks that what was read can be written in quotes and read again, and that no error has a part of the text.
func FuzzLogin(f *testing.F) {
	for _, seed := range []string{`a.B required x="y";`, `B required x='y' z=w;`, `B required`, `B required x="\`, `B required x="\777";`, "/*", "//", `B required "x"="y";`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		login, err := spring.ParseLogin(text)
		if err != nil {
			return
		}
		again := "M required"
		for name, value := range login.Options {
			again += " " + quote(name) + "=" + quote(value)
		}
		second, err := spring.ParseLogin(again + ";")
		if err != nil {
			t.Fatalf("read again: got %v, want the same options", err)
		}
		for name, value := range login.Options {
			if second.Options[name] != value {
				t.Fatalf("option: got %q, want %q", second.Options[name], value)
			}
		}
	})
}

func quote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`).Replace(value) + `"`
}
