package notification_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prantikov/millrace/handlers/notification"
	"github.com/prantikov/millrace/record"
)

// fileOffice is an office with a directory in a file.
func fileOffice(t *testing.T, name, content string) (*office, string) {
	t.Helper()
	path := filepath.Join(folder(t, map[string]string{name: content}), name)
	settings := hooked()
	settings.Directory.File = path
	return newOffice(t, settings, nil), path
}

func TestDirectoryFile(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	for name, content := range map[string]string{
		"people.csv":  "audience,id,channel,address\npatient,pat-1,webhook," + r.URL + "/csv\n\"patient\",\"pat,2\", webhook,\"" + r.URL + "\"\n",
		"people.json": `[{"audience":"patient","id":"pat-1","channel":"webhook","address":"` + r.URL + `/json"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, _ := fileOffice(t, name, content)
			done(t, o.deliver(shipped()))
			o.wantCounts(map[string]int{"patient webhook sent": 1, "pharmacy  no_recipient": 1})
		})
	}
}

func TestNobodyFoundIsSkippedAndCounted(t *testing.T) {
	t.Parallel()
	o, _ := fileOffice(t, "people.csv", "audience,id,channel,address\n")
	event := strings.ReplaceAll(clinical["order-events"], "ACTION", "shipped")
	for _, value := range []string{event, strings.ReplaceAll(event, `"pat-1"`, "null")} {
		got := o.deliver(raw("order-events", value))[0]
		if got.Outcome != record.Skipped || got.Reason != "no_recipient" {
			t.Errorf("got %s for %q, want the record skipped for no_recipient", got.Outcome, got.Reason)
		}
	}
	o.wantCounts(map[string]int{"patient  no_recipient": 2, "pharmacy  no_recipient": 2})
}

func TestDirectoryFileIsReadAgainWhenItHasChanged(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	entry := "patient,pat-1,webhook," + r.URL
	o, path := fileOffice(t, "people.csv", "audience,id,channel,address\n")
	o.deliver(shipped())
	replace := func(content string) {
		if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	eventually := func(what string, holds func() bool) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); !holds(); {
			if time.Now().After(deadline) {
				t.Fatalf("%s: not within 30 s; log: %s", what, o.text())
			}
			o.deliver(shipped())
		}
	}
	replace("audience,id,channel,address\n" + entry + "\n")
	eventually("the new file counts", func() bool { return len(r.hooks()) > 0 })
	replace("audience,id,channel,address\npatient,pat-1,pigeon,canary\n")
	eventually("the broken file is told", func() bool { return strings.Contains(o.text(), "cannot be read: the one before stays in use") })
	before := len(r.hooks())
	done(t, o.deliver(shipped()))
	if len(r.hooks()) != before+1 {
		t.Error("got no webhook with a broken file, want the one before in use")
	}
	if strings.Count(o.text(), "stays in use") != 1 || strings.Contains(o.text(), "canary") {
		t.Errorf("got %s, want one line that quotes nothing of the file", o.text())
	}
	replace("audience,id,channel,address\n")
	eventually("a file that is whole again counts", func() bool {
		return o.deliver(shipped())[0].Reason == "no_recipient"
	})
}

func TestMistakesOfADirectoryFileFailAtStart(t *testing.T) {
	t.Parallel()
	const header = "audience,id,channel,address\n"
	tests := []struct{ name, file, content, want string }{
		{"another header", "a.csv", "id,audience,channel,address\n", "its first line is not audience,id,channel,address"},
		{"a line too short", "a.csv", header + "patient,canary,webhook\n", "line 2: wrong number of fields"},
		{"an audience that is none", "a.csv", header + "canary,1,webhook,https://canary\n", "line 2: its audience is none of patient, doctor and pharmacy"},
		{"no id", "a.csv", header + "patient,,webhook,https://canary\n", "line 2: its id is empty"},
		{"one who is there twice", "a.csv", header + "patient,canary,webhook,https://a.b\npatient,canary,webhook,https://c.d\n", "line 3: its audience and id stand in the file before"},
		{"a channel that is none", "a.csv", header + "patient,canary,pigeon,canary\n", "line 2: its channel is neither smtp nor webhook"},
		{"a channel that is not set", "a.csv", header + "patient,canary,smtp,canary@example.org\n", "line 2: its channel smtp is not set: see notification.smtp"},
		{"a URL that is none", "a.csv", header + "patient,canary,webhook,canary\n", "line 2: its address is no http or https URL"},
		{"a URL without TLS", "a.csv", header + "patient,canary,webhook,http://canary.example\n", "line 2: its address has no TLS: only on this machine that is allowed"},
		{"no JSON", "a.json", `[{"audience":"patient","id":"canary"`, `it is no JSON list of {"audience", "id", "channel", "address"}, each a text`},
		{"a field that nobody knows", "a.json", `[{"audience":"patient","canary":"x"}]`, `it is no JSON list`},
		{"more mistakes than anybody reads", "a.csv", header + strings.Repeat("patient,,webhook,https://canary\n", 20), "and 10 more"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			settings := hooked()
			settings.Directory.File = filepath.Join(folder(t, map[string]string{test.file: test.content}), test.file)
			err := notification.New(settings, notification.Dependencies{}).Open()
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "notification.directory.file") {
				t.Fatalf("got %v, want %q of notification.directory.file", err, test.want)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("got %v, want nothing of what is in the file", err)
			}
		})
	}
}

func TestChannelWithoutADirectoryFailsAtStart(t *testing.T) {
	t.Parallel()
	settings := hooked()
	if err := notification.New(settings, notification.Dependencies{}).Open(); err == nil || !strings.Contains(err.Error(), "set notification.directory.file or notification.directory.url") {
		t.Errorf("got %v, want an error that names the settings", err)
	}
	settings.Directory.File = "missing.csv"
	if err := notification.New(settings, notification.Dependencies{}).Open(); err == nil || !strings.Contains(err.Error(), `notification.directory.file: reading "missing.csv": no such file or directory`) {
		t.Errorf("got %v, want an error that names the file", err)
	}
	settings.Directory.File = "people.csv"
	if err := notification.New(settings, notification.Dependencies{Directory: patientAt("smtp", "a@b.c")}).Open(); err == nil || !strings.Contains(err.Error(), "the program has a directory of its own") {
		t.Errorf("got %v, want an error that says that there are two", err)
	}
}

// service is a directory behind HTTP.
func service(t *testing.T, answer http.HandlerFunc) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server, &asked
}

func TestDirectoryServiceIsAskedAndItsAnswerKept(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	var paths, tokens atomic.Value
	directory, asked := service(t, func(w http.ResponseWriter, request *http.Request) {
		tokens.Store(request.Header.Get("Authorization"))
		if !strings.HasPrefix(request.URL.EscapedPath(), "/v1/patient/") {
			http.NotFound(w, request)
			return
		}
		paths.Store(request.URL.EscapedPath())
		_, _ = w.Write([]byte(`{"channel":"webhook","address":"` + r.URL + `","name":"more than we ask for"}`))
	})
	settings := hooked()
	settings.Directory = notification.DirectorySettings{URL: directory.URL + "/v1/{audience}/{id}", Token: "token", Cache: time.Hour}
	o := newOffice(t, settings, nil)
	event := strings.ReplaceAll(clinical["order-events"], "ACTION", "shipped")
	odd := raw("order-events", strings.ReplaceAll(event, "pat-1", "../a b?c"))
	done(t, o.deliver(odd, odd, odd))
	if got := paths.Load(); got != "/v1/patient/..%2Fa%20b%3Fc" || tokens.Load() != "Bearer token" {
		t.Errorf("got %v with %v, want the id escaped and the token shown", got, tokens.Load())
	}
	if got := asked.Load(); got != 2 {
		t.Errorf("got %d questions, want 2: one for the patient, one for the pharmacy that it does not know", got)
	}
	if len(r.hooks()) != 3 {
		t.Errorf("got %d webhooks, want 3", len(r.hooks()))
	}
}

// Ensure a directory that cannot be asked holds, gives nobody up, and tells nothing of whom it was asked for.
func TestDirectoryThatCannotBeAskedHolds(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"an error of its own", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "canary", http.StatusInternalServerError) }, "the directory answers with status 500"},
		{"a wrong token", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "canary", http.StatusForbidden) }, "the directory answers with status 403"},
		{"no JSON", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("canary")) }, `the directory's answer is no JSON`},
		{"no answer", func(w http.ResponseWriter, _ *http.Request) { hangUp(w) }, "the directory cannot be asked: the connection broke"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var well atomic.Bool
			directory, _ := service(t, func(w http.ResponseWriter, request *http.Request) {
				if well.Load() {
					_, _ = w.Write([]byte(`{"channel":"webhook","address":"` + r.URL + `"}`))
					return
				}
				test.answer(w, request)
			})
			settings := hooked()
			settings.Directory = notification.DirectorySettings{URL: directory.URL + "/{audience}/{id}"}
			o := newOffice(t, settings, nil)
			o.onWait = func(wait int) { well.Store(wait >= 5) }
			done(t, o.deliver(shipped()))
			if !strings.Contains(o.text(), test.want) {
				t.Errorf("got %s, want %q", o.text(), test.want)
			}
			for _, hidden := range []string{"pat-1", "canary", directory.URL} {
				if strings.Contains(o.text(), hidden) {
					t.Errorf("got %q in the log, want nothing of whom was asked for", hidden)
				}
			}
		})
	}
}

// Ensure the text of a function's own error, which may have the id in it, stays out of the log.
func TestDirectoryFunctionThatFailsHolds(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	var o *office
	failed := 0
	o = newOffice(t, hooked(), func(_ context.Context, _ notification.Audience, id string) (notification.Recipient, bool, error) {
		if failed++; failed < 10 {
			return notification.Recipient{}, false, errors.New("no row for " + id)
		}
		return notification.Recipient{Channel: "webhook", Address: r.URL}, true, nil
	})
	done(t, o.deliver(shipped()))
	if len(r.hooks()) != 2 || strings.Contains(o.text(), "pat-1") || !strings.Contains(o.text(), "the directory cannot be asked (*errors.errorString)") {
		t.Errorf("got %d webhooks and %s, want two and nothing of the patient", len(r.hooks()), o.text())
	}
}

func TestMistakesOfADirectoryServiceFailAtStart(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://directory.example/{id}":             "it has no {audience} in it",
		"https://directory.example/{audience}":       "it has no {id} in it",
		"http://directory.example/{audience}/{id}":   "its address has no TLS",
		"ftp://directory.example/{audience}/{id}":    "its address is no http or https URL",
		"directory.example/{audience}/{id}":          "its address is no http or https URL",
		"https://directory.example/{audience}%{id}%": "its address is no http or https URL",
	} {
		settings := hooked()
		settings.Directory.URL = url
		if err := notification.New(settings, notification.Dependencies{}).Open(); err == nil || !strings.Contains(err.Error(), "notification.directory.url: "+want) {
			t.Errorf("%s: got %v, want %q", url, err, want)
		}
	}
}
