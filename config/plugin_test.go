package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/config"
)

// loyalty is a plugin's settings with a field of every sort.
type loyalty struct {
	Rate     int
	Factor   float64
	Pause    time.Duration
	Greeting string `koanf:"hello"`
	Channels []string
	Dry      bool
	Small    uint8
	Token    config.Secret
	Server   netip.Addr
	Limits   struct {
		MaxItems int
	}
	Tiers  []tier
	Hidden string `koanf:"-"`
}

type tier struct {
	Name string
	From int
	Wait time.Duration
}

func (l *loyalty) Validate() error {
	if l.Rate < 0 {
		return errors.New("plugins.loyalty.rate must not be negative")
	}
	return nil
}

func TestPluginReadsItsSection(t *testing.T) {
	t.Parallel()
	s := sources(t, `
plugins:
  loyalty:
    rate: 1
    factor: 1.5
    hello: 0123
    channels: [mail, sms]
    server: 10.0.0.1
    limits: {max_items: 3}
    tiers: [{name: gold, from: 10, wait: 7d}, {name: silver}]
`, "MILLRACE_PLUGINS_LOYALTY_RATE=2", "MILLRACE_PLUGINS_LOYALTY_LIMITS_MAX_ITEMS=4", "MILLRACE_PLUGINS_LOYALTY_TOKEN=canary", "MILLRACE_PLUGINS_LOYALTY_DRY=true")
	s.Profile, s.Flags = "prod", map[string]string{"plugins.loyalty.pause": "3s"}
	write(t, filepath.Dir(s.File), "config.prod.yaml", "plugins: {loyalty: {factor: 2.5, pause: 1s, small: 255}}")
	loaded := load(t, s)
	got := loyalty{Rate: 9, Hidden: "kept"}
	if err := loaded.Plugin("loyalty", &got); err != nil {
		t.Fatal(err)
	}
	want := loyalty{Rate: 2, Factor: 2.5, Pause: 3 * time.Second, Greeting: "0123", Channels: []string{"mail", "sms"}, Dry: true, Small: 255,
		Token: config.NewSecret("canary"), Server: netip.MustParseAddr("10.0.0.1"), Tiers: []tier{{"gold", 10, 7 * 24 * time.Hour}, {Name: "silver"}}, Hidden: "kept"}
	want.Limits.MaxItems = 4
	if !reflect.DeepEqual(got, want) {
		t.Errorf("settings: got %+v, want %+v", got, want)
	}
	rows := config.Rows(loaded)
	for path, want := range map[string]config.Row{
		"plugins.loyalty.rate":  {Path: "plugins.loyalty.rate", Value: "2", Origin: "MILLRACE_PLUGINS_LOYALTY_RATE"},
		"plugins.loyalty.token": {Path: "plugins.loyalty.token", Value: "***", Origin: "MILLRACE_PLUGINS_LOYALTY_TOKEN", Secret: true},
		"plugins.loyalty.pause": {Path: "plugins.loyalty.pause", Value: "3s", Origin: "--plugins.loyalty.pause"},
	} {
		if got := find(rows, path); got != want {
			t.Errorf("row: got %+v, want %+v", got, want)
		}
	}
	wantHidden(t, rows, "canary")
}

func TestPluginKeepsItsDefaults(t *testing.T) {
	t.Parallel()
	got := loyalty{Rate: 9}
	if err := load(t, sources(t, "")).Plugin("loyalty", &got); err != nil || got.Rate != 9 || got.Token.IsSet() {
		t.Errorf("settings: got %+v and %v, want the rate 9 and no token", got, err)
	}
}

func TestMistakesOfPlugins(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	empty := write(t, directory, "empty", "\n")
	for name, test := range map[string]struct {
		yaml    string
		environ []string
		want    string
	}{
		"an unknown key":              {yaml: "plugins: {loyalty: {rates: 1}}", want: "plugins.loyalty.rates (FILE:1): there is no such setting; the nearest is plugins.loyalty.rate"},
		"an unknown key below":        {yaml: "plugins: {loyalty: {limits: {max: 1}}}", want: "plugins.loyalty.limits.max (FILE:1): there is no such setting; the nearest is plugins.loyalty.limits"},
		"an unknown variable":         {environ: []string{"MILLRACE_PLUGINS_LOYALTY_RATES=canary"}, want: "MILLRACE_PLUGINS_LOYALTY_RATES: plugin loyalty has no setting with this variable; the nearest is MILLRACE_PLUGINS_LOYALTY_RATE"},
		"a wrong number":              {yaml: "plugins: {loyalty: {rate: x}}", want: `plugins.loyalty.rate is "x" (FILE:1): it is not a whole number; write one, for example 3`},
		"a number that does not fit":  {yaml: "plugins: {loyalty: {small: 256}}", want: `plugins.loyalty.small is "256" (FILE:1): it is outside the numbers of uint8; write one within`},
		"a wrong text of a type":      {yaml: "plugins: {loyalty: {server: here}}", want: `plugins.loyalty.server (FILE:1): ParseAddr("here"): unable to parse IP; correct it`},
		"a section that is a value":   {yaml: "plugins: {loyalty: canary}", want: "plugins.loyalty (FILE:1): it is a section, not a setting; write its settings below it, each on a line of its own"},
		"free YAML that does not fit": {yaml: "plugins: {loyalty: {tiers: [{from: canary}]}}", want: "plugins.loyalty.tiers (FILE:1): it does not fit the plugin's []config_test.tier; correct it"},
		"an unknown key in free YAML": {yaml: "plugins: {loyalty: {tiers: [{form: 1}]}}", want: "plugins.loyalty.tiers (FILE:1): it has what the plugin does not know: [0].form; remove that or correct its name"},
		"what Validate says":          {yaml: "plugins: {loyalty: {rate: -1}}", want: "plugins.loyalty.rate must not be negative"},
		"a secret in the file":        {yaml: "plugins: {loyalty: {token: canary}}", want: "plugins.loyalty.token (FILE:1): a secret written here is read by whoever reads this; write its file's name into plugins.loyalty.token_file or set MILLRACE_PLUGINS_LOYALTY_TOKEN"},
		"a secret twice":              {environ: []string{"MILLRACE_PLUGINS_LOYALTY_TOKEN=canary", "MILLRACE_PLUGINS_LOYALTY_TOKEN_FILE=x"}, want: "MILLRACE_PLUGINS_LOYALTY_TOKEN: MILLRACE_PLUGINS_LOYALTY_TOKEN_FILE is set too; set one of the two"},
		"a secret without its file":   {yaml: "plugins: {loyalty: {token_file: /nowhere/x}}", want: `plugins.loyalty.token_file is "/nowhere/x" (FILE:1): the secret cannot be read: no such file or directory; write the name of a file that has the secret`},
		"a secret of nothing":         {environ: []string{"MILLRACE_PLUGINS_LOYALTY_TOKEN_FILE=" + empty}, want: `plugins.loyalty.token_file is "` + empty + `" (MILLRACE_PLUGINS_LOYALTY_TOKEN_FILE): the secret cannot be read: it is empty; write the name of a file that has the secret`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sources(t, test.yaml, test.environ...)
			got := loyalty{Rate: 9}
			err := load(t, s).Plugin("loyalty", &got)
			wantSentence(t, err, `settings of plugin "loyalty": `+strings.ReplaceAll(test.want, "(FILE:", "("+s.File+":"))
			if got.Rate != 9 {
				t.Errorf("settings: got %+v, want them unchanged", got)
			}
			if strings.Contains(fmt.Sprint(err), "canary") {
				t.Errorf("error: got %v, want no secret in it", err)
			}
		})
	}
}

func TestPluginSecretFromFile(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	path := write(t, directory, "token", "canary\r\n")
	s := sources(t, "plugins: {loyalty: {token_file: "+path+"}}")
	loaded := load(t, s)
	var got loyalty
	if err := loaded.Plugin("loyalty", &got); err != nil || got.Token.Reveal() != "canary" {
		t.Fatalf("token: got %v and %v, want that of the file", got.Token.Reveal(), err)
	}
	if row := find(config.Rows(loaded), "plugins.loyalty.token"); row.Origin != s.File+":1" || !row.Secret {
		t.Errorf("row: got %+v, want the line that names the secret's file", row)
	}
	if len(loaded.Warnings) != 0 {
		t.Errorf("warnings: got %q, want none", loaded.Warnings)
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := loaded.Plugin("loyalty", &got); err != nil {
			t.Fatal(err)
		}
	}
	if len(loaded.Warnings) != 1 || strings.Contains(loaded.Warnings[0], "canary") {
		t.Errorf("warnings: got %q, want one on the file's mode", loaded.Warnings)
	}
}

func TestVariableOfTheLongerPluginIsItsOwn(t *testing.T) {
	t.Parallel()
	s := sources(t, "", "MILLRACE_PLUGINS_LOYALTY_PLUS_RATE=5")
	s.PluginNames = []string{"loyalty", "loyalty-plus"}
	loaded := load(t, s)
	var short, long loyalty
	if err := loaded.Plugin("loyalty", &short); err != nil {
		t.Error(err)
	}
	if err := loaded.Plugin("loyalty-plus", &long); err != nil || long.Rate != 5 {
		t.Errorf("rate: got %d and %v, want 5", long.Rate, err)
	}
}

func TestPluginNeedsAPointerToAStruct(t *testing.T) {
	t.Parallel()
	for _, into := range []any{loyalty{}, nil, (*loyalty)(nil), new(int)} {
		if err := load(t, sources(t, "")).Plugin("loyalty", into); err == nil {
			t.Errorf("Plugin(%T): got nil, want an error", into)
		}
	}
}

func TestSettingsThatNoPluginHasReadAreHidden(t *testing.T) {
	t.Parallel()
	loaded := load(t, sources(t, "plugins: {loyalty: {token: canary, deep: {er: canary}}}", "MILLRACE_PLUGINS_LOYALTY_KEY=canary"))
	rows := config.Rows(loaded)
	wantHidden(t, rows, "canary")
	wantHidden(t, loaded.Settings, "canary")
	for _, path := range []string{"plugins.loyalty.token", "plugins.loyalty.deep.er", "plugins.loyalty.key"} {
		if row := find(rows, path); row.Value != "***" {
			t.Errorf("%s: got %+v, want ***", path, row)
		}
	}
}

func TestSecretNeverPrints(t *testing.T) {
	t.Parallel()
	secret := config.NewSecret("canary")
	wantHidden(t, secret, "canary")
	wantHidden(t, &secret, "canary")
	wantHidden(t, struct{ Token config.Secret }{secret}, "canary")
	wantHidden(t, config.Sections{"loyalty": map[string]any{"token": "canary"}}, "canary")
	wantHidden(t, map[config.Secret]config.Secret{secret: secret}, "canary")
	if secret.Reveal() != "canary" || !secret.IsSet() || (config.Secret{}).IsSet() {
		t.Error("Reveal and IsSet: got another value, want the one put in")
	}
	text, err := json.Marshal(secret)
	if string(text) != `"***"` || err != nil {
		t.Errorf("JSON: got %s and %v, want ***", text, err)
	}
}

// wantHidden prints a value in every way and looks for the canary.
func wantHidden(t *testing.T, value any, canary string) {
	t.Helper()
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+"\n", value)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("text", "value", value)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("JSON", "value", value)
	text, _ := json.Marshal(value)
	out.Write(text)
	if got := out.String(); strings.Contains(got, canary) || strings.Contains(got, fmt.Sprintf("%x", canary)) || strings.Contains(got, fmt.Sprintf("%X", canary)) {
		t.Errorf("printed: got %s, want no secret", got)
	}
}
