package spring_test

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/config/spring"
)

func TestDurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"500": 500 * time.Millisecond, "10s": 10 * time.Second, "3000ms": 3 * time.Second, "2m": 2 * time.Minute, "1h": time.Hour,
		"7d": 168 * time.Hour, "5us": 5 * time.Microsecond, "9ns": 9, "-1": -time.Millisecond, "PT10S": 10 * time.Second, "PT1M30.5S": 90*time.Second + 500*time.Millisecond,
		"P1DT2H": 26 * time.Hour, "pt5m": 5 * time.Minute, "-PT1S": -time.Second, " 10 s ": 10 * time.Second} {
		if got, err := spring.Duration(text); err != nil || got != want {
			t.Errorf("%q: got %v and %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "soon", "10w", "1.5s", "P", "PT", "P1Y", "99999999999999999999", "999999999999999d", "10 s s"} {
		if got, err := spring.Duration(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"16384": 16384, "16KB": 16 << 10, "1MB": 1 << 20, "2gb": 2 << 30, "1B": 1, " 4 KB": 4 << 10} {
		if got, err := spring.Size(text); err != nil || got != want {
			t.Errorf("%q: got %d and %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "1KiB", "much", "999999999999999TB"} {
		if got, err := spring.Size(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

func TestSwitches(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"true": "true", "ON": "true", "yes": "true", "1": "true", "False": "false", "off": "false", "no": "false", "0": "false", "": "wrong", "maybe": "wrong"} {
		value, err := spring.Switch(text)
		got := fmt.Sprint(value)
		if err != nil {
			got = "wrong"
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestResources(t *testing.T) {
	t.Parallel()
	beside := filepath.Join("app", "application.properties")
	for location, want := range map[string]string{
		"file:/etc/a.jks": "/etc/a.jks", "file:///etc/a.jks": "/etc/a.jks", "file:./a.jks": "./a.jks", "file:a.jks": "a.jks", "/etc/a.jks": "/etc/a.jks",
		"classpath:certs/a.jks": "app/certs/a.jks", "classpath:/a.jks": "app/a.jks", "certs/a.jks": "app/certs/a.jks", "": "",
	} {
		if got := filepath.ToSlash(spring.Resource(location, beside)); got != want {
			t.Errorf("%q: got %q, want %q", location, got, want)
		}
	}
}

func TestLocations(t *testing.T) {
	t.Parallel()
	groups, packaged := spring.Locations("classpath:/,optional:file:/etc/app/ , file:a.properties;optional:b.yml")
	if want := []string{"classpath:/"}; !reflect.DeepEqual(packaged, want) {
		t.Errorf("packaged: got %q, want %q", packaged, want)
	}
	want := [][]spring.Place{spring.In("/etc/app/"), {{Path: "a.properties"}, {Path: "b.yml", Optional: true}}}
	if !reflect.DeepEqual(groups, want) {
		t.Errorf("groups: got %+v, want %+v", groups, want)
	}
	for path, want := range map[string]bool{"application.yml": true, "x/application-prod.yaml": true, "any.properties": true, "config.yaml": false, "application.json": false} {
		if got := spring.IsFile(path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}

func TestNamesAreRelaxed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bootstrap-servers", "bootstrapServers", "bootstrap_servers", "BOOTSTRAP-SERVERS", "BootstrapServers"} {
		if got := spring.Uniform("spring.kafka." + name); got != "spring.kafka.bootstrapservers" {
			t.Errorf("%s: got %q, want one name for all", name, got)
		}
	}
	if got := spring.Uniform("spring.kafka.properties[sasl.mechanism]"); got != "spring.kafka.properties.sasl.mechanism" {
		t.Errorf("brackets: got %q, want the name with a dot", got)
	}
}

func TestLogins(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`org.apache.kafka.common.security.plain.PlainLoginModule required username="me" password="p";`:        "PlainLoginModule username=me password=p",
		`ScramLoginModule required username='me' password='p"q';`:                                             `ScramLoginModule username=me password=p"q`,
		"ScramLoginModule REQUIRED\n  username=\"me\" // who\n  /* and\n this */ password = \"p\\\"\\\\q\" ;": `ScramLoginModule username=me password=p"\q`,
		`PlainLoginModule sufficient username=me-1.x password=p_$1;`:                                          "PlainLoginModule username=me-1.x password=p_$1",
		`PlainLoginModule required username="ü" password="\101\tb\z\8";`:                                      "PlainLoginModule username=ü password=A\tbz8",
		`OAuthBearerLoginModule required;`:                                                                    "OAuthBearerLoginModule",
		`PlainLoginModule required "username"="me";`:                                                          "PlainLoginModule username=me",
		``:                                "! it does not begin with the class of a login module",
		`"canary" required;`:              "! it does not begin with the class of a login module",
		`PlainLoginModule username="me";`: "! there is no control flag (required) behind the class of the login module",
		`PlainLoginModule required username="me"`:                               "! it does not end in a semicolon",
		`PlainLoginModule required username;`:                                   "! an option has no value; is a quote within a value without its backslash?",
		`PlainLoginModule required username=;`:                                  "! an option has no value; write one in quotes",
		`PlainLoginModule required password="can" ary;`:                         "! an option has no value; is a quote within a value without its backslash?",
		`PlainLoginModule required password="canary;`:                           "! a quote does not end; is one within a value without its backslash?",
		"PlainLoginModule required password=\"can\nary\";":                      "! a quote does not end in its line",
		`PlainLoginModule required ="canary";`:                                  "! an option has no name; is a quote within a value without its backslash?",
		`PlainLoginModule required; ScramLoginModule required password=canary;`: "! there is something behind the semicolon; one login module is all that a client has",
		`PlainLoginModule required /* canary`:                                   "! a comment does not end",
	} {
		login, err := spring.ParseLogin(text)
		got := login.Module
		for _, option := range []string{"username", "password"} {
			if value, found := login.Options[option]; found {
				got += " " + option + "=" + value
			}
		}
		if err != nil {
			got = "! " + err.Error()
		}
		if got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: got a part of it in %v, want none", text, err)
		}
	}
}

func TestOptionsOfALoginAreNotPrinted(t *testing.T) {
	t.Parallel()
	login, err := spring.ParseLogin(`PlainLoginModule required password="canary";`)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, login); got != "PlainLoginModule" {
			t.Errorf("%s: got %s, want the module alone", verb, got)
		}
	}
}
