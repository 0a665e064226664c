package spring_test

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/prantikov/millrace/config/spring"
)

// files are a directory in memory.
type files map[string]string

func (f files) read(path string) ([]byte, error) {
	text, found := f[path]
	if !found {
		return nil, fmt.Errorf("configuration file %q: %w", path, fs.ErrNotExist)
	}
	return []byte(text), nil
}

// read reads all files that are not a profile's, in the order of the places.
func read(t *testing.T, f files, choice spring.Choice, places ...string) (*spring.Environment, error) {
	t.Helper()
	var group []spring.Place
	for _, path := range places {
		group = append(group, spring.Place{Path: path})
	}
	return spring.Read(spring.Places{Groups: [][]spring.Place{group}, Read: f.read}, choice)
}

// value is what a property comes to; its absence is <none>.
func value(e *spring.Environment, name string) string {
	for _, source := range slices.Backward(e.Sources) {
		if property, found := source.Find(spring.Uniform(name)); found {
			return property.Text()
		}
	}
	return "<none>"
}

func TestPropertiesAreReadAsJavaReadsThem(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"an equals sign":                          {"a=x", "x"},
		"a colon":                                 {"a:x", "x"},
		"white space":                             {"a x y", "x y"},
		"white space around":                      {"  a \t=  x", "x"},
		"spaces at the end stay":                  {"a=x  ", "x  "},
		"a second equals sign is the value's":     {"a=x=y:z", "x=y:z"},
		"no value":                                {"a", ""},
		"a comment behind is the value's":         {"a=x # y", "x # y"},
		"comments are left out":                   {"# a=1\n! a=2\na=x", "x"},
		"a line goes on behind a backslash":       {"a=x,\\\n   y", "x,y"},
		"also with another system's ends":         {"a=x,\\\r\n\ty\r\nb=1", "x,y"},
		"a backslash twice ends the line":         {"a=x\\\\\nb=y", `x\`},
		"a comment does not go on":                {"# c \\\na=x", "x"},
		"a line that goes on may look like one":   {"a=x\\\n#y", "x#y"},
		"an escaped letter":                       {`a=\u00fc\u0041`, "üA"},
		"an escaped sign":                         {`a=\=\:\#\!\"\z`, `=:#!"z`},
		"escaped white space":                     {`a=\tx\ny`, "\tx\ny"},
		"a byte beyond ASCII is ISO-8859-1":       {"a=\xfc", "ü"},
		"a placeholder is left alone":             {"a=${X:localhost:9092}", "${X:localhost:9092}"},
		"the last of two counts":                  {"a=x\nA=y", "y"},
		"a list by number, in any order":          {"a[1]=y\na[0]=x", "x,y"},
		"a list at once":                          {"a[]=x, y", "x,y"},
		"a backslash alone at the end is nothing": {"a=x\n\\", "x"},
		"a backslash at the end of the last line": {`a=x\`, "x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := read(t, files{"a.properties": test.text}, spring.Choice{}, "a.properties")
			if err != nil {
				t.Fatal(err)
			}
			if got := value(e, "a"); got != test.want {
				t.Errorf("a: got %q, want %q", got, test.want)
			}
		})
	}
}

func TestDocumentsCountForTheirProfiles(t *testing.T) {
	t.Parallel()
	const frame = "a=1\n#---\nspring.config.activate.on-profile=prod\na=2\n"
	for name, test := range map[string]struct {
		files  files
		active string
		want   string // of a
	}{
		"a document of another profile does not":      {files{"a.properties": frame}, "test", "1"},
		"a document of the profile does":              {files{"a.properties": frame}, "prod", "2"},
		"with exclamation marks too":                  {files{"a.properties": strings.ReplaceAll(frame, "#---", "!---")}, "prod", "2"},
		"a frame around a heading begins none":        {files{"a.properties": "a=1\n#---\n# Prod\n#---\nb=2"}, "", "1"},
		"four hyphens are a comment":                  {files{"a.properties": "spring.config.activate.on-profile=prod\n#----\na=2"}, "test", "<none>"},
		"a later document counts more":                {files{"a.yml": "a: 1\n---\na: 2\n"}, "", "2"},
		"a profile's file counts more than documents": {files{"a.properties": frame, "a-prod.properties": "a=3"}, "prod", "3"},
		"the last of two profiles counts":             {files{"a.properties": "a=1", "a-x.properties": "a=x", "a-y.properties": "a=y"}, "x,y", "y"},
		"a profile's file has documents too":          {files{"a.yml": "a: 1", "a-x.yml": "a: x\n---\nspring.config.activate.on-profile: y\na: xy\n"}, "x,y", "xy"},
		"without any, default is active":              {files{"a.properties": "a=1", "a-default.properties": "a=d"}, "", "d"},
		"with one, default is not":                    {files{"a.properties": "a=1", "a-default.properties": "a=d"}, "x", "1"},
		"Spring's older word for it":                  {files{"a.yml": "a: 1\n---\nspring.profiles: x\na: x\n"}, "x", "x"},
		"the file chooses":                            {files{"a.properties": "spring.profiles.active=x", "a-x.properties": "a=x"}, "", "x"},
		"the choice from outside counts more":         {files{"a.properties": "spring.profiles.active=x", "a-x.properties": "a=x", "a-y.properties": "a=y"}, "y", "y"},
		"with a placeholder":                          {files{"a.properties": "spring.profiles.active=${STAGE:x}", "a-x.properties": "a=x"}, "", "x"},
		"included ones count less":                    {files{"a.properties": "spring.profiles.include=x", "a-x.properties": "a=x\nb=x", "a-y.properties": "a=y"}, "y", "y"},
		"members of a group count more":               {files{"a.properties": "spring.profiles.group.y=x,z", "a-x.properties": "a=x", "a-y.properties": "a=y"}, "y", "x"},
		"groups within groups end":                    {files{"a.properties": "spring.profiles.group.y=x\nspring.profiles.group.x=y", "a-x.properties": "a=x"}, "y", "x"},
		"one of a list is enough":                     {files{"a.yml": "spring.config.activate.on-profile: [x, y]\na: 1"}, "y", "1"},
		"not in Kubernetes":                           {files{"a.yml": "spring.config.activate.on-cloud-platform: kubernetes\na: 1"}, "", "<none>"},
		"a list in YAML":                              {files{"a.yml": "a:\n  - x\n  - y"}, "", "x,y"},
		"a list replaces a list as a whole":           {files{"a.yml": "a: [x, y]\n---\na: [z]"}, "", "z"},
		"dots within keys":                            {files{"a.yml": "b: 1\nx.y: {a: 1}\na: 2"}, "", "2"},
		"no value is an empty text":                   {files{"a.yml": "a:"}, "", ""},
		"scalars as they are written":                 {files{"a.yml": "a: 0123"}, "", "0123"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place := "a.properties"
			if _, yaml := test.files["a.yml"]; yaml {
				place = "a.yml"
			}
			e, err := read(t, test.files, spring.Choice{Active: test.active}, place)
			if err != nil {
				t.Fatal(err)
			}
			if got := value(e, "a"); got != test.want {
				t.Errorf("a: got %q, want %q", got, test.want)
			}
		})
	}
}

func TestExpressionsOfProfiles(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"prod": "yes", "test": "no", "!test": "yes", "!prod": "no", "prod & eu": "yes", "prod & us": "no", "test | eu": "yes", "prod&!us": "yes",
		"(prod & us) | eu": "yes", "!(prod | us)": "no", "test, eu": "yes", "(prod | test) & (eu | us)": "yes", "!!prod": "yes",
		"prod & eu | us": "wrong", "prod &": "wrong", "(prod": "wrong", "prod eu": "wrong", "!": "wrong", "": "wrong", "&": "wrong", ")": "wrong",
		strings.Repeat("(", 10_000): "wrong", strings.Repeat("!", 10_000) + "prod": "wrong",
	} {
		e, err := read(t, files{"a.properties": "b=1\n#---\nspring.config.activate.on-profile=" + expression + "\na=1"}, spring.Choice{Active: "prod,eu"}, "a.properties")
		got := "wrong"
		if err == nil {
			got = map[string]string{"1": "yes", "<none>": "no"}[value(e, "a")]
		} else if !strings.HasPrefix(err.Error(), `configuration file "a.properties": line 3: spring.config.activate.on-profile: it is no expression of profiles`) {
			t.Errorf("%.20q: got %v, want the line and the reason", expression, err)
		}
		if got != want {
			t.Errorf("%.20q: got %s, want %s", expression, got, want)
		}
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	const whole = `configuration file "a.properties": `
	for name, test := range map[string]struct {
		text, active, want string
	}{
		"a broken escape":                    {`a=\u00zz`, "", whole + `line 1: it is not a property: an escape that begins with \u has four hexadecimal digits`},
		"a value without a name":             {"\n=x", "", whole + "line 2: it has a value and no name"},
		"a document that chooses a profile":  {"a=1\n#---\nspring.config.activate.on-profile=x\nspring.profiles.active=y", "x", whole + "line 4: spring.profiles.active cannot stand in what counts for a profile only; remove the line"},
		"a profile elsewhere":                {"a=1", "../x", `profile "../x": a profile's name has letters, digits, - and _ only`},
		"a profile's placeholder, unfilled":  {"spring.profiles.active=${STAGE}", "", "spring.profiles.active (a.properties:1): ${STAGE} has no value"},
		"a profile's placeholder, in a ring": {"spring.profiles.active=${a}\na=${a}", "", "spring.profiles.active (a.properties:1): ${a} in a, a.properties:2 needs its own value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := read(t, files{"a.properties": test.text}, spring.Choice{Active: test.active}, "a.properties")
			if err == nil || err.Error() != test.want {
				t.Errorf("error:\n got %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestProfilesThatChangeNothingAreKnown(t *testing.T) {
	t.Parallel()
	f := files{"a.properties": "a=1\n#---\nspring.config.activate.on-profile=!cloud\nb=1", "a-prod.properties": ""}
	e, err := read(t, f, spring.Choice{Active: "prod,cloud,prdo"}, "a.properties")
	if err != nil || !slices.Equal(e.Without, []string{"prdo"}) {
		t.Errorf("without: got %q and %v, want prdo", e.Without, err)
	}
	if want := []string{"a.properties", "a-prod.properties"}; !slices.Equal(e.Files, want) {
		t.Errorf("files: got %q, want %q", e.Files, want)
	}
}
